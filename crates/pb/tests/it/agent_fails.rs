//! Models that do not do what they should: what they are told, and how it ends.

use insta::assert_snapshot;
use pb_testkit::model_server::{Finish, Reply};
use serde_json::{Value, json};

use crate::machine::item;
use crate::model::{Scripted, agent_file, finish, plan, planner, shell, worker, write};

/// The error of each run of the item `work`.
fn errors(goal: &Value) -> Vec<&str> {
    let runs = item(goal, "work")["runs"].as_array().unwrap().iter();
    runs.map(|run| run["error_message"].as_str().unwrap_or("none")).collect()
}

#[test]
fn a_model_that_lies_is_shown_the_evidence_and_fails() {
    let scripted = Scripted::saying([worker([finish("I made the file done. Everything works.")])]);
    let env = &scripted.env;
    let gate = "gates = [{ kind = \"command\", name = \"it is there\", argv = [\"sh\", \"-c\", \
        \"echo 没有 done; test -e done\"] }]";
    let file = agent_file("Claims", "max_retries = 1");
    env.write("goal.toml", &file.replace("gates = [{ kind = \"file_exists\", path = \"done\" }]", gate));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(1), "{ran}");
    assert_snapshot!("agent_lies", ran);
    let goal = env.only_goal();
    let told = env.show(&goal);
    assert_eq!((&told["status"], &told["verdict"]), (&json!("failed"), &json!("failed")), "{told}");
    let verified = env.events(&goal).iter().filter(|event| event["data"]["verdict"] == "verified").count();
    assert_eq!(verified, 0, "nothing was ever called verified");

    assert_eq!(scripted.turns(), [0, 0], "each attempt is a conversation of its own");
    assert!(!scripted.request(0).contains("went wrong"));
    let requests = scripted.model.requests();
    assert_snapshot!("agent_lies_told", requests[1].body["messages"][1]["content"].as_str().unwrap());
}

