//! `pb goal plan`: what was planned, as a goal file that can be edited and run again.

use insta::assert_snapshot;

use crate::env::TestEnv;

const ASKED: &str = r#"
title = "给 {{name}} 写信"
workspace = "信"

[inputs]
name = "小马"

[[items]]
id = "write"
title = "写信"
kind = "command"
argv = ["sh", "-ec", '''
printf '你好，%s\n' "$PB_INPUT_NAME" > "信.txt"
printf '%s\n' "$TEXT" >> "信.txt"
''']
env = { TEXT = "It's \"late\"" }
time_limit = 60
effect = "idempotent"

[[items.gates]]
kind = "file_contains"
path = "信.txt"
text = "你好，{{name}}"

[[items]]
id = "count"
needs = ["write"]
kind = "command"
argv = ["wc", "-l", "信.txt"]
effect = "pure"
gates = [{ kind = "file_unchanged", path = "README.md" }]
"#;

#[test]
fn a_plan_is_printed_edited_and_run_again() {
    let env = TestEnv::new();
    env.write("goal.toml", ASKED);
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let goal = env.only_goal();
    let planned = env.pb(["goal", "plan", &goal]);
    assert_snapshot!("printed", planned);
    env.write("plan.toml", &planned.raw_stdout);
    // It is the same goal, wherever the file lies.
    let checked = |file: &str| env.json(["goal", "check", file, "--json"])["goal"].clone();
    assert_eq!(checked("plan.toml"), checked("goal.toml"));
    let told = env.json(["goal", "plan", &goal, "--json"]);
    assert_eq!(told["goalFile"], planned.raw_stdout);
    assert_eq!(told["spec"]["items"], checked("goal.toml")["items"]);

    env.write("plan.toml", &planned.raw_stdout.replace("小马", "小兔"));
    let again = env.pb(["run", "plan.toml"]);
    assert_eq!(again.exit, Some(0), "{again}");
    assert_eq!(std::fs::read_to_string(env.file("信/信.txt")).unwrap(), "你好，小兔\nIt's \"late\"\n");
}

#[test]
fn a_goal_that_nobody_planned_has_no_plan() {
    let env = TestEnv::new();
    env.start_daemon("gateway");
    let asked =
        serde_json::json!({"title": "Write a poem", "description": "about ponies", "success_criteria": []});
    let goal = env.connect().call("goal.submit", &asked);
    let id = goal["id"].as_str().unwrap();
    assert_snapshot!("none", env.pb(["goal", "plan", id]));
}
