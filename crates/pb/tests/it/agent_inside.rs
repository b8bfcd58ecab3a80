//! What an agent can do to the machine, to its person and to us: by the commands that it runs, which
//! are confined as every command of a goal is, and by its file tools, which run in the scheduler.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use insta::{assert_json_snapshot, assert_snapshot};
use pb_runtime::{Endpoint, Home};
use pb_testkit::model_server::{ModelServer, Reply, Script};
use serde_json::{Value, json};

use crate::agent_support::{agent_goal, give_model, results, with_model};
use crate::env::TestEnv;
use crate::inside::{SECRET, found, person};
use crate::machine::{files_with, is_alive};
use crate::tools;

/// What the person's own files hold.
const PRIVATE: &str = "privat-91c2";
/// A key in the home that no model of the test needs.
const KEY: &str = "sk-geheim-55d0";

fn finish() -> Reply {
    Reply::call("finish", json!({"summary": "I looked around"}))
}

/// A person with secrets where people have them, and a model for an agent in their machine.
fn person_with_model(script: Script) -> (TestEnv, ModelServer) {
    let mut env = person();
    let server = give_model(&mut env, script);
    let credentials = Home::at(&env.home()).unwrap().credentials();
    fs::write(&credentials, format!("[gemini]\napi_key = \"{KEY}\"\n")).unwrap();
    fs::set_permissions(&credentials, fs::Permissions::from_mode(0o600)).unwrap();
    for path in [env.user().join(".ssh/id_x"), env.user().join(".netrc"), env.file("secret.txt")] {
        fs::write(path, PRIVATE).unwrap();
    }
    fs::create_dir(env.file("out")).unwrap();
    (env, server)
}

/// Everything that the model was told its calls came to.
fn told(server: &ModelServer) -> Vec<String> {
    results(server.requests().last().unwrap())
}

/// No request holds anything that is not for a model.
fn assert_nothing_leaked(env: &TestEnv, server: &ModelServer) {
    let token = fs::read_to_string(env.home().join("token")).unwrap();
    for request in server.requests() {
        let sent = format!("{} {:?}", request.body, request.authorization);
        for secret in [SECRET, PRIVATE, KEY, token.trim()] {
            assert!(!sent.contains(secret), "{secret} in {sent}");
        }
    }
}

#[test]
fn a_command_of_an_agent_reaches_nothing_that_is_not_its_own() {
    let Some(python) = tools::plain_python() else { return };
    if !tools::commands_are_confined() {
        return;
    }
    let (env, server) = person_with_model(Script::of([]));
    env.start_daemons();
    let other = env.home().join("workspaces/other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("private.txt"), PRIVATE).unwrap();

    let ours = Endpoint::read(&Home::at(&env.home()).unwrap().gateway_json()).unwrap().address.port();
    let pids = ["scheduler", "gateway"].map(|name| env.holder(name).unwrap().pid.to_string());
    let probe = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/probe.py");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let words = [
        text(&python),
        text(&probe),
        "probe.json".to_owned(),
        env!("CARGO_BIN_EXE_pb").to_owned(),
        text(&env.home()),
        text(&env.user()),
        text(&env.work()),
        pids[0].clone(),
        pids[1].clone(),
        text(&other),
        ours.to_string(),
        // The very server that the scheduler asks.
        server.address().port().to_string(),
    ];
    let home = env.home();
    let home = home.to_str().unwrap();
    let read = format!(
        "env; for name in config.toml credentials.toml token state.db gateway.db logs/scheduler.log; \
         do cat {home}/$name; echo \"$name: $?\"; done; ls -a {home} {home}/workspaces ~/.ssh; \
         ln ~/.ssh/id_x hard; cat ~/.netrc"
    );
    server.set_script(Script::of([
        Reply::call("run_command", json!({"argv": words})),
        Reply::call("run_command", json!({"command": read})),
        finish(),
    ]));
    let gate = "effect = \"idempotent\"\ngates = [{ kind = \"file_exists\", path = \"probe.json\" }]";
    env.write("goal.toml", &agent_goal("Look around", "look", gate));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");

    assert_json_snapshot!("probe", found(&env.file("out/probe.json")));
    let told = told(&server);
    assert!(told[0].contains("processes that it left running and that ended with it"), "{}", told[0]);
    let errors: Vec<&str> = told[1].lines().filter(|line| line.contains(": ")).collect();
    assert_snapshot!("read", errors.join("\n").replace(env.root().to_str().unwrap(), "[root]"));
    assert_nothing_leaked(&env, &server);

    let left = fs::read_to_string(env.file("out/probe.json.pid")).unwrap().trim().parse().unwrap();
    assert!(!is_alive(left), "a process outlived its step");
    assert_eq!(env.processes().len(), 2, "only our daemons are left");
    for path in [env.user().join("new"), env.file("new"), "/tmp/pb-inside-new".into()] {
        assert!(!path.exists(), "{} was written", path.display());
    }
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 1, "nothing was submitted from inside");
    assert_eq!(fs::read_to_string(other.join("private.txt")).unwrap(), PRIVATE);
    assert_eq!(pids, ["scheduler", "gateway"].map(|name| env.holder(name).unwrap().pid.to_string()));
    assert_eq!(files_with(&env.home(), SECRET), Vec::<String>::new());
}

