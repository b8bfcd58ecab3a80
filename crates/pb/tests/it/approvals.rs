//! Calls that wait for a yes: one answer wins, it survives everything, and it is for what was shown.

use std::fs;

use insta::assert_snapshot;
use pb_testkit::model_server::Reply;
use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::machine::item;
use crate::model::{Scripted, finish, worker, write};

/// An agent that writes a script, runs it, and says that it is done.
fn deploys() -> [Reply; 3] {
    let script = "echo x >> witness\ntouch done\n";
    let run = Reply::call("run_command", json!({"argv": ["env", "A=1", "sh", "deploy.sh"]})).usage(700, 30);
    [write("deploy.sh", script), run, finish("deployed")]
}

/// A goal file whose only item runs nothing without a yes.
fn file(folder: &str, more: &str) -> String {
    format!(
        r#"
title = "发布 {folder}"
workspace = "{folder}"
{more}

[[items]]
id = "deploy"
kind = "agent"
prompt = "Deploy it."
approve = ["run_command"]
max_retries = 0
gates = [{{ kind = "file_exists", path = "done" }}]
"#
    )
}

fn waiting(env: &TestEnv, folder: &str, more: &str) -> (String, Value) {
    env.write("goal.toml", &file(folder, more));
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(2));
    let asked = env.show(&goal)["escalations"][0].clone();
    (goal, asked)
}

fn id(asked: &Value) -> &str {
    asked["id"].as_str().unwrap()
}

fn runs(env: &TestEnv, folder: &str) -> usize {
    fs::read_to_string(env.file(&format!("{folder}/witness"))).unwrap_or_default().lines().count()
}

#[test]
fn a_call_waits_for_a_yes_and_shows_what_it_would_run() {
    let scripted = Scripted::saying([worker(deploys())]);
    let env = &scripted.env;
    let (goal, asked) = waiting(env, "one", "");
    assert_snapshot!("approval_inbox", env.pb(["inbox"]));
    assert_eq!(runs(env, "one"), 0);
    let bound = &asked["approval"];
    assert_eq!((&bound["status"], &bound["argv"][3]), (&json!("pending"), &json!("deploy.sh")));
    let files: Vec<&String> = bound["files"].as_object().unwrap().keys().collect();
    assert!(files.iter().any(|path| path.ends_with("/one/deploy.sh")), "{files:?}");
    assert!(files.iter().any(|path| path.ends_with("/sh")), "{files:?}");

    assert_eq!(env.pb(["inbox", "answer", id(&asked), "approve"]).exit, Some(0));
    wait_until("it is done", || (env.show(&goal)["status"] == "completed").then_some(()));
    assert_eq!((runs(env, "one"), &env.show(&goal)["verdict"]), (1, &json!("verified")));
    assert_eq!(env.show(&goal)["escalations"][0]["approval"]["status"], "used");
    assert_eq!(scripted.turns(), [0, 1, 2], "the conversation went on where it was");
    let names: Vec<String> =
        env.events(&goal).iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect();
    for name in ["approval.requested", "approval.granted", "approval.used"] {
        assert!(names.iter().any(|told| told == name), "{names:?}");
    }
}

#[test]
fn security_16_two_clients_at_once_and_17_after_kill_9() {
    let scripted = Scripted::saying([worker(deploys())]);
    let env = &scripted.env;
    let goals = ["a", "b", "c"].map(|folder| (folder, waiting(env, folder, "")));
    for daemon in ["gateway", "scheduler"] {
        env.kill9(daemon);
    }
    env.start_daemons();
    for (folder, (goal, asked)) in &goals {
        assert_eq!(env.show(goal)["escalations"][0]["id"], asked["id"], "the same id");
        let answers = ["approve", "deny"].map(|answer| env.spawn(["inbox", "answer", id(asked), answer]));
        let ended = answers.map(crate::env::Running::wait);
        let won: Vec<bool> = ended.iter().map(|ran| ran.exit == Some(0)).collect();
        assert!(won[0] != won[1], "one wins: {} {}", ended[0], ended[1]);
        let lost = if won[0] { &ended[1] } else { &ended[0] };
        assert!(lost.stderr.contains("answered already: "), "{lost}");
        wait_until("the goal ends", || {
            let status = &env.show(goal)["status"];
            (status == "completed" || status == "failed").then_some(())
        });
        // At most one effect, and only after a yes.
        assert_eq!(runs(env, folder), usize::from(won[0]));
        let told = env.show(goal);
        let answer = if won[0] { "approve" } else { "deny" };
        assert_eq!(told["escalations"][0]["resolution_action"], answer);
    }
}

