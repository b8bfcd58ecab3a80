//! Keys of providers: each goes where it belongs, and nowhere else (`security.md` 23).

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;
use pb_testkit::model_server::{Fault, ModelServer, Reply, Script, Wire};
use serde_json::json;

use crate::env::{Ran, TestEnv};
use crate::machine::{files_with, json_lines};
use crate::model::{finish, plan, planner, said, shell, worker};
use crate::tools;

/// A made-up key.
const KEY: &str = "sk-tesserakt-7f3a9b";

/// A provider that people have keys for.
struct Hosted {
    wire: Wire,
    key: &'static str,
    base_url: &'static str,
    /// What the provider wants to see.
    credential: &'static str,
}

const OPENAI: Hosted = Hosted {
    wire: Wire::OpenAi,
    key: "OPENAI_API_KEY",
    base_url: "OPENAI_BASE_URL",
    credential: "Bearer sk-tesserakt-7f3a9b",
};
const ANTHROPIC: Hosted = Hosted {
    wire: Wire::Anthropic,
    key: "ANTHROPIC_API_KEY",
    base_url: "ANTHROPIC_BASE_URL",
    credential: KEY,
};
const GEMINI: Hosted =
    Hosted { wire: Wire::Gemini, key: "GEMINI_API_KEY", base_url: "GEMINI_BASE_URL", credential: KEY };

/// A person who has exported a key; the provider's address is that of the scripted model.
fn person(hosted: &Hosted, script: Script) -> (TestEnv, ModelServer) {
    let server = ModelServer::start(script).unwrap();
    let mut env = TestEnv::new();
    env.variables.push((hosted.key, KEY.to_owned()));
    env.variables.push((hosted.base_url, server.base_url(hosted.wire)));
    env.variables.push(("MY_HARMLESS_NAME", "小马".to_owned()));
    (env, server)
}

/// No output, file, event or request holds the key.
fn assert_kept(env: &TestEnv, server: &ModelServer, outputs: &[Ran]) {
    let printed: Vec<&str> =
        outputs.iter().flat_map(|ran| [ran.raw_stdout.as_str(), ran.raw_stderr.as_str()]).collect();
    let requests: Vec<String> = server
        .requests()
        .iter()
        .map(|request| format!("{} {} {}", request.path, request.body, said(request)))
        .collect();
    let told = printed.into_iter().chain(requests.iter().map(String::as_str));
    for text in told {
        assert!(!text.contains(KEY), "the key is in {text}");
    }
    assert_eq!(files_with(env.root(), KEY), Vec::<String>::new());
}

/// What an agent looks for a key with: its own environment, that of every process that lets it, and
/// that of the scheduler.
fn look_around(scheduler: u32) -> String {
    format!(
        "env > env.txt; cat env.txt
         for one in /proc/[0-9]*/environ; do tr '\\0' '\\n' < $one; done > others.txt 2> /dev/null
         cat others.txt
         if cat /proc/{scheduler}/environ; then echo opened; else echo refused; fi"
    )
}

