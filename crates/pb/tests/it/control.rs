//! A person has goals stand still, go on, tried again; and answers what they ask. Also across kill -9.

use std::fs;

use insta::assert_snapshot;
use pb_testkit::model_server::Wire;
use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::machine::item;
use crate::model::{Scripted, agent_file, finish, shell, worker, write};

/// An unsafe item that runs until `out/go` is there, and one after it.
const PAY: &str = r#"
title = "Pay a bill"
workspace = "out"

[[items]]
id = "pay"
kind = "command"
argv = ["sh", "-ec", "mkdir -p witness; echo x >> witness/pay; until [ -e go ]; do sleep 0.01; done; echo paid > receipt"]
effect = "unsafe"
gates = [{ kind = "file_contains", path = "receipt", text = "paid" }]

[[items]]
id = "file"
needs = ["pay"]
kind = "command"
argv = ["sh", "-ec", "echo x >> witness/file"]
effect = "unsafe"
gates = [{ kind = "file_exists", path = "witness/file" }]
"#;

/// The goal of [`PAY`], blocked: the scheduler was killed while it paid.
fn blocked(env: &TestEnv) -> String {
    env.write("pay.toml", PAY);
    let goal = env.detach(&["pay.toml"]);
    env.wait_lines("out/witness/pay", 1);
    env.kill9("scheduler");
    env.start_daemon("scheduler");
    assert_eq!(env.watch(&goal), Some(2), "an unknown outcome of unsafe work is for a human");
    goal
}

fn escalation(goal: &Value) -> &Value {
    &goal["escalations"][0]
}

#[test]
fn a_blocked_goal_says_what_may_be_answered_and_goes_on_with_the_answer() {
    let env = TestEnv::new();
    let goal = blocked(&env);
    assert_snapshot!("control_resume_without_answer", env.pb(["goal", "resume", &goal]));
    assert_snapshot!("control_resume_wrong_answer", env.pb(["goal", "resume", &goal, "--answer", "raise"]));
    assert_eq!(env.witnesses("out", ["pay", "file"]), [1, 0], "nothing happens without an answer");

    fs::write(env.file("out/go"), "").unwrap();
    assert_snapshot!("control_resume", env.pb(["goal", "resume", &goal, "--answer", "retry"]));
    let watched = env.pb(["goal", "watch", &goal]);
    assert_snapshot!("control_resumed_watch", watched);
    assert_eq!(env.witnesses("out", ["pay", "file"]), [2, 1], "a human said that it may be done twice");
    let told = env.show(&goal);
    assert_eq!((&told["status"], &told["verdict"]), (&json!("completed"), &json!("verified")));
    let asked = escalation(&told);
    assert_eq!((&asked["status"], &asked["resolution_action"]), (&json!("resolved"), &json!("retry")));
    // The first answer won; the goal has ended.
    assert_snapshot!("control_resume_too_late", env.pb(["goal", "resume", &goal, "--answer", "skip"]));
}

#[test]
fn an_answer_is_kept_while_no_scheduler_runs_and_survives_its_end() {
    let env = TestEnv::new();
    let goal = blocked(&env);
    env.kill9("scheduler");
    assert_snapshot!("control_answer_waits", env.pb(["goal", "resume", &goal, "--answer", "skip"]));
    env.start_daemon("scheduler");
    // Until the scheduler has read its inbox the goal is blocked still, and a watch ends at once.
    wait_until("the answer is taken", || {
        (escalation(&env.show(&goal))["status"] == "resolved").then_some(())
    });
    assert_eq!(env.watch(&goal), Some(3), "what was left out is not proven");
    assert_eq!(env.witnesses("out", ["pay", "file"]), [1, 1]);
    let told = env.show(&goal);
    assert_eq!(item(&told, "pay")["status"], "skipped");
    assert_eq!((&told["status"], &told["verdict"]), (&json!("completed"), &json!("partial")));
}

#[test]
fn a_paused_goal_stands_still_also_across_a_kill_and_goes_on() {
    let env = TestEnv::new();
    env.write("pay.toml", &PAY.replace("\"unsafe\"", "\"idempotent\""));
    let goal = env.detach(&["pay.toml"]);
    env.wait_lines("out/witness/pay", 1);
    assert_snapshot!("control_pause", env.pb(["goal", "pause", &goal]));
    fs::write(env.file("out/go"), "").unwrap();
    wait_until("what runs has ended", || (item(&env.show(&goal), "pay")["status"] == "done").then_some(()));
    env.kill9("scheduler");
    env.start_daemon("scheduler");
    env.wait_linked(true);
    let told = env.show(&goal);
    assert_eq!((&told["status"], &told["reason"]), (&json!("active"), &json!("paused")));
    assert_eq!(item(&told, "file")["status"], "ready", "it may start, and does not");
    for look in [vec!["goal", "show", &goal], vec!["goal", "list"]] {
        assert!(env.pb(look).stdout.contains("active, paused"));
    }
    assert_eq!(env.pb(["goal", "resume", &goal]).exit, Some(0));
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!(env.witnesses("out", ["pay", "file"]), [1, 1]);
}

#[test]
fn a_goal_that_failed_is_tried_again_from_what_failed() {
    let env = TestEnv::new();
    let flaky = r#"
title = "Flaky"
workspace = "out"
[[items]]
id = "one"
kind = "command"
argv = ["sh", "-ec", "mkdir -p witness; echo x >> witness/one"]
gates = [{ kind = "file_exists", path = "witness/one" }]
[[items]]
id = "two"
needs = ["one"]
kind = "command"
argv = ["sh", "-ec", "echo x >> witness/two; test -e mended"]
effect = "idempotent"
max_retries = 0
gates = [{ kind = "file_exists", path = "mended" }]
"#;
    env.write("flaky.toml", flaky);
    env.start_daemons();
    assert_eq!(env.pb(["run", "flaky.toml"]).exit, Some(1));
    let goal = env.only_goal();
    fs::write(env.file("out/mended"), "").unwrap();
    assert_snapshot!("control_retry", env.pb(["goal", "retry", &goal]));
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!(env.witnesses("out", ["one", "two"]), [1, 2]);
    assert_snapshot!("control_retry_completed", env.pb(["goal", "retry", &goal]));
    assert_snapshot!("control_pause_completed", env.pb(["goal", "pause", &goal]));
    assert_snapshot!("control_prioritize_completed", env.pb(["goal", "prioritize", &goal, "90"]));
}

#[test]
fn a_budget_that_is_used_up_is_raised_and_the_work_goes_on() {
    let replies = [shell("echo x >> rounds").usage(9_000, 100), write("done", "1"), finish("Done.")];
    let scripted = Scripted::on(Wire::OpenAi, "", [worker(replies)]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Raised", ""));
    let ran = env.pb(["run", "goal.toml", "--budget-tokens", "10000"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("control_budget_asks", ran);
    let goal = env.only_goal();
    let refused = env.pb(["goal", "resume", &goal, "--answer", "raise", "--to", "9000"]);
    assert_snapshot!("control_budget_not_raised", refused);
    let infinite = env.pb(["goal", "resume", &goal, "--answer", "raise", "--to", "inf"]);
    assert_eq!(infinite.exit, Some(64), "{infinite}");
    assert_eq!(env.pb(["goal", "resume", &goal, "--answer", "raise", "--to", "90000"]).exit, Some(0));
    env.watch(&goal);
    let told = env.show(&goal);
    assert_eq!(told["budget_tokens"], 90_000);
    assert_eq!(escalation(&told)["status"], "resolved");
    assert!(scripted.model.requests().len() > 1, "the model was asked again");
}
