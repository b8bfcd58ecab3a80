//! How goals end when they do not end well: the whole output, and the exit code.

use std::fs;
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::env::TestEnv;

/// A goal file with one item; `more` are further lines of it.
fn one_item(title: &str, command: &str, more: &str) -> String {
    let command = serde_json::to_string(command).unwrap();
    format!(
        r#"
title = "{title}"
workspace = "out"

[[items]]
id = "only"
kind = "command"
argv = ["sh", "-c", {command}]
{more}
"#
    )
}

/// Daemons first, so that the output is about the goal alone.
fn started() -> TestEnv {
    let env = TestEnv::new();
    env.start_daemons();
    env
}

#[test]
fn a_gate_that_fails_fails_the_goal_with_its_evidence() {
    let env = started();
    let gates = "max_retries = 0\neffect = \"idempotent\"\ngates = [\n\
        { kind = \"file_exists\", path = \"made\" },\n\
        { kind = \"command\", name = \"it adds up\", argv = [\"sh\", \"-c\", \"echo 1 + 1 is not 3; exit 4\"] },\n\
        { kind = \"file_contains\", path = \"made\", text = \"gold\", required = false },\n]";
    env.write("goal.toml", &one_item("Adds up", "echo lead > made", gates));
    let ran = env.pb(["run", "goal.toml"]);
    assert_snapshot!("failed_gate_run", ran);
    let goal = env.only_goal();
    assert_snapshot!("failed_gate_show", env.pb(["goal", "show", &goal]));
    assert_eq!(env.watch(&goal), Some(1));
    let gate = &env.show(&goal)["items"][0]["runs"][0]["gates"][1];
    assert_eq!((&gate["exit_code"], &gate["output_tail"]), (&4.into(), &"1 + 1 is not 3\n".into()));
}

#[test]
fn a_command_that_fails_is_retried_and_then_shown_with_what_it_printed() {
    let env = started();
    let command = "echo again >> tries; seq 1 30; echo 不行 >&2; exit 7";
    let more = "max_retries = 1\neffect = \"idempotent\"\ngates = [{ kind = \"file_exists\", path = \"x\" }]";
    env.write("goal.toml", &one_item("Fails", command, more));
    assert_snapshot!("failed_command", env.pb(["run", "goal.toml"]));
    assert_eq!(fs::read_to_string(env.file("out/tries")).unwrap(), "again\nagain\n");
}

#[test]
fn without_gates_it_ends_unverified() {
    let env = started();
    env.write("goal.toml", &one_item("Trust me", "echo x > made", ""));
    assert_snapshot!("unverified", env.pb(["run", "goal.toml"]));
}

#[test]
fn an_optional_gate_that_fails_leaves_it_partly_proven() {
    let env = started();
    let gates = "gates = [{ kind = \"file_exists\", path = \"made\" }, \
        { kind = \"file_exists\", path = \"nice\", required = false }]";
    env.write("goal.toml", &one_item("Nearly", "echo x > made", gates));
    let ran = env.pb(["run", "goal.toml"]);
    assert_snapshot!("partial", ran);
}

#[test]
fn what_needs_a_model_is_not_even_handed_over_without_one() {
    let env = started();
    env.write(
        "goal.toml",
        "title = \"Write\"\n[[items]]\nid = \"a\"\nkind = \"agent\"\nprompt = \"Write.\"\n",
    );
    assert_snapshot!("agent", env.pb(["run", "goal.toml"]));
    env.write("goal.toml", "title = \"Write a poem\"\n");
    assert_snapshot!("no_plan", env.pb(["run", "goal.toml"]));
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 0);
}

#[test]
fn a_command_that_cannot_start_says_why() {
    let env = started();
    let file = one_item("Cannot", "true", "").replace("\"sh\", \"-c\"", "\"no-such-program\"");
    env.write("goal.toml", &file);
    assert_snapshot!("not_started", env.pb(["run", "goal.toml"]));
}

#[test]
fn a_command_over_its_time_limit_is_ended_with_everything_that_it_started() {
    /// The limit of one second, and three times what ending may take.
    const LIMIT: Duration = Duration::from_secs(7);
    let env = started();
    let stubborn = fs::read_to_string(env.stubborn_goal()).unwrap();
    env.write("goal.toml", &format!("{stubborn}time_limit = \"1s\"\nmax_retries = 0\n"));
    let began = Instant::now();
    let ran = env.pb(["run", "goal.toml"]);
    assert!(began.elapsed() < LIMIT, "it took {:?}", began.elapsed());
    assert_snapshot!("time_limit", ran);
    let alive: Vec<u32> =
        env.stubborn_pids().into_iter().filter(|pid| crate::machine::is_alive(*pid)).collect();
    assert!(alive.is_empty(), "{alive:?} survived");
}

#[test]
fn a_workspace_that_is_not_allowed_is_refused() {
    let env = started();
    env.write("goal.toml", &one_item("No", "true", ""));
    fs::create_dir(env.user().join(".ssh")).unwrap();
    let refused = |name: &str, workspace: &str| {
        let ran = env.pb(["run", "goal.toml", "--workspace", workspace]);
        assert_eq!(ran.exit, Some(77), "{ran}");
        assert_snapshot!(name, ran);
    };
    refused("workspace_root", "/");
    refused("workspace_user", "../user");
    refused("workspace_holds_home", "..");
    refused("workspace_home", "../home");
    refused("workspace_logs", "../home/logs");
    refused("workspace_credentials", "../user/.ssh/deeper");
    refused("workspace_file", "goal.toml");
    // They are kept, as what was asked and refused; nothing of them ran.
    let list = env.json(["goal", "list", "--json"]);
    assert_eq!(list["total"], 7, "{list}");
    for goal in list["goals"].as_array().unwrap() {
        let goal = env.show(goal["id"].as_str().unwrap());
        assert_eq!((&goal["status"], &goal["reason"]), (&"failed".into(), &"refused".into()));
        assert_eq!((&goal["items"], &goal["workspace"]), (&serde_json::json!([]), &serde_json::Value::Null));
    }
}