fn key_is_kept(hosted: &Hosted) {
    if !tools::commands_are_confined() {
        return;
    }
    let (env, server) = person(hosted, Script::of([]));
    env.start_daemons();
    let scheduler = env.holder("scheduler").unwrap().pid;
    let items = json!([{
        "id": "look",
        "kind": "agent",
        "prompt": "Look around.",
        "gates": [{"kind": "command", "argv": ["sh", "-c", "env > gate.txt; test -s env.txt"]}],
    }]);
    server.set_script(Script::conversations([
        planner([plan(&items)]),
        worker([shell(&look_around(scheduler)), finish("I looked.")]),
    ]));
    let ran = env.pb(["run", "Look around"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!((request.wire, request.authorization.as_deref()), (hosted.wire, Some(hosted.credential)));
    }
    // It did look: it saw its own environment, and was kept from the scheduler's.
    let saw = said(&requests[2]);
    assert!(saw.contains("exit code 0") && saw.contains("\nrefused\n"), "{saw}");
    let goal = env.only_goal();
    let workspace = env.home().join("workspaces").join(&goal);
    for name in ["env.txt", "others.txt", "gate.txt"] {
        let text = fs::read_to_string(workspace.join(name)).unwrap();
        assert!(text.contains("PATH="), "{name}: {text}");
        for foreign in [hosted.key, "MY_HARMLESS_NAME"] {
            assert!(!text.contains(foreign), "{foreign} is in {name}: {text}");
        }
    }
    let mut outputs = vec![ran];
    outputs.extend([
        env.pb(["goal", "logs", &goal]),
        env.pb(["goal", "logs", &goal, "--json"]),
        env.pb(["goal", "show", &goal, "--json"]),
        env.pb(["goal", "watch", &goal, "--json"]),
        env.pb(["models", "list"]),
        env.pb(["models", "list", "--json"]),
        env.pb(["status", "--json"]),
    ]);
    assert_kept(&env, &server, &outputs);
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    // Also in what the databases leave behind, and the logs at the end.
    assert_kept(&env, &server, &[]);
}

#[test]
fn an_openai_key_is_sent_in_its_header_and_seen_nowhere_else() {
    key_is_kept(&OPENAI);
}

#[test]
fn an_anthropic_key_is_sent_in_its_header_and_seen_nowhere_else() {
    key_is_kept(&ANTHROPIC);
}

#[test]
fn a_gemini_key_is_sent_in_its_header_and_seen_nowhere_else() {
    key_is_kept(&GEMINI);
}

#[test]
fn a_provider_that_repeats_a_wrong_key_in_its_error_is_not_believed_to_be_fit_to_print() {
    let body = json!({"error": {"message": format!("Incorrect API key provided: {KEY}.")}});
    let script = Script::of([Reply::broken(Fault::status_with_body(401, body))]);
    let (env, server) = person(&OPENAI, script);
    env.start_daemons();
    let ran = env.pb(["run", "Create a file", "--model", "openai/any"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("key_refused", ran);
    assert_eq!(server.requests().len(), 1, "a key that is refused is not tried again");
    let goal = env.only_goal();
    let outputs = [env.pb(["goal", "logs", &goal]), env.pb(["goal", "watch", &goal, "--json"]), ran];
    assert_kept(&env, &server, &outputs);
    let tested = env.pb(["models", "test"]);
    assert_eq!(tested.exit, Some(69), "{tested}");
    assert_kept(&env, &server, &[tested]);
}

/// A model that plans one command.
fn touches() -> Script {
    Script::conversations([planner([plan(&json!([{
        "id": "touch",
        "kind": "command",
        "argv": ["touch", "done"],
        "gates": [{"kind": "file_exists", "path": "done"}],
    }]))])])
}

#[test]
fn a_key_that_the_running_scheduler_lacks_is_named_and_a_restart_gives_it() {
    let (mut env, server) = person(&ANTHROPIC, touches());
    let exported = std::mem::take(&mut env.variables);
    env.variables = exported.iter().filter(|(name, _)| name.starts_with("PB_")).cloned().collect();
    env.start_daemons();
    env.variables = exported;
    let ran = env.pb(["run", "Touch the file done", "--workspace", "out"]);
    assert_snapshot!("key_lacking", ran);
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 0);
    assert_eq!(server.requests().len(), 0);
    let restarted = env.pb(["scheduler", "restart"]);
    assert_eq!(restarted.exit, Some(0), "{restarted}");
    let again = env.pb(["run", "Touch the file done", "--workspace", "out"]);
    assert_eq!(again.exit, Some(0), "{again}");
    assert!(env.file("out/done").exists());
    assert_kept(&env, &server, &[ran, restarted, again]);
}

#[test]
fn a_key_from_credentials_toml_is_used_once_nobody_else_may_read_it() {
    let server = ModelServer::start(touches()).unwrap();
    let mut env = TestEnv::new();
    env.variables.push(("GEMINI_BASE_URL", server.base_url(Wire::Gemini)));
    env.configure("");
    let path = env.home().join("credentials.toml");
    fs::write(&path, format!("[gemini]\napi_key = \"{KEY}\"\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let open = env.pb(["run", "Touch the file done"]);
    assert_snapshot!("credentials_open", open);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    // Nothing runs yet: this starts everything.
    let ran = env.pb(["run", "Touch the file done", "--workspace", "out"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert!(env.file("out/done").exists());
    assert_eq!(server.requests()[0].authorization.as_deref(), Some(KEY));
    fs::remove_file(&path).unwrap();
    assert_kept(&env, &server, &[open, ran]);
}

/// A secret that no rule would take for one.
const PLAIN: &str = "geheim-bleibt-geheim";

/// Whatever is written into the logs when everything is, no line of any file of them has the key, however it came there:
/// in a provider's error, in the name of a goal, in what a client calls its request.
#[test]
fn security_23_no_line_of_the_logs_has_a_key_even_when_everything_is_told() {
    let body = json!({"error": {"message": format!("Incorrect API key provided: {KEY}.")}});
    let script = Script::of([Reply::broken(Fault::status_with_body(401, body))]);
    let (mut env, server) = person(&OPENAI, script);
    env.variables.push(("PB_LOG", "trace".to_owned()));
    // One that looks like none, and that nothing of ours uses.
    env.variables.push(("SOMEBODYS_TOKEN", PLAIN.to_owned()));
    env.start_daemons();
    let ran = env.pb(["run", "Create a file", "--model", "openai/any"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    // It stands in the log where somebody puts it there: here as the id of a request.
    let mut client = env.connect();
    for id in [KEY, PLAIN] {
        client.send(&json!({"type": "req", "id": id, "method": "system.ping"}).to_string());
        while client.frame().unwrap()["type"] != "res" {}
    }
    let told = env.pb(["logs", "--json", "--level", "trace", "--lines", "1000000"]);
    let lines = json_lines(&told.raw_stdout);
    let of_requests = lines.iter().filter(|line| line["message"] == "a request is answered");
    assert_eq!(of_requests.filter(|line| line["request"] == "[redacted]").count(), 2);
    assert!(
        told.raw_stdout.contains("pb_llm") && told.raw_stdout.contains("hyper"),
        "not everything is told"
    );
    let outputs = [told, env.pb(["logs", "--level", "trace", "--lines", "1000000"]), ran];
    assert_kept(&env, &server, &outputs);
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    let logs = env.home().join("logs");
    assert!(fs::read_dir(&logs).unwrap().count() >= 2, "there are logs to look into");
    for key in [KEY, PLAIN] {
        assert_eq!(files_with(&logs, key), Vec::<String>::new());
    }
}
