//! The audit at the end of each test sees what no event explains: one row of each table is changed behind the log's
//! back, and an event is written that changes none.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use pb_model::GoalId;
use pb_model::goal::{Event, GoalState};
use pb_store::{Batch, Location, Log, LogReader, NewEvent, Row, Write};

use crate::audit::audit;
use crate::debug_server::TWO;
use crate::env::TestEnv;

/// What is done to a log.
type Plant = fn(GoalState) -> Write;

/// Each with what it is about.
const PLANTS: [(&str, Plant); 7] = [
    ("goal", |state| Write::Row(Row::Goal(Box::new(renamed(state).goal)))),
    ("item", |mut state| {
        let mut item = state.items.remove(0);
        item.retry_count += 1;
        Write::Row(Row::Item(Box::new(item)))
    }),
    ("run", |mut state| {
        let mut run = state.runs.remove(0);
        run.attempt += 1;
        Write::Row(Row::Run(Box::new(run)))
    }),
    ("gate result", |mut state| {
        let mut result = state.gate_results.remove(0);
        result.passed = !result.passed;
        Write::Row(Row::GateResult(Box::new(result)))
    }),
    ("artifact", |mut state| {
        let mut artifact = state.artifacts.remove(0);
        artifact.path.push('x');
        Write::Row(Row::Artifact(Box::new(artifact)))
    }),
    ("goal that nobody made", |state| {
        let mut goal = state.goal;
        goal.id = "goal_00000000000000000000000000000001".parse().unwrap();
        Write::Row(Row::Goal(Box::new(goal)))
    }),
    ("event", |state| {
        let goal = state.goal.id;
        let event = Event::GoalPrioritized { priority: 99, by: "nobody".to_owned() };
        let data = serde_json::json!({"goalId": goal, "priority": 99, "by": "nobody"}).to_string();
        let body = serde_json::to_string(&event).unwrap();
        let kind = event.kind().to_owned();
        let at_ms = state.goal.updated_at_ms;
        Write::Events { goal, events: vec![NewEvent { id: "planted".to_owned(), at_ms, kind, body, data }] }
    }),
];

fn renamed(mut state: GoalState) -> GoalState {
    state.goal.spec.title.push('x');
    state
}

/// A copy of a home's log, with all that belongs to it.
fn copied(env: &TestEnv, name: &str) -> PathBuf {
    let folder = env.root().join(name);
    fs::create_dir(&folder).unwrap();
    for file in ["state.db", "state.db-wal", "state.db-shm"] {
        let from = env.home().join(file);
        if from.exists() {
            fs::copy(from, folder.join(file)).unwrap();
        }
    }
    folder.join("state.db")
}

async fn plant(state_db: &Path, goal: GoalId, plant: Plant) {
    let state = LogReader::open(state_db).await.unwrap().state(goal).await.unwrap().unwrap();
    let log = Log::open(Location::File(state_db.to_owned()), "planted".to_owned(), None).await.unwrap();
    log.commit(Batch { writes: vec![plant(state)] }).await.unwrap();
    log.settle().await.unwrap();
}

#[test]
fn the_audit_at_the_end_of_each_test_sees_what_no_event_explains() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", TWO);
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    audit(&copied(&env, "as it is"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (what, planted) in PLANTS {
        let state_db = copied(&env, what);
        runtime.block_on(plant(&state_db, goal.parse().unwrap(), planted));
        let seen = catch_unwind(AssertUnwindSafe(|| audit(&state_db)));
        assert!(seen.is_err(), "a wrong {what} goes unseen");
    }
}
