//! Agents on the machine of a test: the model that they talk to, and the journal that they leave.

use std::path::Path;
use std::time::{Duration, Instant};

use pb_model::GoalId;
use pb_model::goal::GoalState;
use pb_runtime::Home;
use pb_store::{EventRecord, LogReader, Step};
use pb_testkit::model_server::{Captured, ModelServer, Script, Wire};
use serde_json::Value;

use crate::env::{TIMEOUT, TestEnv, wait_until};

/// Pause between two looks of [`poll_until`].
const LOOK_SOON_AGAIN: Duration = Duration::from_millis(1);

/// A machine whose only model says what a script tells it. No daemon runs yet.
pub(crate) fn with_model(script: Script) -> (TestEnv, ModelServer) {
    let mut env = TestEnv::new();
    let server = give_model(&mut env, script);
    (env, server)
}

/// Gives a machine such a model.
pub(crate) fn give_model(env: &mut TestEnv, script: Script) -> ModelServer {
    let server = ModelServer::start(script).unwrap();
    env.variables.push(("PB_LOCAL_MODEL_PORTS", "none".to_owned()));
    let home = Home::at(&env.home()).unwrap();
    home.prepare().unwrap();
    std::fs::write(home.config(), settings(&server)).unwrap();
    server
}

fn settings(server: &ModelServer) -> String {
    let url = server.base_url(Wire::OpenAi);
    format!(
        "[providers.scripted]\nkind = \"openai\"\nbase_url = \"{url}\"\n\n\
         [models]\nmedium = \"scripted/scripted\"\n"
    )
}

/// A goal file with one agent item, `key`, in the folder `out`; `more` are further lines of it.
pub(crate) fn agent_goal(title: &str, key: &str, more: &str) -> String {
    format!(
        "title = \"{title}\"\nworkspace = \"out\"\n\n[[items]]\nid = \"{key}\"\nkind = \"agent\"\n\
         prompt = \"Do what the title says.\"\n{more}\n"
    )
}

/// The log of another process.
pub(crate) struct Log {
    runtime: tokio::runtime::Runtime,
    reader: LogReader,
}

impl Log {
    /// Opens it once it is there.
    pub(crate) fn of(env: &TestEnv) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let path = env.home().join("state.db");
        let open = |path: &Path| path.exists().then(|| runtime.block_on(LogReader::open(path)).ok())?;
        let reader = wait_until("the log can be read", || open(&path));
        Self { runtime, reader }
    }

    /// The journal of a goal.
    pub(crate) fn steps(&self, goal: &str) -> Vec<Step> {
        self.runtime.block_on(self.reader.steps(id(goal))).unwrap()
    }

    /// The goal as it stands.
    pub(crate) fn state(&self, goal: &str) -> Option<GoalState> {
        self.runtime.block_on(self.reader.state(id(goal))).unwrap()
    }

    /// Every event, in order.
    pub(crate) fn events(&self) -> Vec<EventRecord> {
        let mut events: Vec<EventRecord> = Vec::new();
        loop {
            let last = events.last().map_or(0, |event| event.pos);
            let page = self.runtime.block_on(self.reader.events_after(last, 1_000)).unwrap();
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
    }

    /// How many events there are.
    pub(crate) fn last_pos(&self) -> usize {
        usize::try_from(self.runtime.block_on(self.reader.last_pos()).unwrap()).unwrap()
    }
}

fn id(goal: &str) -> GoalId {
    goal.parse().unwrap()
}

/// How often the journal was written to: each intent, and each result.
pub(crate) fn writes(steps: &[Step]) -> usize {
    steps.len() + steps.iter().filter(|step| step.result.is_some()).count()
}

/// The events of a kind.
pub(crate) fn of_kind<'e>(events: &'e [Value], kind: &str) -> Vec<&'e Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}

/// What the model was told that a call came to, by the call's place among the results of its request.
pub(crate) fn results(request: &Captured) -> Vec<String> {
    let messages = request.body["messages"].as_array().unwrap();
    let results = messages.iter().filter(|message| message["role"] == "tool");
    results.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

/// Waits until `look` finds something, and looks more often than [`wait_until`] does: what is
/// looked at may be over soon.
pub(crate) fn poll_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < TIMEOUT, "waited {} s in vain until {what}", TIMEOUT.as_secs());
        std::thread::sleep(LOOK_SOON_AGAIN); // wait: other processes ring no bell
    }
}
