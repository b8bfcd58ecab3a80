//! "No false done": every case of `data/false_done.toml`, with a real scheduler. None that is not honest may
//! end verified.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use pb_testkit::model_server::{Conversation, Reply, When};
use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::model::{Scripted, finish, shell, write};
use crate::tools;

/// Fewest cases that are not honest.
const CASES_MIN: usize = 30;

#[derive(Debug)]
struct Case {
    name: String,
    files: BTreeMap<String, String>,
    links: BTreeMap<String, String>,
    /// What the item does.
    worker: Option<String>,
    agent: Option<Vec<toml::Value>>,
    claim: String,
    later: Option<String>,
    review: Option<Vec<toml::Value>>,
    gates: toml::Value,
    expect: String,
    why: Option<String>,
}

/// The cases, with what stands for ports and programs filled in.
fn cases(busy: u16, python: Option<&str>) -> Vec<Case> {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data/false_done.toml"))
            .unwrap();
    let file: toml::Table = text.parse().unwrap();
    let cases = file["case"].as_array().unwrap().iter();
    let needed = cases.filter(|case| python.is_some() || !case.to_string().contains("PYTHON"));
    needed.map(|case| read(&fill(case, busy, python.unwrap_or_default()))).collect()
}

fn fill(case: &toml::Value, busy: u16, python: &str) -> toml::Value {
    // Nobody listens there once this is closed; others of the machine are given other ports for a while.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    each(case, &|text| {
        text.replace("PORT", &port.to_string()).replace("BUSY", &busy.to_string()).replace("PYTHON", python)
    })
}

/// The value with every text in it changed.
fn each(value: &toml::Value, change: &dyn Fn(&str) -> String) -> toml::Value {
    match value {
        toml::Value::String(text) => toml::Value::String(change(text)),
        toml::Value::Array(values) => {
            toml::Value::Array(values.iter().map(|value| each(value, change)).collect())
        }
        toml::Value::Table(table) => {
            toml::Value::Table(table.iter().map(|(key, value)| (key.clone(), each(value, change))).collect())
        }
        other => other.clone(),
    }
}

fn read(case: &toml::Value) -> Case {
    let known =
        ["name", "files", "links", "worker", "agent", "claim", "later", "gates", "review", "expect", "why"];
    let table = case.as_table().unwrap();
    let strange: Vec<&String> = table.keys().filter(|key| !known.contains(&key.as_str())).collect();
    assert!(strange.is_empty(), "{strange:?}");
    let text = |key: &str| table.get(key).map(|value| value.as_str().unwrap().to_owned());
    let map = |key: &str| {
        let pairs = table.get(key).and_then(toml::Value::as_table).into_iter().flatten();
        pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()
    };
    Case {
        name: text("name").unwrap(),
        files: map("files"),
        links: map("links"),
        worker: text("worker"),
        agent: table.get("agent").map(|calls| calls.as_array().unwrap().clone()),
        claim: text("claim").unwrap_or_else(|| "Done.".to_owned()),
        later: text("later"),
        review: table.get("review").map(|findings| findings.as_array().unwrap().clone()),
        gates: table.get("gates").cloned().unwrap_or_else(|| toml::Value::Array(Vec::new())),
        expect: text("expect").unwrap(),
        why: text("why"),
    }
}

impl Case {
    /// What a scripted agent says, one reply after the other.
    fn conversation(&self) -> Option<Conversation> {
        let call = |call: &toml::Value| match (call.get("write"), call.get("shell")) {
            (Some(path), None) => write(path.as_str().unwrap(), call["content"].as_str().unwrap()),
            (None, Some(line)) => shell(line.as_str().unwrap()),
            both_or_none => unreachable!("a call writes or runs something: {both_or_none:?}"),
        };
        let calls = self.agent.as_ref()?.iter().map(call);
        let replies: Vec<Reply> = calls.chain([finish(&self.claim)]).collect();
        Some(Conversation::new(When { contains: Some(self.prompt()), ..When::default() }, replies))
    }

    /// What a scripted reviewer hands in, again and again.
    fn reviewing(&self) -> Option<Conversation> {
        let findings = serde_json::to_value(self.review.as_ref()?).unwrap();
        let reply = Reply::call("submit_review", json!({ "findings": findings }));
        let when = When { tool: Some("submit_review".to_owned()), contains: Some(self.name.clone()) };
        Some(Conversation::new(when, [reply]).repeat_last())
    }

    fn prompt(&self) -> String {
        format!("The task is: {}.", self.name)
    }

    /// Makes the folder and the goal file; the file's name.
    fn write(&self, env: &TestEnv, n: usize) -> String {
        let folder = env.file(&n.to_string());
        for (path, content) in &self.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            if content.starts_with("#!") {
                use std::os::unix::fs::PermissionsExt;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        for (path, target) in &self.links {
            std::os::unix::fs::symlink(target, folder.join(path)).unwrap();
        }
        let shell = |line: &str| json!(["sh", "-ec", line]);
        let mut item =
            json!({"id": "work", "max_retries": 0, "effect": "idempotent", "gates": gates(&self.gates)});
        if self.agent.is_some() {
            item["kind"] = "agent".into();
            item["prompt"] = self.prompt().into();
        } else {
            item["kind"] = "command".into();
            item["argv"] = shell(self.worker.as_deref().unwrap_or("true"));
        }
        let later = self.later.as_ref().map(|line| {
            let gate = json!([{"kind": "command", "argv": ["true"]}]);
            json!({"id": "later", "needs": ["work"], "kind": "command", "argv": shell(line), "gates": gate})
        });
        let items: Vec<Value> = [Some(item), later].into_iter().flatten().collect();
        let goal = json!({"title": self.name, "workspace": n.to_string(), "items": items});
        let file = format!("{n}.toml");
        env.write(&file, &toml::to_string(&goal).unwrap());
        file
    }
}

fn gates(gates: &toml::Value) -> Value {
    serde_json::to_value(gates).unwrap()
}

#[test]
fn security_29_nothing_that_only_looks_done_is_verified() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let python = tools::python_path();
    let cases = cases(busy.local_addr().unwrap().port(), python.as_deref());
    let dishonest = cases.iter().filter(|case| case.expect != "verified").count();
    assert!(dishonest >= CASES_MIN, "{dishonest} cases");

    let scripted = Scripted::saying(
        cases.iter().filter_map(Case::reviewing).chain(cases.iter().filter_map(Case::conversation)),
    );
    let env = &scripted.env;
    let goals: Vec<String> =
        cases.iter().enumerate().map(|(n, case)| env.detach(&[&case.write(env, n)])).collect();
    let mut wrong = Vec::new();
    for (case, goal) in cases.iter().zip(&goals) {
        let told = wait_until(&format!("\"{}\" ends", case.name), || {
            let told = env.show(goal);
            (!matches!(told["status"].as_str(), Some("queued" | "active"))).then_some(told)
        });
        let ended = match (told["status"].as_str().unwrap(), told["verdict"].as_str()) {
            ("completed", Some(verdict)) => verdict,
            (status, _) => status,
        };
        let shown = env.pb(["goal", "show", goal]).raw_stdout;
        let says_why = case.why.as_ref().is_none_or(|why| shown.contains(why));
        let is_verified = told["verdict"] == "verified";
        if ended != case.expect || !says_why || (is_verified && case.expect != "verified") {
            wrong.push(format!(
                "\"{}\": {ended}, expected {} ({:?})\n{shown}",
                case.name, case.expect, case.why
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
