//! Goals that ended, and their compaction: part by part, between the writer's other batches.
//!
//! ```text
//!   begin (a goal and its events) --> part --> part --> done        said: the tail after each part
//!                                      \ killed, cut off, refused: the next life goes on with it
//! ```

use std::collections::BTreeMap;
use std::fmt::Display;

use anyhow::Context;
use pb_model::GoalId;
use pb_model::goal::Goal;
use pb_store::{Batch, Compact, Error, Log, NewEvent, Retention, Row, Write};
use serde_json::json;
use uuid::Uuid;

use super::said::Said;
use crate::Tally;
use crate::audit::{EventFact, LogFacts};

/// Events of the shortest such goal: more than one part.
const EVENTS_MIN: u64 = 260;
/// How much longer others are: up to three parts.
const EVENTS_STEPS: [u64; 3] = [0, 100, 300];
/// Ids from here on are goals that ended.
const ENDED_FROM: u128 = 1 << 100;
/// The event that stands for those that were dropped (`pb_store::Compact`).
const SNAPSHOT_KIND: &str = "goal.compacted";
/// Everything that has ended is due.
const DUE: Retention = Retention { ended_before_ms: u64::MAX, bytes_max: u64::MAX };

/// Goes one part on with a goal that ended, or makes one; what is to be said of it.
///
/// # Errors
/// The store refused.
pub async fn go_on(log: &Log, (incarnation, n): (u64, u64)) -> anyhow::Result<Result<Option<Said>, Error>> {
    let due = match log.reader().compactable(DUE, 1).await {
        Ok(due) => due.into_iter().next(),
        Err(error) => return Ok(Err(error)),
    };
    let Some(due) = due else {
        let batch = begin(incarnation, n)?;
        return Ok(log.commit(batch).await.map(|_| None));
    };
    let snapshot = NewEvent {
        id: format!("{} snapshot", due.goal),
        at_ms: 1,
        kind: SNAPSHOT_KIND.to_owned(),
        body: "{}".to_owned(),
        data: "{}".to_owned(),
    };
    let write = Write::Compact(Compact { goal: due.goal, seq: due.seq, snapshot });
    let committed = match log.commit(Batch { writes: vec![write] }).await {
        Ok(committed) => committed,
        Err(error) => return Ok(Err(error)),
    };
    let part = committed.compacted.first().context("a part was committed and nothing is told of it")?;
    Ok(Ok(Some(Said::Compacted { goal: part.goal.to_string(), events: part.events, done: part.done })))
}

/// A goal that ended, with everything that is told about it.
fn begin(incarnation: u64, n: u64) -> anyhow::Result<Batch> {
    let id = GoalId::from(Uuid::from_u128(ENDED_FROM | (u128::from(incarnation) << 32) | u128::from(n)));
    let goal: Goal = serde_json::from_value(json!({
        "id": id, "created_at_ms": 1, "updated_at_ms": 1, "completed_at_ms": 1, "created_by": "writer",
        "spec": {"title": "ended", "description": "旧"}, "status": "completed", "phase": "monitor",
        "spent_time_ms": 0, "baseline": {}, "quiet_rounds": [],
    }))
    .context("the ended goal of the writer is none")?;
    let events = (1..=events_of(id)).map(|k| NewEvent {
        id: format!("{id} {k}"),
        at_ms: 1,
        kind: "test.event".to_owned(),
        body: body(k),
        data: "{}".to_owned(),
    });
    let events = Write::Events { goal: id, events: events.collect() };
    Ok(Batch { writes: vec![events, Write::Row(Row::Goal(Box::new(goal)))] })
}

fn body(k: u64) -> String {
    format!(r#"{{"old":{k}}}"#)
}

/// How many events an ended goal has, before it is compacted.
fn events_of(goal: GoalId) -> u64 {
    let place = goal.uuid().as_u128() % EVENTS_STEPS.len() as u128;
    EVENTS_MIN + usize::try_from(place).ok().and_then(|place| EVENTS_STEPS.get(place)).unwrap_or(&0)
}

/// Whether it is a goal that ended, and not one of commands.
pub fn is_ended(goal: &str) -> bool {
    goal.parse::<GoalId>().is_ok_and(|goal| goal.uuid().as_u128() >= ENDED_FROM)
}

/// What was answered about compactions.
pub type Dropped = BTreeMap<String, (u64, bool)>;

/// A goal has all of its events, or those after its tail and one snapshot behind them; what was answered as
/// dropped does not come back.
pub fn check(log: &LogFacts, dropped: &Dropped, tally: &mut Tally, hint: &impl Display) {
    let mut found = BTreeMap::<&str, Vec<&EventFact>>::new();
    for event in log.events.iter().filter(|event| is_ended(&event.goal)) {
        found.entry(&event.goal).or_default().push(event);
    }
    for (goal, events) in &found {
        let Ok(id) = goal.parse::<GoalId>() else { continue };
        let count = events_of(id);
        let tail = log.heads.get(*goal).map_or(1, |head| head.tail);
        let kept = (tail..=count).map(|k| (k, format!("{id} {k}"), body(k)));
        let snapshot = (tail > 1).then(|| (count + 1, format!("{id} snapshot"), "{}".to_owned()));
        let is = events.iter().map(|event| (event.seq, event.id.clone(), event.body.clone()));
        if !is.eq(kept.chain(snapshot)) {
            tally.fail(format_args!("{hint}: {goal}, compacted up to {tail}, has not its events"));
        }
        let (answered, done) = dropped.get(*goal).copied().unwrap_or_default();
        if tail <= answered || (done && tail != count + 1) {
            tally.lost += 1;
            tally.fail(format_args!("{hint}: {goal} was compacted by {answered}, its tail is {tail}"));
        }
    }
    if let Some(goal) = dropped.keys().find(|goal| !found.contains_key(goal.as_str())) {
        tally.lost += 1;
        tally.fail(format_args!("{hint}: {goal} was compacted, and is lost"));
    }
    let cut = found
        .keys()
        .filter(|goal| log.heads.get(**goal).is_some_and(|head| head.tail > 1 && head.tail < head.seq));
    tally.count("found in mid-compaction", cut.count() as u64);
}