#[test]
fn a_script_that_is_swapped_after_the_yes_is_asked_about_again() {
    let scripted = Scripted::saying([worker(deploys())]);
    let env = &scripted.env;
    let (goal, asked) = waiting(env, "swap", "");
    // The yes is given while no scheduler runs, and the script changes before one does.
    env.kill9("scheduler");
    assert_eq!(env.pb(["inbox", "answer", id(&asked), "approve"]).exit, Some(0));
    env.write("swap/deploy.sh", "echo evil >> witness\n");
    env.start_daemon("scheduler");
    wait_until("it is asked again", || {
        (env.show(&goal)["escalations"].as_array().unwrap().len() == 2).then_some(())
    });
    wait_until("it waits", || (env.show(&goal)["status"] == "blocked").then_some(()));
    assert_eq!(runs(env, "swap"), 0, "security.md 13");
    let told = env.show(&goal);
    assert_eq!(told["escalations"][0]["approval"]["status"], "void");
    let second = &told["escalations"][1];
    assert_ne!(second["approval"]["binding"], asked["approval"]["binding"]);
    let no = ["inbox", "answer", id(second), "deny", "--text", "这不是我看过的"];
    assert_eq!(env.pb(no).exit, Some(0));
    wait_until("it ends", || (env.show(&goal)["status"] == "failed").then_some(()));
    assert_eq!(runs(env, "swap"), 0);
    assert!(scripted.request(2).contains("said no: 这不是我看过的"), "{}", scripted.request(2));
}

#[test]
fn security_17_what_nobody_answers_is_denied() {
    let scripted = Scripted::saying([worker(deploys())]);
    let env = &scripted.env;
    env.write("goal.toml", &file("late", "answer_within = \"1s\""));
    let goal = env.detach(&["goal.toml"]);
    wait_until("its time passes", || (env.show(&goal)["status"] == "failed").then_some(()));
    assert_eq!(runs(env, "late"), 0);
    let told = env.show(&goal);
    assert_eq!(told["escalations"][0]["approval"]["status"], "expired");
    assert_eq!(item(&told, "deploy")["status"], "failed");
    assert!(scripted.request(2).contains("nobody said yes in time"));
}

#[test]
fn approvals_are_there_by_the_names_of_the_first_clients() {
    let scripted = Scripted::saying([worker(deploys())]);
    let env = &scripted.env;
    let (goal, asked) = waiting(env, "rpc", "");
    let mut client = env.connect();
    assert_eq!(client.call("approval.pending", &json!({}))["count"], 1);
    let list = client.call("approval.list", &json!({"goalId": goal, "status": "pending"}));
    let approval = &list["approvals"][0];
    assert_eq!(
        (&list["total"], &approval["id"], &approval["requestType"], &approval["status"]),
        (&json!(1), &asked["id"], &json!("tool_execution"), &json!("pending"))
    );
    let approve = json!({"approvalId": asked["id"]});
    assert_eq!(client.call("approval.approve", &approve)["success"], true);
    wait_until("it is done", || (env.show(&goal)["status"] == "completed").then_some(()));
    let approval = client.call("approval.get", &approve);
    assert_eq!((&approval["status"], &approval["resolvedBy"].is_string()), (&json!("approved"), &true));
    assert_eq!(client.call("approval.pending", &json!({}))["count"], 0);
}