#[test]
fn a_model_that_only_talks_is_told_so_and_then_a_person_is_asked() {
    let talk = Reply::text("Done! The file is there and all tests pass.").usage(500, 20);
    let scripted = Scripted::saying([worker([talk.clone(), talk.clone(), talk])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Talks", "max_retries = 0"));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("agent_talks", ran);
    assert_eq!(scripted.turns(), [0, 1, 2]);
    for place in [1, 2] {
        let request = scripted.request(place);
        assert!(request.contains("Your last answer called no tool, so nothing happened."), "{request}");
    }
    let told = env.show(&env.only_goal());
    assert_eq!(errors(&told), ["its answers call no tool"], "{told}");
}

#[test]
fn a_nudge_is_enough_for_a_model_that_only_forgot() {
    let talk = Reply::text("我来写文件。").usage(500, 20);
    let scripted = Scripted::saying([worker([talk, write("done", ""), finish("Done.")])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Forgets", "max_retries = 0"));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert_eq!(scripted.turns(), [0, 1, 2]);
}

#[test]
fn an_answer_that_is_cut_at_its_length_limit_without_a_call_is_a_failure() {
    let long = Reply::text("First I will think about").usage(500, 8000).finish(Finish::Length);
    let scripted = Scripted::saying([worker([long])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Rambles", "max_retries = 0"));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(1), "{ran}");
    assert_snapshot!("agent_cut_short", ran.stdout);
    assert_eq!(scripted.turns(), [0]);
}

#[test]
fn a_model_that_goes_round_in_circles_ends_at_its_turn_limit() {
    let round = shell("echo x >> rounds");
    let scripted = Scripted::saying([worker([round]).repeat_last()]);
    let env = &scripted.env;
    // Another attempt would use up as many again, so there is none.
    env.write("goal.toml", &agent_file("Circles", "max_turns = 4\nmax_retries = 3"));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(1), "{ran}");
    assert_snapshot!("agent_circles", ran);
    assert_eq!(scripted.turns(), [0, 1, 2, 3]);
    env.wait_lines("out/rounds", 4);
    assert_eq!(env.show(&env.only_goal())["spent_turns"], 4);
}

#[test]
fn a_call_that_makes_no_sense_is_answered_with_what_is_wrong() {
    let wrong = Reply::call("write_files", json!({"path": "done"}))
        .and_call("write_file", json!({"path": "done"}))
        .and_call("write_file", json!({"path": "../done", "content": ""}))
        .usage(500, 20);
    let scripted = Scripted::saying([worker([wrong, write("done", ""), finish("Done.")])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Stumbles", "max_retries = 0"));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let requests = scripted.model.requests();
    let results: Vec<&str> = requests[1].body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["role"] == "tool")
        .map(|message| message["content"].as_str().unwrap())
        .collect();
    assert_snapshot!("agent_stumbles", results.join("\n\n"));
    assert!(!env.file("done").exists(), "nothing is written outside the workspace");
}

/// Three things are wrong with it.
fn bad_plan() -> Value {
    json!([
        {"id": "a", "kind": "agent", "prompt": "写", "tools": ["write_files"], "gates": []},
        {"id": "b", "kind": "command", "argv": ["true"], "needs": ["c"], "gates": [{"kind": "file_exists"}]},
    ])
}

fn good_plan() -> Value {
    let gates = json!([{"kind": "file_exists", "path": "done"}]);
    json!([{"id": "a", "kind": "command", "argv": ["touch", "done"], "effect": "idempotent", "gates": gates}])
}

#[test]
fn a_plan_that_does_not_hold_goes_back_with_everything_that_is_wrong() {
    let scripted = Scripted::saying([planner([plan(&bad_plan()), plan(&good_plan())])]);
    let env = &scripted.env;
    let ran = env.pb(["run", "Touch the file done", "--workspace", "out"]);
    assert_snapshot!("plan_corrected", ran);
    assert!(env.file("out/done").exists());
    assert_eq!(scripted.turns(), [0, 1]);
    let requests = scripted.model.requests();
    let messages = requests[1].body["messages"].as_array().unwrap();
    assert_snapshot!("plan_refused", messages.last().unwrap()["content"].as_str().unwrap());
}

#[test]
fn after_three_plans_that_do_not_hold_a_human_is_asked() {
    let scripted = Scripted::saying([planner([plan(&bad_plan())]).repeat_last()]);
    let env = &scripted.env;
    let ran = env.pb(["run", "Touch the file done"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("no_valid_plan", ran);
    assert_eq!(scripted.turns(), [0, 1, 2]);
    let packet = env.show(&env.only_goal())["escalations"][0]["context_data"].clone();
    let why = packet["root_cause"].as_str().unwrap_or_else(|| panic!("{packet}"));
    assert!(why.contains("there is no tool `write_files`; did you mean `write_file`?"), "{why}");
}

#[test]
fn a_planner_that_only_talks_needs_a_human() {
    let talk = Reply::text("Here is my plan: first, …").usage(500, 20);
    let scripted = Scripted::saying([planner([talk]).repeat_last()]);
    let ran = scripted.env.pb(["run", "Touch the file done"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("planner_talks", ran);
    assert_eq!(scripted.turns(), [0, 1, 2]);
}

#[test]
fn a_goal_file_that_names_a_tool_that_there_is_not_is_refused() {
    let scripted = Scripted::saying([worker([finish("Nobody asks me.")])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Wants more", "tools = [\"read_file\", \"run_comand\"]"));
    let ran = env.pb(["run", "goal.toml"]);
    assert_snapshot!("unknown_tool", ran);
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 0);
    assert_eq!(scripted.model.requests().len(), 0);
}

/// The scheduler may not be linked yet when the gateway is asked.
#[test]
fn what_is_refused_is_also_told_by_the_command_that_starts_everything() {
    let scripted = Scripted::cold([worker([finish("Nobody asks me.")])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Wants more", "tools = [\"run_comand\"]"));
    assert_snapshot!("unknown_tool_cold", env.pb(["run", "--detach", "goal.toml"]));
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 0);
}

/// Without a scheduler nobody knows yet that it will be refused: the goal waits, and people watch it.
#[test]
fn what_is_refused_only_when_a_scheduler_comes_is_told_to_who_watches() {
    let scripted = Scripted::saying([worker([finish("Nobody asks me.")])]);
    let env = &scripted.env;
    assert_eq!(env.pb(["scheduler", "stop"]).exit, Some(0));
    env.wait_linked(false);
    env.write("goal.toml", &agent_file("Wants more", "tools = [\"run_comand\"]"));
    let spec = env.json(["goal", "check", "goal.toml", "--json"])["goal"].clone();
    let goal = env.connect().call("goal.submit", &spec);
    assert_eq!(goal["waiting"], true, "{goal}");
    let watching = env.spawn(["goal", "watch", goal["id"].as_str().unwrap()]);
    watching.wait_for_note("no scheduler is running");
    env.start_daemon("scheduler");
    let watched = watching.wait();
    assert_snapshot!("refused_later", watched);
}
