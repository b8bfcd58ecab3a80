//! A clock that jumps: the machine slept, or somebody set it. Work goes by running time, which stands still
//! meanwhile (`durability.md` §4).

use pb_model::Millis;
use pb_model::goal::Command;
use tokio::time::Instant;

use super::{Driver, FORGET_INTERVAL_MS};
use crate::turn::{Papers, Turn};

/// Smaller differences between the clocks are none, in milliseconds.
const JUMP_MS_MIN: u64 = 1_000;

/// The last moment by both clocks: the one on the wall, and the one that stands still while the machine does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clocks {
    wall: Millis,
    running: Instant,
}

impl Clocks {
    pub(super) fn at(wall: Millis) -> Self {
        Self { wall, running: Instant::now() }
    }

    /// By how much the one on the wall went further than the other; none if that is nothing.
    fn jump_to(self, now: Self) -> Option<i64> {
        let ran = now.running.saturating_duration_since(self.running).as_millis();
        let expected = self.wall.saturating_add(u64::try_from(ran).unwrap_or(u64::MAX));
        let by = i64::try_from(i128::from(now.wall) - i128::from(expected)).ok()?;
        (by.unsigned_abs() >= JUMP_MS_MIN).then_some(by)
    }
}

impl Driver {
    /// Takes a jump of the clock out of the running time of each goal that runs.
    pub(super) fn note_jump(&mut self, turn: &mut Turn, now: Clocks) {
        let Some(by_ms) = self.clocks.jump_to(now) else { return };
        // Nothing is forgotten by a clock that may be set right in a moment.
        self.forgets_at_ms = now.wall.saturating_add(FORGET_INTERVAL_MS);
        tracing::info!(by_ms, "the clock jumped; running time goes on where it was");
        for goal in self.goals.in_order() {
            // Of most nothing runs.
            let _ = turn.decide(&mut self.goals, goal, Command::ClockJumped { by_ms }, &Papers::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_jump_is_what_one_clock_went_further_than_the_other() {
        let began = Clocks::at(1_000_000);
        let after = |wall: Millis, ran_ms: u64| {
            let running = began.running + Duration::from_millis(ran_ms);
            began.jump_to(Clocks { wall, running })
        };
        assert_eq!(after(1_005_000, 5_000), None);
        assert_eq!(after(1_005_999, 5_000), None);
        assert_eq!(after(29_805_000, 5_000), Some(28_800_000));
        assert_eq!(after(5_000, 5_000), Some(-1_000_000));
    }
}
