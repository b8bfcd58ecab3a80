//! A model that says what a test tells it, and the settings that lead to it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;

use pb_testkit::model_server::{Captured, Conversation, ModelServer, Reply, Script, When, Wire};
use serde_json::{Value, json};

use crate::env::TestEnv;

/// Each wire, and the `kind` of a provider that speaks it.
pub(crate) const WIRES: [(Wire, &str); 3] =
    [(Wire::OpenAi, "openai"), (Wire::Anthropic, "anthropic"), (Wire::Gemini, "gemini")];

/// A person whose `config.toml` names one model, `scripted/scripted`. The model is a thread of the test,
/// and so another process for everything of ours.
pub(crate) struct Scripted {
    pub(crate) env: TestEnv,
    pub(crate) model: ModelServer,
}

impl Scripted {
    /// The model speaks `OpenAI`'s wire and says this; the daemons run, so that outputs are about goals.
    pub(crate) fn saying(conversations: impl IntoIterator<Item = Conversation>) -> Self {
        Self::on(Wire::OpenAi, "", conversations)
    }

    /// The same on any wire, with further lines of `config.toml`; they begin in the table `models`.
    pub(crate) fn on(
        wire: Wire,
        settings: &str,
        conversations: impl IntoIterator<Item = Conversation>,
    ) -> Self {
        let env = TestEnv::new();
        let model = ModelServer::start(Script::conversations(conversations)).unwrap();
        let provider = provider("scripted", wire, &model);
        env.configure(&format!("{provider}\n[models]\nmedium = \"scripted/scripted\"\n{settings}\n"));
        env.start_daemons();
        Self { env, model }
    }

    /// The same with daemons that do not run: the first command starts them.
    pub(crate) fn cold(conversations: impl IntoIterator<Item = Conversation>) -> Self {
        let scripted = Self::saying(conversations);
        assert_eq!(scripted.env.pb(["stop"]).exit, Some(0));
        scripted
    }

    /// The number of each request's turn, in the order in which they came.
    pub(crate) fn turns(&self) -> Vec<usize> {
        self.model.requests().iter().map(|request| request.turn).collect()
    }

    /// The request with this place among all of them, as text.
    pub(crate) fn request(&self, place: usize) -> String {
        let requests = self.model.requests();
        assert!(requests.len() > place, "only {} requests came", requests.len());
        said(&requests[place])
    }
}

/// Every text of a request, as it was before it became JSON, one after the other.
pub(crate) fn said(request: &Captured) -> String {
    fn collect(value: &Value, texts: &mut Vec<String>) {
        match value {
            Value::String(text) => texts.push(text.clone()),
            Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
            Value::Object(fields) => fields.values().for_each(|value| collect(value, texts)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut texts = Vec::new();
    collect(&request.body, &mut texts);
    texts.join("\n")
}

/// The settings that lead to a server under a name.
pub(crate) fn provider(name: &str, wire: Wire, server: &ModelServer) -> String {
    let kind = WIRES.iter().find(|(one, _)| *one == wire).unwrap().1;
    format!("[providers.{name}]\nkind = \"{kind}\"\nbase_url = \"{}\"\n", server.base_url(wire))
}

impl TestEnv {
    /// Writes `config.toml`. Who may confine nothing here lets agents work all the same.
    pub(crate) fn configure(&self, settings: &str) {
        DirBuilder::new().recursive(true).mode(0o700).create(self.home()).unwrap();
        let unconfined =
            if pb_exec::support().fs { "" } else { "\n[sandbox]\nallow_unconfined_agents = true\n" };
        fs::write(self.home().join("config.toml"), format!("{settings}{unconfined}")).unwrap();
    }
}

/// What a planner says, one reply after the other.
pub(crate) fn planner(replies: impl IntoIterator<Item = Reply>) -> Conversation {
    Conversation::new(When::tool("submit_plan"), replies)
}

/// What an agent says at each attempt, one reply after the other.
pub(crate) fn worker(replies: impl IntoIterator<Item = Reply>) -> Conversation {
    Conversation::new(When::tool("finish"), replies)
}

/// It hands in a plan of these items.
pub(crate) fn plan(items: &Value) -> Reply {
    Reply::call("submit_plan", json!({ "items": items })).usage(1000, 100)
}

/// It writes a file.
pub(crate) fn write(path: &str, content: &str) -> Reply {
    Reply::call("write_file", json!({"path": path, "content": content})).usage(800, 40)
}

/// It runs a line by a shell.
pub(crate) fn shell(line: &str) -> Reply {
    Reply::call("run_command", json!({"argv": ["sh", "-c", line]})).usage(700, 30)
}

/// It says that it is done.
pub(crate) fn finish(summary: &str) -> Reply {
    Reply::call("finish", json!({ "summary": summary })).usage(900, 20)
}

/// A goal file with one agent item, `work`, whose gate wants the file `done`; `more` are further lines
/// of the item.
pub(crate) fn agent_file(title: &str, more: &str) -> String {
    format!(
        r#"
title = "{title}"
workspace = "out"

[[items]]
id = "work"
kind = "agent"
prompt = "Make the file done."
effect = "idempotent"
gates = [{{ kind = "file_exists", path = "done" }}]
{more}
"#
    )
}
