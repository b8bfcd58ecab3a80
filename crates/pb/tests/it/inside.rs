//! What a command of a goal can do to the machine, to its person and to us, tried from inside one:
//! `probe.py` makes the attempts and writes down how each ended.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use insta::assert_json_snapshot;
use pb_runtime::{Endpoint, Home};

use crate::env::TestEnv;
use crate::machine::{files_with, is_alive};
use crate::tools;

/// What nobody else's files, environments and logs may hold.
pub(crate) const SECRET: &str = "sekret-7f3a";

/// The outcome of each attempt.
pub(crate) type Found = BTreeMap<String, String>;

pub(crate) fn found(path: &Path) -> Found {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A person who has secrets where people have them, and a few other things.
pub(crate) fn person() -> TestEnv {
    let mut env = TestEnv::new();
    for name in ["SECRET_API_KEY", "ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "MY_HARMLESS_NAME"] {
        env.variables.push((name, SECRET.to_owned()));
    }
    for path in [".ssh/id_x", ".aws/credentials", ".netrc", ".config/x", "notes.txt"] {
        let path = env.user().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "private").unwrap();
    }
    env
}

/// A goal that runs the probe as an item and once more as a gate.
fn goal_file(python: &Path, arguments: &[&str], ports: &[u16]) -> String {
    let probe = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/probe.py");
    let argv = |found: &str| {
        let words = [python.to_str().unwrap(), probe.to_str().unwrap(), found];
        serde_json::to_string(&[words.as_slice(), arguments].concat()).unwrap()
    };
    let (item, gate) = (argv("item.json"), argv("gate.json"));
    format!(
        r#"
title = "Look around"

[[items]]
id = "probe"
kind = "command"
argv = {item}
tcp_ports = {ports:?}
effect = "unsafe"
gates = [{{ kind = "command", argv = {gate} }}]
"#
    )
}

#[test]
fn a_command_reaches_nothing_that_is_not_its_own() {
    let Some(python) = tools::plain_python() else { return };
    if !tools::commands_are_confined() {
        return;
    }
    let env = person();
    let private = "title = \"x\"\n[[items]]\nid = \"a\"\nkind = \"command\"\n\
        argv = [\"sh\", \"-c\", \"echo private > private.txt\"]\n";
    env.write("other.toml", private);
    let other = env.detach(&["other.toml"]);
    assert_eq!(env.watch(&other), Some(3));
    let workspace_of = |goal: &str| env.home().join("workspaces").join(goal);

    // Were a port ours to listen on, something would be there to connect to.
    let _listeners = [18789, 18790].map(|port| TcpListener::bind(("127.0.0.1", port)));
    let open = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = open.local_addr().unwrap().port();
    let ours = Endpoint::read(&Home::at(&env.home()).unwrap().gateway_json()).unwrap().address.port();
    let pids = ["scheduler", "gateway"].map(|name| env.holder(name).unwrap().pid.to_string());
    let (home, user, work) = (env.home(), env.user(), env.work());
    let arguments = [
        env!("CARGO_BIN_EXE_pb"),
        home.to_str().unwrap(),
        user.to_str().unwrap(),
        work.to_str().unwrap(),
        &pids[0],
        &pids[1],
        workspace_of(&other).to_str().unwrap(),
        &ours.to_string(),
        &open.to_string(),
    ]
    .map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // That the item lists our ports changes nothing.
    env.write("probe.toml", &goal_file(&python, &arguments, &[ours, 18789, 18790, open]));
    let ran = env.pb(["run", "probe.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");

    let goals = env.json(["goal", "list", "--json"]);
    assert_eq!(goals["total"], 2, "nothing was submitted from inside");
    let workspace = workspace_of(goals["goals"][1]["id"].as_str().unwrap());
    let item = found(&workspace.join("item.json"));
    assert_json_snapshot!("inside", item);
    let mut gate = found(&workspace.join("gate.json"));
    // A gate lists no ports.
    let listed = gate.insert("control: connect to a listed port".to_owned(), "connected".to_owned());
    assert_eq!((listed.as_deref(), gate), (Some("denied"), item), "a gate is confined as an item is");

    for name in ["item.json.pid", "gate.json.pid"] {
        let pid = fs::read_to_string(workspace.join(name)).unwrap().trim().parse().unwrap();
        assert!(!is_alive(pid), "{name} outlived its step");
    }
    assert_eq!(env.processes().len(), 2, "only our daemons are left");
    for path in [env.user().join("new"), env.file("new"), "/tmp/pb-inside-new".into()] {
        assert!(!path.exists(), "{} was written", path.display());
    }
    assert_eq!(fs::read_to_string(workspace_of(&other).join("private.txt")).unwrap(), "private\n");
    assert_eq!(pids, ["scheduler", "gateway"].map(|name| env.holder(name).unwrap().pid.to_string()));
    assert_eq!(files_with(&env.home(), SECRET), Vec::<String>::new());
}
