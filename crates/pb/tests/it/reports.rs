//! Reports on goals that ended in each way, made by real processes.

use std::fs;
use std::sync::LazyLock;

use insta::assert_snapshot;
use pb_testkit::model_server::{Fault, Reply};
use regex::Regex;
use serde_json::json;

use crate::env::{TestEnv, wait_until};
use crate::model::{Scripted, finish, plan, planner, worker, write};

/// Times of this run, in JSON.
static TIMES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""(\w+_at|\w+_ms)": \d+"#).unwrap());

fn items(title: &str, items: &str) -> String {
    format!("title = \"{title}\"\nworkspace = \"out\"\n{items}")
}

fn item(id: &str, command: &str, more: &str) -> String {
    format!(
        "[[items]]\nid = \"{id}\"\nkind = \"command\"\nmax_retries = 0\nargv = [\"sh\", \"-c\", \"{command}\"]\n{more}\n"
    )
}

fn report(env: &TestEnv, goal: &str) -> String {
    env.pb(["goal", "report", goal]).to_string()
}

#[test]
fn a_goal_in_words_that_is_reached_is_reported_in_every_form() {
    let items = json!([{
        "id": "write", "kind": "agent", "title": "写报告", "prompt": "Write 报告.md.",
        "gates": [{"kind": "file_contains", "path": "报告.md", "text": "好"}],
    }]);
    let said = "I wrote it.\n<script>alert('好')</script> and *more* at https://example.org";
    let scripted =
        Scripted::saying([planner([plan(&items)]), worker([write("报告.md", "很好\n"), finish(said)])]);
    let env = &scripted.env;
    let ran = env.pb(["run", "写一份 <b>报告", "--workspace", "out"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let goal = env.only_goal();
    assert_snapshot!("report_completed_md", report(env, &goal));
    let json = env.pb(["goal", "report", &goal, "--json"]);
    assert_snapshot!("report_completed_json", TIMES.replace_all(&json.stdout, "\"$1\": 0"));
    assert_snapshot!("report_completed_show", env.pb(["goal", "show", &goal]));

    let saved = env.pb(["goal", "report", &goal, "--output", "report.html"]);
    assert_eq!(saved.exit, Some(0), "{saved}");
    let html = fs::read_to_string(env.file("report.html")).unwrap();
    assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
    assert!(html.contains("&lt;script&gt;") && html.contains("&lt;b&gt;"), "{html}");
    assert_eq!(html.trim_end(), env.pb(["goal", "report", &goal, "--html"]).raw_stdout.trim_end());
}

#[test]
fn a_goal_of_which_an_item_fails_says_what_was_not_done() {
    let env = TestEnv::new();
    env.start_daemons();
    let gates = "gates = [{ kind = \"command\", name = \"it adds up\", argv = [\"sh\", \"-c\", \"echo 3; exit 4\"] },\n\
        { kind = \"file_exists\", path = \"made\" }]\neffect = \"idempotent\"\nneeds = [\"before\"]";
    let later = "needs = [\"add\"]\ngates = [{ kind = \"file_exists\", path = \"later\", required = false }]";
    let file =
        [item("before", "echo x > made", ""), item("add", "true", gates), item("later", "true", later)];
    env.write("goal.toml", &items("Adds up", &file.join("\n")));
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(1));
    let goal = env.only_goal();
    assert_snapshot!("report_failed_md", report(&env, &goal));
    assert_snapshot!("report_failed_show", env.pb(["goal", "show", &goal]));
}

#[test]
fn a_goal_that_asks_is_reported_before_and_after_its_answer() {
    let env = TestEnv::new();
    env.start_daemons();
    let pay = item("pay", "sleep 60", "effect = \"unsafe\"\ntime_limit = \"1s\"");
    let note = item("note", "echo y > note", "gates = [{ kind = \"file_exists\", path = \"note\" }]");
    env.write("goal.toml", &items("付账单", &[pay, note].join("\n")));
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(2));
    let goal = env.only_goal();
    assert_snapshot!("report_blocked_md", report(&env, &goal));
    assert_eq!(env.pb(["goal", "resume", &goal, "--answer", "skip"]).exit, Some(0));
    env.watch(&goal);
    assert_snapshot!("report_partial_md", report(&env, &goal));
    let html = env.pb(["goal", "report", &goal, "--html"]);
    // Templates escape slashes too, so that the folder of this run is not found as one.
    let root = env.root().to_str().unwrap().replace('/', "&#x2f;");
    assert_snapshot!("report_partial_html", html.stdout.replace(&root, "[root]"));
}

#[test]
fn what_is_gone_is_told_with_what_it_was() {
    let env = TestEnv::new();
    env.start_daemons();
    fs::create_dir(env.file("out")).unwrap();
    fs::write(env.file("out/旧.txt"), "old\n").unwrap();
    env.write("goal.toml", &items("Tidy", &item("tidy", "rm *.txt", "effect = \"idempotent\"")));
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(3));
    assert_snapshot!("report_removed_md", report(&env, &env.only_goal()));
}

#[test]
fn of_very_many_files_it_is_said_how_many_more() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", &items("Many", &item("many", "for i in $(seq 503); do echo $i > $i; done", "")));
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(3));
    let report = env.json(["goal", "report", &env.only_goal(), "--json"]);
    let delivered = &report["delivered"];
    assert_eq!((delivered["files"].as_array().unwrap().len(), &delivered["unlisted"]), (500, &json!(3)));
    assert_eq!(report["summary"], "1 item done, 500 files delivered or removed, and 3 more");
}

#[test]
fn a_goal_that_is_cancelled_says_by_whom() {
    let scripted = Scripted::saying([planner([Reply::broken(Fault::hang_after(0))])]);
    let env = &scripted.env;
    let goal = env.detach(&["写"]);
    wait_until("it is planned", || (!scripted.model.requests().is_empty()).then_some(()));
    assert_eq!(env.pb(["goal", "cancel", &goal, "--reason", "不要了"]).exit, Some(0));
    env.watch(&goal);
    // What is assumed of a call that nobody saw end goes by the length of the prompts.
    let assumed = Regex::new(r"\d{5} tokens").unwrap();
    assert_snapshot!("report_cancelled_md", assumed.replace_all(&report(env, &goal), "[assumed] tokens"));
}

#[test]
fn a_report_says_what_is_wrong_with_the_question() {
    let env = TestEnv::new();
    env.start_daemons();
    assert_snapshot!("report_unknown", env.pb(["goal", "report", "nowhere"]));
    assert_snapshot!("report_two_forms", env.pb(["goal", "report", "nowhere", "--md", "--json"]));
}
