//! `pb doctor`: finds what is wrong with a home, mends what is safe to mend, and makes nothing.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::env::{Ran, TestEnv, wait_until};
use crate::inside::SECRET;
use crate::machine::is_alive;

/// What the doctor tells of each check, by its name.
pub(crate) struct Told {
    pub(crate) exit: Option<i32>,
    pub(crate) value: Value,
}

impl Told {
    fn of(ran: &Ran) -> Self {
        let value = serde_json::from_str(&ran.raw_stdout);
        assert!(value.is_ok(), "{ran}");
        Self { exit: ran.exit, value: value.unwrap() }
    }

    fn check(&self, name: &str) -> Option<&Value> {
        self.value["checks"].as_array().unwrap().iter().find(|check| check["name"] == name)
    }

    /// How a check ended, and everything that is said about it.
    #[track_caller]
    fn result(&self, name: &str) -> (&str, String) {
        let check = self.check(name);
        assert!(check.is_some(), "no {name} in {}", self.value);
        let check = check.unwrap();
        (check["result"].as_str().unwrap(), check.to_string())
    }

    #[track_caller]
    pub(crate) fn assert(&self, name: &str, result: &str, said: &str) {
        let (found, told) = self.result(name);
        assert!(found == result && told.contains(said), "{name}: {told}");
    }
}

pub(crate) fn doctor(env: &TestEnv, arguments: &[&str]) -> Told {
    Told::of(&env.pb(["doctor", "--json"].iter().chain(arguments)))
}

#[test]
fn a_home_that_is_not_there_is_well_and_is_not_made() {
    let env = TestEnv::new();
    let told = doctor(&env, &[]);
    assert_eq!((told.exit, &told.value["ok"]), (Some(0), &Value::Bool(true)), "{}", told.value);
    told.assert("home", "ok", "is not there yet");
    told.assert("models", "warning", "ANTHROPIC_API_KEY");
    told.assert("clock", "ok", "says 20");
    assert!(told.check("leftovers").is_none() && told.check("state.db").is_none());
    let shown = env.pb(["doctor"]);
    assert_eq!(shown.exit, Some(0), "{shown}");
    assert!(shown.raw_stderr.contains("nothing is a problem; 1 warning"), "{shown}");
    assert!(!shown.raw_stdout.contains('\u{1b}'), "no colour where no terminal is: {shown}");
    assert!(!env.home().exists(), "looking makes no home");
}

#[test]
fn what_runs_is_well() {
    let env = TestEnv::new();
    env.start_daemons();
    let told = doctor(&env, &["--fix"]);
    assert_eq!(told.exit, Some(0), "{}", told.value);
    told.assert("gateway", "ok", "runs (pid");
    told.assert("scheduler", "ok", "runs (pid");
    told.assert("port of the gateway", "ok", "is ours");
    told.assert("state.db", "ok", "whole, schema");
    told.assert("gateway.db", "ok", "whole, schema");
    told.assert("disk speed", "ok", "of 50 writes");
    told.assert("clock jumps", "ok", "none since");
    told.assert("leftovers", "ok", "none");
    assert!(
        env.holder("gateway").is_some() && env.holder("scheduler").is_some(),
        "it ends nothing that works"
    );
}

#[test]
fn what_killed_processes_left_is_found_and_mended_and_data_stays() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", "title = 'x'\n[[items]]\nid = 'a'\nkind = 'command'\nargv = ['true']\n");
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(3));
    wait_until("the scheduler has told what it works with", || {
        env.home().join("run/scheduler.json").exists().then_some(())
    });
    env.kill9("scheduler");
    env.kill9("gateway");
    fs::create_dir(env.home().join("tmp/step-of-before")).unwrap();
    fs::write(env.home().join("run/notified.json"), "{}").unwrap();

    let told = doctor(&env, &[]);
    assert_eq!(told.exit, Some(0), "leftovers are no problem: {}", told.value);
    told.assert("stale sockets", "warning", "gateway.sock");
    told.assert("stale notes", "warning", "gateway.json");
    told.assert("stale notes", "warning", "scheduler.json");
    told.assert("temporary folders", "warning", "1 temporary folder");
    told.assert("gateway", "ok", "does not run");

    let fixed = doctor(&env, &["--fix"]);
    assert_eq!(fixed.exit, Some(0), "{}", fixed.value);
    for name in ["stale sockets", "stale notes", "temporary folders"] {
        fixed.assert(name, "ok", "\"mended\":\"removed");
    }
    for gone in ["gateway.sock", "run/gateway.json", "run/scheduler.json", "tmp/step-of-before"] {
        assert!(!env.home().join(gone).exists(), "{gone}");
    }
    assert!(env.home().join("run/notified.json").exists(), "up to where a person was told is data");
    doctor(&env, &[]).assert("leftovers", "ok", "none");
    env.start_daemons();
    assert_eq!(env.show(&goal)["status"], "completed");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test starts what a scheduler that died left behind")]
fn a_process_of_a_step_without_a_scheduler_is_ended() {
    let env = TestEnv::new();
    env.start_daemons();
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    fs::create_dir(env.home().join("tmp/run_1-1")).unwrap();
    let mut sleep = Command::new("sleep");
    sleep.arg("1000").stdin(Stdio::null());
    // One of this home, and one of another: the folder tells.
    let mut left = sleep.env("PB_STEP", "run_1-1").spawn().unwrap();
    let mut of_another = sleep.env("PB_STEP", "run_of_another_home").spawn().unwrap();
    let told = doctor(&env, &[]);
    assert_eq!(told.exit, Some(1), "{}", told.value);
    told.assert("leftover processes", "problem", &left.id().to_string());
    assert!(is_alive(left.id()), "only --fix ends anything");
    assert!(told.check("temporary folders").is_none(), "it is in use");

    let fixed = doctor(&env, &["--fix"]);
    fixed.assert("leftover processes", "ok", "ended 1 process");
    fixed.assert("temporary folders", "ok", "removed 1 temporary folder");
    assert!(left.wait().unwrap().code().is_none(), "a signal ended it");
    assert!(is_alive(of_another.id()));
    of_another.kill().unwrap();
    of_another.wait().unwrap();
}

