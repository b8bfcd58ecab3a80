//! What must be true of every log, whatever a test did to the processes that wrote it: the
//! invariants I2, I6 and I8 of `durability.md` §7, and what docs/RPC.md says of its events. Each test's log is audited when its machine is dropped.

use std::collections::BTreeMap;
use std::path::Path;

use pb_model::goal::{Caps, Event, GoalState, evolve};
use pb_model::schedule::{self, Schedule, ScheduleEvent};
use pb_model::session::{self, Session, SessionEvent};
use pb_model::{GoalId, ScheduleId};
use pb_store::{EventRecord, LogReader};

use crate::told;

/// Events read at once.
const PAGE: usize = 1000;
/// More goals than any test has.
const GOALS_MAX: usize = 100_000;

/// Audits a log; a home whose scheduler never started has none.
pub(crate) fn audit(state_db: &Path) {
    if state_db.exists() {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(audit_log(state_db));
    }
}

async fn audit_log(state_db: &Path) {
    let log = LogReader::open(state_db).await.unwrap();
    let mut folded = BTreeMap::new();
    // Where goals were compacted, positions have as many gaps as events went.
    let (mut pos, mut gone) = (0, 0);
    loop {
        let page = log.events_after(pos, PAGE).await.unwrap();
        if page.is_empty() {
            break;
        }
        for record in page {
            assert!(record.pos > pos, "positions rise");
            gone += record.pos - pos - 1;
            pos = record.pos;
            gone -= fold(&mut folded, &record);
        }
    }
    assert_eq!(gone, 0, "positions have no gaps but those of goals that were compacted");
    for id in log.goal_ids_like("", GOALS_MAX).await.unwrap() {
        assert!(folded.contains_key(&id), "there are rows of {id}, and no events");
    }
    for (id, (_, folded)) in folded {
        match folded {
            Folded::Goal(state) => {
                let goal: GoalId = id.parse().unwrap();
                assert_eq!(*state, log.state(goal).await.unwrap(), "the events of {id} fold into its rows");
            }
            Folded::Session(state) => {
                let stored = log.session(id.parse().unwrap()).await.unwrap();
                assert_eq!(*state, stored, "the events of {id} fold into its row");
            }
            Folded::Schedule(state) => {
                let schedule: ScheduleId = id.parse().unwrap();
                let stored = log.schedule(schedule).await.unwrap();
                assert_eq!(*state, stored, "the events of {id} fold into its row");
            }
        }
    }
}

/// What the events of a goal, a schedule or a session fold into.
enum Folded {
    Goal(Box<Option<GoalState>>),
    Schedule(Box<Option<Schedule>>),
    Session(Box<Option<Session>>),
}

/// Folds an event; how many events of its goal were compacted away before it.
fn fold(folded: &mut BTreeMap<String, (u64, Folded)>, record: &EventRecord) -> u64 {
    let compacted = if folded.contains_key(&record.goal) { 0 } else { record.seq - 1 };
    let nothing = || match record.goal.split_once('_') {
        Some((GoalId::PREFIX, _)) => Folded::Goal(Box::default()),
        Some((ScheduleId::PREFIX, _)) => Folded::Schedule(Box::default()),
        _ => Folded::Session(Box::default()),
    };
    let (seq, state) = folded.entry(record.goal.clone()).or_insert_with(|| (compacted, nothing()));
    *seq += 1;
    assert_eq!(record.seq, *seq, "events of {} have no gaps", record.goal);
    let data = serde_json::from_str(&record.data).unwrap();
    assert_eq!(told::problems(&record.kind, &data), Vec::<String>::new(), "{data}");
    match state {
        Folded::Goal(state) => {
            let event: Event = serde_json::from_str(&record.body).unwrap();
            **state = evolve(state.take(), &event, record.at_ms);
            if let Some(state) = &**state {
                within_caps(&record.goal, state);
            }
        }
        Folded::Session(state) => {
            let event: SessionEvent = serde_json::from_str(&record.body).unwrap();
            **state = session::evolve(state.take(), &event, record.at_ms);
        }
        Folded::Schedule(state) => {
            let event: ScheduleEvent = serde_json::from_str(&record.body).unwrap();
            **state = schedule::evolve(state.take(), &event, record.at_ms);
        }
    }
    compacted
}

/// What is spent and promised stays below each cap, but for a call that was reported above its promise.
fn within_caps(goal: &str, state: &GoalState) {
    let (caps, spending) = (Caps::of(&state.goal.spec), &state.goal.spending);
    let committed = spending.committed();
    let holds = caps.tokens.is_none_or(|cap| committed.tokens <= cap)
        && caps.micro_usd.is_none_or(|cap| committed.micro_usd <= cap);
    assert!(holds || spending.overrun, "{goal} has committed {committed:?}, which is more than {caps:?}");
}
