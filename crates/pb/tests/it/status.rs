//! What `pb status` tells beside what runs: versions, files, the budget of the day, models that failed.

use std::fs;
use std::net::TcpListener;

use pb_runtime::LockHolder;
use pb_testkit::model_server::Wire;
use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::model::{Scripted, agent_file, finish, worker, write};

fn status(env: &TestEnv) -> Value {
    serde_json::from_str(&env.pb(["status", "--json"]).raw_stdout).unwrap()
}

fn line(env: &TestEnv, label: &str) -> Option<String> {
    let shown = env.pb(["status"]).raw_stdout;
    shown.lines().find_map(|line| Some(line.strip_prefix(label)?.trim().to_owned()))
}

#[test]
fn a_process_of_another_version_is_told_with_what_to_do() {
    let env = TestEnv::new();
    env.start_daemons();
    assert_eq!((line(&env, "versions"), &status(&env)["skew"]), (None, &Value::Null));
    // As if the binary had been replaced since: what a process says of itself stands in its lock.
    let lock = env.home().join("scheduler.lock");
    let holder = LockHolder { version: "0.0.9".to_owned(), ..env.holder("scheduler").unwrap() };
    fs::write(lock, serde_json::to_string(&holder).unwrap()).unwrap();
    let told = line(&env, "versions").unwrap();
    assert!(told.contains("the scheduler is 0.0.9") && told.ends_with("pb restart"), "{told}");
    assert_eq!(status(&env)["skew"], told);
    let doctor = env.pb(["doctor", "--offline"]);
    assert!(doctor.raw_stdout.contains("runs in version 0.0.9"), "{doctor}");
    assert_eq!(env.pb(["restart"]).exit, Some(0));
    assert_eq!(line(&env, "versions"), None);
}

#[test]
fn files_and_how_long_each_process_runs_are_told() {
    let env = TestEnv::new();
    env.start_daemons();
    wait_until("the trace is made", || env.home().join("trace.db").exists().then_some(()));
    let told = status(&env);
    for name in ["gateway", "scheduler"] {
        assert!(told[name]["uptime_ms"].as_u64().is_some_and(|up| up < 60_000), "{told}");
    }
    // While nobody writes they stay as long as they are told to be.
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    let told = status(&env);
    let databases = told["databases"].as_array().unwrap();
    let names: Vec<&str> = databases.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["state.db", "gateway.db", "trace.db"]);
    for database in databases {
        let name = database["name"].as_str().unwrap();
        let bytes = |name: &str| fs::metadata(env.home().join(name)).map_or(0, |meta| meta.len());
        let expect = (bytes(name), bytes(&format!("{name}-wal")));
        assert_eq!(
            (database["bytes"].as_u64(), database["wal_bytes"].as_u64()),
            (Some(expect.0), Some(expect.1))
        );
    }
    assert_eq!(told["sandbox"]["landlock_abi"], pb_exec::support().abi);
}

#[test]
fn what_goals_have_spent_of_the_day_stands_beside_what_they_may() {
    let settings = "[prices.\"scripted/scripted\"]\ninput = 2.5\noutput = 10\n\
        [budget]\nday_usd = 5\nday_tokens = 50_000\nday_turns = 90\n";
    let scripted = Scripted::on(Wire::OpenAi, settings, [worker([write("done", "x"), finish("Done.")])]);
    let env = &scripted.env;
    let none = line(env, "budget").unwrap();
    assert_eq!(none, "today 0.00 USD of 5.00 USD, 0 of 50000 tokens, 0 of 90 turns");
    env.write("goal.toml", &agent_file("One", ""));
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(0));
    let spent = line(env, "budget").unwrap();
    let tokens = 800 + 40 + 900 + 20;
    assert_eq!(spent, format!("today 0.0049 USD of 5.00 USD, {tokens} of 50000 tokens, 2 of 90 turns"));
    let told = &status(env)["today"];
    assert_eq!((&told["limit_usd"], &told["spent"]["tokens"]), (&json!(5.0), &json!(tokens)));
    assert_eq!(env.pb(["gateway", "stop"]).exit, Some(0));
    assert_eq!((line(env, "budget"), &status(env)["today"]["spent"]), (None, &Value::Null));
}

#[test]
fn a_model_that_is_not_reached_goes_last_and_that_is_told() {
    let env = TestEnv::new();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    env.configure(&format!(
        "[models]\nmedium = 'gone/model'\n[providers.gone]\nkind = 'openai'\nbase_url = 'http://127.0.0.1:{gone}'\n"
    ));
    env.start_daemons();
    wait_until("the scheduler has told what it works with", || {
        status(&env)["works_with"].is_object().then_some(())
    });
    let told = status(&env);
    assert_eq!(told["works_with"]["endpoints"]["gone"], format!("http://127.0.0.1:{gone}/v1/"));
    assert_eq!(
        (&told["works_with"]["cooling"], line(&env, "models")),
        (&json!({}), Some("gone/model".to_owned()))
    );
    env.write("goal.toml", &agent_file("Asks", ""));
    env.detach(&["goal.toml"]);
    let shown =
        wait_until("the model goes last", || line(&env, "models").filter(|line| line.contains("goes last")));
    assert!(shown.starts_with("gone/model (failed; goes last for "), "{shown}");
    assert!(status(&env)["works_with"]["cooling"]["gone/model"].is_u64());
}
