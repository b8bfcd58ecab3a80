//! What must be true of every log, whatever a test did to the processes that wrote it: the
//! invariants I2 and I6 of `durability.md` §7. Each test's log is audited when its machine is dropped.

use std::collections::BTreeMap;
use std::path::Path;

use pb_model::GoalId;
use pb_model::goal::{Event, GoalState, evolve};
use pb_store::{EventRecord, LogReader};

/// Events read at once.
const PAGE: usize = 1000;

/// Audits a log; a home whose scheduler never started has none.
pub(crate) fn audit(state_db: &Path) {
    if state_db.exists() {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(audit_log(state_db));
    }
}

async fn audit_log(state_db: &Path) {
    let log = LogReader::open(state_db).await.unwrap();
    let mut folded: BTreeMap<String, (u64, Option<GoalState>)> = BTreeMap::new();
    let mut pos = 0;
    loop {
        let page = log.events_after(pos, PAGE).await.unwrap();
        if page.is_empty() {
            break;
        }
        for record in page {
            pos += 1;
            assert_eq!(record.pos, pos, "positions have no gaps");
            fold(&mut folded, &record);
        }
    }
    for (goal, (_, state)) in folded {
        let id: GoalId = goal.parse().unwrap();
        let stored = log.state(id).await.unwrap();
        assert_eq!(state, stored, "the events of {goal} fold into its rows");
    }
}

fn fold(folded: &mut BTreeMap<String, (u64, Option<GoalState>)>, record: &EventRecord) {
    let (seq, state) = folded.entry(record.goal.clone()).or_default();
    *seq += 1;
    assert_eq!(record.seq, *seq, "events of {} have no gaps", record.goal);
    let event: Event = serde_json::from_str(&record.body).unwrap();
    *state = evolve(state.take(), &event, record.at_ms);
}
