//! The example `fix-the-bug`, with the scripted model as its agent and a real toolchain in the sandbox:
//! left alone, and killed at writes of its journal.

use std::path::Path;
use std::time::Duration;

use pb_testkit::model_server::{ModelServer, Script, Wire};
use serde_json::Value;

use crate::agent_support::{Log, of_kind, poll_until, writes};
use crate::env::{TestEnv, wait_until};
use crate::machine::assert_gapless;
use crate::model::provider;

/// Every this many writes of the journal the scheduler is killed. `PB_KILL_EVERY=1` kills at each,
/// which takes minutes: each time a real compiler works.
const KILL_EVERY: usize = 12;
/// How long the goal may take: it compiles a few times.
const BUILD_TIMEOUT: Duration = Duration::from_mins(2);

struct Fixing {
    env: TestEnv,
    model: ModelServer,
    goal: String,
    log: Log,
}

impl Fixing {
    /// The goal is handed over. The daemons see the toolchain that built this test, and no rustup.
    fn begin() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/fix-the-bug");
        let mut env = TestEnv::new();
        let tools = Path::new(env!("CARGO")).parent().unwrap().to_str().unwrap();
        env.variables.push(("PATH", format!("{tools}:/usr/local/bin:/usr/bin:/bin")));
        let model = ModelServer::start(Script::read(&folder.join("script.json")).unwrap()).unwrap();
        let settings = provider("scripted", Wire::OpenAi, &model);
        env.configure(&format!("{settings}\n[models]\nmedium = \"scripted/scripted\"\n"));
        let project = format!("project={}", folder.join("project").canonicalize().unwrap().display());
        let goal = env.detach(&[folder.join("fix-the-bug.toml").to_str().unwrap(), "--set", &project]);
        let log = Log::of(&env);
        Self { env, model, goal, log }
    }

    /// Waits for the end and looks at every promise.
    fn assert_fixed(&self) -> Value {
        let began = std::time::Instant::now();
        let over = || {
            let goal = self.env.show(&self.goal);
            (goal["status"] != "active" && goal["status"] != "queued").then_some(goal)
        };
        // Longer than other waits: a compiler works, and others may beside it.
        let told = loop {
            if let Some(told) = over() {
                break told;
            }
            assert!(began.elapsed() < BUILD_TIMEOUT, "the bug is not fixed in {BUILD_TIMEOUT:?}");
            wait_until("the journal grows or the goal ends", {
                let before = writes(&self.log.steps(&self.goal));
                move || (writes(&self.log.steps(&self.goal)) != before || over().is_some()).then_some(())
            });
        };
        let logs = || self.env.pb(["goal", "logs", &self.goal]);
        assert_eq!(
            (&told["status"], &told["verdict"]),
            (&"completed".into(), &"verified".into()),
            "{}",
            logs()
        );
        let events = self.env.events(&self.goal);
        assert_gapless(&events);
        let assumed = of_kind(&events, "model.failed");
        assert!(assumed.iter().all(|event| event["data"]["assumed"] == true), "{assumed:?}");
        // Every call that was made is an answer that was paid, or one that a kill cut off.
        let answered = of_kind(&events, "model.answered").len();
        assert!(self.model.requests().len() <= answered + assumed.len(), "a call was paid for twice");
        told
    }
}

#[test]
fn the_agent_of_the_example_makes_the_failing_test_pass() {
    let fixing = Fixing::begin();
    let told = fixing.assert_fixed();
    assert_eq!(told["assumed_tokens"], 0);
    assert!(told["spent_tokens"].as_u64() > Some(0));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "who runs the test may ask for more kills")]
fn killed_at_writes_of_its_journal_it_comes_to_the_same_end() {
    let quiet = Fixing::begin();
    quiet.assert_fixed();
    let all = writes(&quiet.log.steps(&quiet.goal));
    let every = std::env::var("PB_KILL_EVERY").ok().map_or(KILL_EVERY, |every| every.parse().unwrap());
    for place in (every..all).step_by(every) {
        let fixing = Fixing::begin();
        poll_until(&format!("write {place} of {all} is there"), || {
            (writes(&fixing.log.steps(&fixing.goal)) >= place).then_some(())
        });
        fixing.env.kill9("scheduler");
        fixing.env.start_daemon("scheduler");
        let told = fixing.assert_fixed();
        let events = fixing.env.events(&fixing.goal);
        assert!(of_kind(&events, "model.failed").len() <= 1, "killed once, at {place}");
        assert_eq!(told["spent_turns"], quiet.env.show(&quiet.goal)["spent_turns"], "killed at {place}");
    }
}
