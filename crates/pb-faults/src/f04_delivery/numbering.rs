//! Which event stands at which position: a function, so that everybody can tell what must come without
//! asking anybody.

use std::fmt::Write;

use pb_model::GoalId;
use pb_store::NewEvent;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Goals that the events are of.
pub(super) const GOALS: u64 = 40;
/// Events of one goal in a row, and what a commit is a multiple of.
pub(super) const IN_A_ROW: u64 = 5;

/// What clients are told about an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data {
    pub(super) goal_id: String,
    /// The event's position.
    pub(super) n: u64,
}

/// The goal of the event at `pos`, from 0.
pub(super) fn goal_number(pos: u64) -> u64 {
    (pos - 1) / IN_A_ROW % GOALS
}

/// Its number in its goal.
pub(super) fn seq(pos: u64) -> u64 {
    (pos - 1) / (IN_A_ROW * GOALS) * IN_A_ROW + (pos - 1) % IN_A_ROW + 1
}

/// The goal with this number.
pub(super) fn goal(number: u64) -> GoalId {
    Uuid::from_u128(0x1_0000 + u128::from(number)).into()
}

/// The name of the events of a goal.
pub(super) fn kind(number: u64) -> String {
    format!("goal{number}.moved")
}

/// What is committed at `pos`.
pub(super) fn event(pos: u64, at_ms: u64) -> NewEvent {
    let number = goal_number(pos);
    let mut id = String::with_capacity(16);
    let _ = write!(id, "e{pos}"); // A string takes everything.
    NewEvent { id, at_ms, kind: kind(number), body: "{}".to_owned(), data: data(pos) }
}

/// What clients are told about the event at `pos`.
pub(super) fn data(pos: u64) -> String {
    format!(r#"{{"goalId":"{}","n":{pos},"status":"active","title":"一個 goal"}}"#, goal(goal_number(pos)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn numbers_in_a_goal_have_no_gaps() {
        let mut seqs: BTreeMap<u64, u64> = BTreeMap::new();
        for pos in 1..=3 * GOALS * IN_A_ROW + 7 {
            let last = seqs.entry(goal_number(pos)).or_default();
            *last += 1;
            assert_eq!(seq(pos), *last, "{pos}");
            let data: Data = serde_json::from_str(&data(pos)).unwrap();
            assert_eq!(data, Data { goal_id: goal(goal_number(pos)).to_string(), n: pos });
        }
        assert_eq!(seqs.len() as u64, GOALS);
    }
}
