//! Which events were handed over, so that none is handed over twice.
//!
//! A gateway that keeps its word sends nothing twice after a cursor. This is for the one that does not.

use std::collections::HashMap;

use serde::Deserialize;

use crate::frame::EventFrame;

/// Goals of which the last number is remembered: those of the latest events. Only events close to the
/// cursor could come again, and they are of these.
const GOALS_MAX: usize = 4096;

/// The last number seen of each goal.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// At most half of [`GOALS_MAX`]; then it takes the place of `earlier`.
    lately: HashMap<String, u64>,
    earlier: HashMap<String, u64>,
    generation: Option<u64>,
}

/// What of an event's data tells which goal it is of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfGoal {
    goal_id: Option<String>,
}

impl Seen {
    /// Whether the event is new; from then on it is not. Events that are in no log are always new.
    pub(super) fn is_new(&mut self, frame: &EventFrame) -> bool {
        let Some(seq) = frame.seq else { return true };
        if frame.generation != self.generation {
            // Another generation numbers anew.
            *self = Self { generation: frame.generation, ..Self::default() };
        }
        let goal = serde_json::from_str::<OfGoal>(frame.data.get()).ok().and_then(|data| data.goal_id);
        // What is of no goal is numbered together.
        let goal = goal.unwrap_or_default();
        let last = self.lately.get(&goal).or_else(|| self.earlier.get(&goal));
        if last.is_some_and(|last| seq <= *last) {
            return false;
        }
        if self.lately.len() >= GOALS_MAX / 2 && !self.lately.contains_key(&goal) {
            self.earlier = std::mem::take(&mut self.lately);
        }
        self.lately.insert(goal, seq);
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn frame(goal: &str, generation: u64, seq: Option<u64>) -> EventFrame {
        let data = RawValue::from_string(format!(r#"{{"goalId":"{goal}"}}"#)).unwrap();
        EventFrame { seq, generation: Some(generation), ..EventFrame::outside_log("goal.tested", data) }
    }

    #[test]
    fn each_event_is_new_once_and_anew_in_another_generation() {
        let mut seen = Seen::default();
        let told: Vec<bool> =
            [("a", 1, 1), ("b", 1, 1), ("a", 1, 2), ("a", 1, 1), ("b", 1, 1), ("a", 2, 1), ("a", 2, 1)]
                .into_iter()
                .map(|(goal, generation, seq)| seen.is_new(&frame(goal, generation, Some(seq))))
                .collect();
        assert_eq!(told, [true, true, true, false, false, true, false]);
        assert!(seen.is_new(&frame("a", 2, None)) && seen.is_new(&frame("a", 2, None)), "in no log");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_holds_the_latest() {
        let mut seen = Seen::default();
        for n in 0..3 * GOALS_MAX {
            assert!(seen.is_new(&frame(&n.to_string(), 1, Some(1))));
            assert!(!seen.is_new(&frame(&n.saturating_sub(GOALS_MAX / 2 - 1).to_string(), 1, Some(1))));
            assert!(seen.lately.len() + seen.earlier.len() <= GOALS_MAX);
        }
    }
}