/// Ways out of the workspace, by name: to a file, and to the folder that it is in. Those that lead over
/// links are made by [`make_links`], or by the agent itself.
fn ways_out(env: &TestEnv) -> Vec<(&'static str, String, String)> {
    let (user, work) = (env.user(), env.work());
    let (user, work) = (user.to_str().unwrap(), work.to_str().unwrap());
    let way = |name, folder: String, file: &str| (name, format!("{folder}/{file}"), folder);
    vec![
        way("dots", "..".to_owned(), "secret.txt"),
        way("dots after a folder", "sub/../..".to_owned(), "secret.txt"),
        way("absolute", work.to_owned(), "secret.txt"),
        way("absolute, by dots", format!("{work}/out/.."), "secret.txt"),
        way("the home of the user", "~/.ssh".to_owned(), "id_x"),
        way("the home of the user, absolute", format!("{user}/.ssh"), "id_x"),
        way("our home", env.home().to_str().unwrap().to_owned(), "credentials.toml"),
        way("/proc", format!("/proc/self/root{user}/.ssh"), "id_x"),
        way("/proc, the folder of a process", "/proc/self/cwd".to_owned(), "secret.txt"),
        way("a link that was there", "was-there".to_owned(), "id_x"),
        way("a link by dots that was there", "was-there-dots".to_owned(), "secret.txt"),
        way("a link of its own", "own".to_owned(), "id_x"),
        way("a link of its own by dots", "own-dots".to_owned(), "secret.txt"),
        way("a link of its own to a link", "own-twice".to_owned(), "id_x"),
        way("a link of its own to /proc", "own-proc".to_owned(), "id_x"),
    ]
}

/// Links to files have names of their own, since not every tool follows the last part of a path.
fn make_links(env: &TestEnv) {
    let out = env.file("out");
    fs::create_dir(out.join("sub")).unwrap();
    fs::write(out.join("mine.txt"), "mine\n").unwrap();
    symlink(env.user().join(".ssh"), out.join("was-there")).unwrap();
    symlink("..", out.join("was-there-dots")).unwrap();
    symlink(env.file("secret.txt"), out.join("file-was-there")).unwrap();
}

fn own_links(env: &TestEnv) -> Reply {
    let user = env.user();
    let (user, work) = (user.to_str().unwrap(), env.work());
    let line = format!(
        "ln -s {user}/.ssh own; ln -s ../ own-dots; ln -s own own-twice; \
         ln -s /proc/self/root{user}/.ssh own-proc; ln -s {}/new file-own-new; ln -s {user}/.netrc file-own",
        work.to_str().unwrap()
    );
    Reply::call("run_command", json!({"command": line}))
}

/// One call of each tool for a file.
fn on_file(file: &str) -> Reply {
    let edit = json!({"path": file, "edits": [{"old": "privat-", "new": "edited"}]});
    Reply::call("read_file", json!({"path": file}))
        .and_call("write_file", json!({"path": file, "content": "written\n"}))
        .and_call("edit_file", edit)
}

/// The same, and one of each for the folder that it is in.
fn on_both(file: &str, folder: &str) -> Reply {
    on_file(file)
        .and_call("write_file", json!({"path": format!("{folder}/new"), "content": "new\n"}))
        .and_call("list_dir", json!({"path": folder}))
        .and_call("search_files", json!({"pattern": "privat-", "path": folder}))
        .and_call("run_command", json!({"argv": ["pwd"], "cwd": folder}))
}

/// Every file below a folder, with what it holds.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            files.extend(tree(&path));
        } else {
            files.insert(path.display().to_string(), fs::read(&path).unwrap_or_default());
        }
    }
    files
}

/// What lies around the workspace: the person's files, and the settings, keys and goals in our home.
fn around(env: &TestEnv) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(&env.user());
    let work = fs::read_dir(env.work()).unwrap().flatten().map(|entry| entry.path());
    let home = ["config.toml", "credentials.toml", "token"].map(|name| env.home().join(name));
    for path in work.filter(|path| path.is_file()).chain(home) {
        files.insert(path.display().to_string(), fs::read(&path).unwrap());
    }
    files
}

