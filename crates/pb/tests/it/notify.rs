//! A person is told: by a program that writes down what it got, in real processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;

use crate::env::{TestEnv, wait_until};
use crate::model::{Scripted, finish, worker};

/// A script that appends a line of what it got to a file.
fn script(env: &TestEnv, name: &str, body: &str) -> String {
    let path = env.root().join(name);
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Tells into the file `told`.
fn teller(env: &TestEnv) -> String {
    let told = env.root().join("told");
    let line = "$PB_EVENT|$PB_TITLE|$PB_STATUS|$PB_VERDICT|$PB_SUMMARY|$PB_NEXT|$*";
    script(env, "teller", &format!("echo \"{line}\" >> {}", told.display()))
}

fn configured(command: &str, more: &str) -> TestEnv {
    let mut env = TestEnv::new();
    env.variables.push(("MY_API_KEY", "secret".to_owned()));
    let command = if command.is_empty() { teller(&env) } else { command.to_owned() };
    env.configure(&format!("[notify]\ncommand = [\"{command}\", \"{{title}}\"]\n{more}\n"));
    env.start_daemons();
    env
}

fn told(env: &TestEnv) -> Vec<String> {
    let text = fs::read_to_string(env.root().join("told")).unwrap_or_default();
    let ids = regex::Regex::new("(goal|esc)_[0-9a-f]{32}").unwrap();
    ids.replace_all(&text, "[$1]").lines().map(str::to_owned).collect()
}

fn wait_told(env: &TestEnv, count: usize) -> Vec<String> {
    wait_until("a person is told", || Some(told(env)).filter(|told| told.len() >= count))
}

fn command_goal(title: &str, command: &str, more: &str) -> String {
    format!(
        "title = \"{title}\"\nworkspace = \"out\"\n[[items]]\nid = \"only\"\nkind = \"command\"\nmax_retries = 0\n\
         argv = [\"sh\", \"-c\", \"{command}\"]\n{more}\n"
    )
}

fn run(env: &TestEnv, file: &str) {
    env.write("goal.toml", file);
    env.pb(["run", "goal.toml"]).exit.unwrap();
}

/// A goal that asks at once: unsafe work that ran into its time limit.
fn asks(env: &TestEnv, title: &str) -> String {
    let more = "effect = \"unsafe\"\ntime_limit = \"1s\"";
    env.write("goal.toml", &command_goal(title, "sleep 60", more));
    let goal = env.detach(&["goal.toml"]);
    wait_until("it asks", || (env.show(&goal)["status"] == "blocked").then_some(()));
    goal
}

#[test]
fn every_ending_and_every_question_is_told_once_and_a_pause_is_not() {
    let env = configured("", "");
    run(
        &env,
        &command_goal("写 <b>", "echo x > made", "gates = [{ kind = \"file_exists\", path = \"made\" }]"),
    );
    wait_told(&env, 1);
    run(&env, &command_goal("Fails", "exit 3", ""));
    wait_told(&env, 2);
    let goal = asks(&env, "Asks");
    wait_told(&env, 3);
    assert_eq!(env.pb(["goal", "cancel", &goal, "--reason", "no more"]).exit, Some(0));
    wait_told(&env, 4);
    env.write("goal.toml", &command_goal("Waits", "while ! test -e go; do sleep 0.05; done", ""));
    let goal = env.detach(&["goal.toml"]);
    wait_until("it runs", || (env.show(&goal)["status"] == "active").then_some(()));
    assert_eq!(env.pb(["goal", "pause", &goal]).exit, Some(0));
    fs::write(env.file("out/go"), "").unwrap();
    assert_eq!(env.pb(["goal", "resume", &goal]).exit, Some(0));
    assert_snapshot!("notify_told", wait_told(&env, 5).join("\n"));
}

#[test]
fn only_what_a_person_wants_to_know_is_told() {
    let env = configured("", "on = [\"end\"]");
    asks(&env, "Asks");
    assert_snapshot!("notify_blocked", wait_told(&env, 1).join("\n"));
}

#[test]
fn a_program_gets_no_secrets() {
    let mut env = TestEnv::new();
    env.variables.push(("MY_API_KEY", "secret".to_owned()));
    env.variables.push(("DISPLAY", ":7".to_owned()));
    let out = env.root().join("told");
    let script = script(
        &env,
        "teller",
        &format!("env | cut -d= -f1 | sort | grep -v '^PWD\\|^_$\\|^SHLVL' > {}", out.display()),
    );
    env.configure(&format!("[notify]\ncommand = [\"{script}\"]\n"));
    let ran = env.pb(["notify", "test"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert_snapshot!("notify_variables", told(&env).join(" "));
}

#[test]
fn a_program_that_hangs_holds_up_no_goal_and_ends_with_its_children() {
    let env = TestEnv::new();
    let pids = env.root().join("pids");
    let hangs = script(&env, "hangs", &format!("sleep 600 & echo $! >> {}; wait", pids.display()));
    env.configure(&format!("[notify]\ncommand = [\"{hangs}\"]\n"));
    env.start_daemons();
    run(&env, &command_goal("One", "true", ""));
    wait_until("the program hangs", || fs::read_to_string(&pids).ok().filter(|text| !text.is_empty()));
    // While it does, goals go on; their telling waits.
    run(&env, &command_goal("Two", "true", ""));
    let goals = env.json(["goal", "list", "--json"]);
    assert_eq!(goals["goals"][1]["status"], "completed");
    let problem = wait_until("its time is up", || {
        env.json(["status", "--json"])["notifies"]["problem"].as_str().map(str::to_owned)
    });
    assert!(problem.ends_with("hangs: took longer than 10 s and was ended"), "{problem}");
    let first = fs::read_to_string(&pids).unwrap().lines().next().unwrap().parse().unwrap();
    assert!(!crate::machine::is_alive(first), "its child lives on");
}

#[test]
fn a_program_that_is_missing_or_fails_is_told_by_pb_status() {
    let env = configured("/nowhere/tell", "");
    let notify = |ran: crate::env::Ran| {
        ran.stdout.lines().find(|line| line.starts_with("notify")).map(str::to_owned).unwrap_or_default()
    };
    assert_snapshot!(notify(env.pb(["status"])));
    assert_snapshot!("notify_test_missing", env.pb(["notify", "test"]));
    assert_eq!(env.pb(["stop"]).exit, Some(0));

    let fails = script(&env, "fails", "echo 不行; exit 4");
    env.configure(&format!("[notify]\ncommand = [\"{fails}\"]\n"));
    env.start_daemons();
    run(&env, &command_goal("One", "true", ""));
    let told = wait_until("its failure is told", || {
        Some(notify(env.pb(["status"]))).filter(|told| told.contains("exited"))
    });
    assert_snapshot!(told);
}

#[test]
fn nobody_is_told_where_nothing_is_set_up() {
    let env = TestEnv::new();
    assert_snapshot!("notify_test_nobody", env.pb(["notify", "test"]));
}

#[test]
fn what_was_committed_before_a_crash_is_told_after_it() {
    let env = configured("", "");
    // The program hangs until it may go on, and the scheduler dies meanwhile.
    let told = env.root().join("told");
    let waits = script(
        &env,
        "teller",
        &format!(
            "test -e {0}.go || {{ touch {0}.began; sleep 600; }}\necho \"$PB_EVENT|$PB_TITLE\" >> {0}",
            told.display()
        ),
    );
    assert!(waits.ends_with("teller"));
    run(&env, &command_goal("Survives", "true", ""));
    wait_until("it is being told", || env.root().join("told.began").exists().then_some(()));
    env.kill9("scheduler");
    fs::write(env.root().join("told.go"), "").unwrap();
    let position = || {
        let text = fs::read_to_string(env.home().join("run/notified.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["pos"].as_u64().unwrap()
    };
    let before = position();
    env.start_daemons();
    assert_eq!(wait_told(&env, 1), ["completed|Survives"]);
    wait_until("that is written down", || (position() > before).then_some(()));
    // And not once more by the next start.
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    env.start_daemons();
    run(&env, &command_goal("Next", "true", ""));
    assert_eq!(wait_told(&env, 2), ["completed|Survives", "completed|Next"]);
}

#[test]
fn words_of_models_reach_the_program_as_they_are() {
    let scripted = Scripted::on(
        pb_testkit::model_server::Wire::OpenAi,
        "",
        [worker([finish("$(touch pwned) `touch pwned`; touch pwned")])],
    );
    let env = &scripted.env;
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    let config = fs::read_to_string(env.home().join("config.toml")).unwrap();
    let config =
        format!("{config}\n[notify]\ncommand = [\"{}\", \"{{title}}\", \"{{text}}\"]\n", teller(env));
    fs::write(env.home().join("config.toml"), config).unwrap();
    env.start_daemons();
    let file = "title = \"$(touch pwned); `touch pwned`\"\nworkspace = \"out\"\n[[items]]\nid = \"a\"\n\
        kind = \"agent\"\nprompt = \"Say it.\"\n";
    run(env, file);
    assert_snapshot!("notify_words", wait_told(env, 1).join("\n"));
    assert!(!env.file("out/pwned").exists() && !env.home().join("pwned").exists());
}