#[test]
fn what_others_can_look_into_is_closed() {
    let env = TestEnv::new();
    env.start_daemons();
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    let credentials = env.home().join("credentials.toml");
    fs::write(&credentials, format!("[anthropic]\napi_key = \"{SECRET}\"\n")).unwrap();
    let open = [(env.home(), 0o755), (credentials.clone(), 0o644), (env.home().join("token"), 0o640)];
    for (path, mode) in &open {
        fs::set_permissions(path, Permissions::from_mode(*mode)).unwrap();
    }
    let told = doctor(&env, &["--offline"]);
    assert_eq!(told.exit, Some(1));
    told.assert("permissions", "problem", "token (640)");
    told.assert("credentials.toml", "problem", "chmod 600");

    let fixed = doctor(&env, &["--fix", "--offline"]);
    assert_eq!(fixed.exit, Some(0), "{}", fixed.value);
    fixed.assert("permissions", "ok", "\"mended\":\"closed ");
    fixed.assert("credentials.toml", "ok", "understood");
    fixed.assert("model anthropic", "ok", "was not asked; key: credentials.toml [anthropic]");
    let mode = |path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(open.each_ref().map(|(path, _)| mode(path)), [0o700, 0o600, 0o600]);
    assert!(!fixed.value.to_string().contains(SECRET) && !told.value.to_string().contains(SECRET));
}

#[test]
fn settings_and_databases_that_do_not_work_are_problems() {
    let env = TestEnv::new();
    env.start_daemons();
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    fs::write(env.home().join("config.toml"), "[sandbox]\ntool_cashes = []\n").unwrap();
    let database = |name: &str| rusqlite::Connection::open(env.home().join(name)).unwrap();
    database("gateway.db").pragma_update(None, "user_version", 99).unwrap();
    fs::write(env.home().join("trace.db"), "no database").unwrap();
    let told = doctor(&env, &[]);
    assert_eq!(told.exit, Some(1));
    told.assert("config.toml", "problem", "tool_cashes");
    told.assert("models", "warning", "config.toml");
    told.assert("gateway.db", "problem", "has schema 99");
    told.assert("trace.db", "problem", "is not a PonyBunny database");
    told.assert("state.db", "ok", "whole");
    // They are data: nothing mends them.
    assert_eq!(doctor(&env, &["--fix"]).exit, Some(1));
    assert_eq!(fs::read_to_string(env.home().join("trace.db")).unwrap(), "no database");
}

#[test]
fn a_port_that_another_process_has_is_told_with_its_name() {
    let mut env = TestEnv::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    env.variables.push(("PB_PORT", port.to_string()));
    let told = doctor(&env, &[]);
    assert_eq!(told.exit, Some(1));
    told.assert("port of the gateway", "problem", &format!("{port} is taken by another process (pid "));
    drop(taken);
    doctor(&env, &[]).assert("port of the gateway", "ok", "is free");
}

/// A provider that takes one key.
fn provider() -> (u16, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            let request = String::from_utf8(request).unwrap();
            let status = if request.contains(SECRET) { "200 OK" } else { "401 Unauthorized" };
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}")
                .unwrap();
            requests.push(request);
        }
        requests
    });
    (port, serving)
}

#[test]
fn a_provider_is_asked_for_its_models_and_tells_whether_it_takes_the_key() {
    let mut env = TestEnv::new();
    let (port, serving) = provider();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    fs::create_dir(env.home()).unwrap();
    fs::set_permissions(env.home(), Permissions::from_mode(0o700)).unwrap();
    let settings = format!(
        "[models]\nmedium = 'ours/one'\n\
         [providers.ours]\nkind = 'openai'\nbase_url = 'http://127.0.0.1:{port}'\nkey_env = 'OUR_KEY'\n\
         [providers.gone]\nkind = 'openai'\nbase_url = 'http://127.0.0.1:{gone}'\n\
         [providers.keyless]\nkind = 'anthropic'\nbase_url = 'http://127.0.0.1:{port}'\nkey_env = 'NO_KEY'\n"
    );
    fs::write(env.home().join("config.toml"), settings).unwrap();
    env.variables.push(("OUR_KEY", SECRET.to_owned()));
    let told = doctor(&env, &[]);
    assert_eq!(told.exit, Some(0), "{}", told.value);
    told.assert("model ours", "ok", "answers; key: OUR_KEY");
    told.assert("model gone", "warning", "is not reached");
    told.assert("model keyless", "warning", "set NO_KEY");
    assert!(!told.value.to_string().contains(SECRET));

    env.variables.push(("OUR_KEY", "another-key".to_owned()));
    let told = doctor(&env, &[]);
    assert_eq!(told.exit, Some(1));
    told.assert("model ours", "problem", "refuses the key in OUR_KEY (HTTP 401)");
    doctor(&env, &["--offline"]).assert("model ours", "ok", "was not asked");
    let requests = serving.join().unwrap();
    assert!(requests.iter().all(|request| request.starts_with("GET /v1/models ")), "{requests:?}");
}