#[test]
fn the_file_tools_of_an_agent_reach_nothing_outside_of_its_workspace() {
    let (env, server) = person_with_model(Script::of([]));
    make_links(&env);
    let ways = ways_out(&env);
    let links = ["file-was-there", "file-own", "file-own-new"];
    let (mine, out) = (env.file("out/mine.txt"), env.file("out"));
    let replies = [own_links(&env)]
        .into_iter()
        .chain(ways.iter().map(|(_, file, folder)| on_both(file, folder)))
        .chain(links.map(on_file))
        // What is not outside: that the others fail is no accident.
        .chain([on_both(mine.to_str().unwrap(), out.to_str().unwrap()), finish()]);
    server.set_script(Script::of(replies));
    env.write("goal.toml", &agent_goal("Look around", "look", "effect = \"idempotent\""));
    env.start_daemons();
    let before = around(&env);
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(3), "{ran}");
    assert_nothing_leaked(&env, &server);
    assert_eq!(around(&env), before);

    let told = told(&server);
    let mut told = told[1..].iter().map(|told| told.lines().skip(1).collect::<Vec<_>>().join("\n"));
    let names = ways.iter().map(|(name, ..)| (*name, 7)).chain(links.map(|name| (name, 3)));
    for (name, calls) in names {
        for result in told.by_ref().take(calls) {
            let refused = ": outside of the workspace; use run_command to read other files\n</tool_result>";
            assert!(result.ends_with(refused) && result.lines().count() == 2, "{name}: {result}");
        }
    }
    let [read, wrote, ..] = &told.collect::<Vec<_>>()[..] else { panic!("the control was not reached") };
    assert!(read.starts_with("mine\n") && wrote.contains("replaced"), "{read}{wrote}");
    assert_eq!(fs::read_to_string(out.join("new")).unwrap(), "new\n");
    assert_eq!(fs::read_to_string(mine).unwrap(), "written\n");
}

#[test]
fn a_planner_looks_into_no_folder_that_a_goal_may_not_use() {
    let (env, server) = person_with_model(Script::of([finish()]));
    env.write("goal.toml", "title = \"Look around\"\nworkspace = \"../user/.ssh\"\n");
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(77), "{ran}");
    assert!(server.requests().is_empty(), "no model was asked");
}

/// Starts a daemon on a kernel that has no Landlock, as far as it can tell.
#[expect(clippy::disallowed_methods, reason = "the test is the person whose kernel is old")]
fn start_without_landlock(env: &TestEnv, python: &Path, daemon: &str) {
    let status = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/no_landlock.py"))
        .args([env!("CARGO_BIN_EXE_pb"), daemon, "start"])
        .env_clear()
        .envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("TZ", "UTC")])
        .envs([("HOME", env.user()), ("PB_HOME", env.home())])
        .envs(env.variables.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

/// An agent that runs a command, on a machine without Landlock, with more settings.
fn unconfined(python: &Path, more_settings: &str) -> (TestEnv, ModelServer, Value) {
    let script = Script::of([Reply::call("run_command", json!({"command": "echo made > made"})), finish()]);
    let (env, server) = with_model(script);
    let config = Home::at(&env.home()).unwrap().config();
    let settings = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{settings}\n{more_settings}")).unwrap();
    env.start_daemon("gateway");
    start_without_landlock(&env, python, "scheduler");
    let gate = "effect = \"idempotent\"\ngates = [{ kind = \"file_exists\", path = \"made\" }]";
    env.write("goal.toml", &agent_goal("Make it", "make", gate));
    let ran = env.pb(["run", "goal.toml"]);
    let told = json!({"exit": ran.exit, "shown": ran.to_string()});
    (env, server, told)
}

#[test]
fn where_the_kernel_cannot_confine_an_agent_waits_for_a_human() {
    let Some(python) = tools::plain_python() else { return };
    let (env, server, told) = unconfined(&python, "");
    assert_snapshot!("unconfined", told["shown"].as_str().unwrap());
    assert_eq!(told["exit"], 2);
    assert!(server.requests().is_empty(), "no model was asked");
    assert!(!env.file("out/made").exists());
}

#[test]
fn where_the_kernel_cannot_confine_an_agent_works_if_a_person_said_so() {
    let Some(python) = tools::plain_python() else { return };
    let (env, _server, told) = unconfined(&python, "[sandbox]\nallow_unconfined_agents = true\n");
    assert_eq!(told["exit"], 0, "{}", told["shown"]);
    assert!(env.file("out/made").exists());
}
