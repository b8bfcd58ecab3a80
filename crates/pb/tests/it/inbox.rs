//! What waits for a person, of all goals in one place.

use insta::assert_snapshot;
use serde_json::json;

use crate::env::{TestEnv, wait_until};

/// A goal that asks at once: unsafe work that ran into its time limit.
fn asks(env: &TestEnv, title: &str, folder: &str) -> String {
    let file = format!(
        r#"
title = "{title}"
workspace = "{folder}"

[[items]]
id = "pay"
kind = "command"
argv = ["sleep", "60"]
effect = "unsafe"
time_limit = "1s"
"#
    );
    env.write("goal.toml", &file);
    env.detach(&["goal.toml"])
}

#[test]
fn questions_of_all_goals_are_in_one_place_and_answered_there() {
    let env = TestEnv::new();
    env.start_daemons();
    assert_snapshot!("inbox_empty", env.pb(["inbox"]));
    let first = asks(&env, "付账单", "one");
    let second = asks(&env, "Pay another bill", "two");
    let waits = |count: u64| env.json(["inbox", "--json"])["total"] == count;
    wait_until("both ask", || waits(2).then_some(()));
    let told = env.json(["inbox", "--json"]);
    assert_eq!(told["escalations"][0]["status"], "open");
    let shown = env.pb(["inbox", "--limit", "1"]);
    assert_snapshot!("inbox_one_of_two", shown);

    let of = |goal: &str| {
        let asked = told["escalations"].as_array().unwrap().iter();
        asked
            .filter(|asked| asked["goal_id"] == goal)
            .map(|asked| asked["id"].as_str().unwrap().to_owned())
            .next()
    };
    let (first_asked, second_asked) = (of(&first).unwrap(), of(&second).unwrap());
    assert_snapshot!("inbox_ambiguous", env.pb(["inbox", "answer", "esc_", "skip"]));
    assert_snapshot!("inbox_answered", env.pb(["inbox", "answer", &first_asked, "skip"]));
    wait_until("one goal has gone on", || (env.show(&first)["status"] == "completed").then_some(()));
    assert!(waits(1));
    // The first answer wins, and says so.
    assert_snapshot!("inbox_answered_twice", env.pb(["inbox", "answer", &first_asked, "retry"]));
    assert_snapshot!("inbox_no_such_option", env.pb(["inbox", "answer", &second_asked, "raise"]));

    // Of a goal that has ended nothing is asked any more.
    assert_eq!(env.pb(["goal", "cancel", &second]).exit, Some(0));
    wait_until("nothing is asked", || waits(0).then_some(()));
    assert_eq!(env.show(&second)["escalations"][0]["status"], json!("open"), "it was never answered");
}
