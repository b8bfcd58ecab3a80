//! Claiming slots: each is one commit with the goal that it submits, so that no crash loses one or makes two.

use pb_model::schedule::ScheduleCommand;
use pb_runtime::{disk, halt};

use super::Driver;
use crate::turn::Turn;

impl Driver {
    /// Claims the slots that are due. Those that cannot be claimed now are late then, or missed.
    pub(super) fn claim_slots(&mut self, turn: &mut Turn) {
        let due = self.goals.schedules().due(self.context.config.clock.now_ms());
        if due.is_empty() || self.draining || halt::is_set(&self.context.config.home) {
            return;
        }
        let folder = self.context.config.db.parent().unwrap_or(self.context.config.home.root());
        if let Err(low) = disk::refuse_low(folder, self.context.settings.disk.free_bytes_min) {
            tracing::debug!(%low, "no slot is claimed");
            return;
        }
        for id in due {
            let command = match self.goals.schedules().problem(id) {
                None => ScheduleCommand::Due,
                Some(problem) => ScheduleCommand::Break { why: problem.to_owned() },
            };
            let rhythm = self.goals.schedules().rhythm(id);
            if let Err(rejection) = turn.decide_schedule(&mut self.goals, id, command, &rhythm) {
                tracing::error!(schedule = %id, %rejection, "a slot is not claimed");
            }
        }
    }
}
