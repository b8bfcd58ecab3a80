//! The part of a turn that is about schedules: a slot and the goal that it submits, a goal's end and what its
//! schedule makes of it, are one commit.

use pb_model::goal::{Command, GoalState, GoalStatus};
use pb_model::schedule::{
    Ending, OfSchedule, Rhythm, Schedule, ScheduleCommand, ScheduleEvent, ScheduleRejection, decide, evolve,
};
use pb_model::{GoalId, ScheduleId};
use pb_protocol::schedule::data;
use pb_store::{NewEvent, Row, Write};

use super::{Papers, Turn};
use crate::goals::Goals;
use crate::trace::of_schedule;

/// The schedule that waits for this goal, and how that has ended; none while it has not.
pub(super) fn ending(state: &GoalState) -> Option<(ScheduleId, Ending)> {
    let schedule = state.goal.scheduled?.schedule;
    let ending = match state.goal.status {
        GoalStatus::Completed => Ending::Completed,
        GoalStatus::Cancelled => Ending::Cancelled,
        GoalStatus::Failed => Ending::Failed(state.goal.error.as_ref().map(|error| error.message.clone())),
        // What waits for a person has not ended, so nothing is begun beside it.
        GoalStatus::Queued | GoalStatus::Active | GoalStatus::Blocked => return None,
    };
    Some((schedule, ending))
}

impl Turn {
    /// Decides a command on a schedule, in memory, and notes what has to be written.
    pub(crate) fn decide_schedule(
        &mut self,
        goals: &mut Goals,
        id: ScheduleId,
        command: ScheduleCommand,
        rhythm: &Rhythm,
    ) -> Result<(), ScheduleRejection> {
        let now_ms = self.clock.now_ms();
        let before = goals.schedules().get(id);
        let events = decide(before, command, rhythm, now_ms)?;
        let mut state = before.cloned();
        let mut appended = Vec::with_capacity(events.len());
        for event in &events {
            state = evolve(state, event, now_ms);
            if let Some(state) = &state {
                if let Some(notes) = &mut self.notes {
                    of_schedule(event, state, now_ms, notes);
                }
                appended.push(self.record_schedule(event, state, now_ms));
            }
        }
        let Some(schedule) = state.filter(|_| !appended.is_empty()) else {
            return Ok(());
        };
        self.batch.writes.push(Write::ScheduleEvents { schedule: id, events: appended });
        self.batch.writes.push(Write::Row(Row::Schedule(Box::new(schedule.clone()))));
        if events.iter().any(|event| matches!(event, ScheduleEvent::Compacted { .. })) {
            self.batch.writes.push(Write::ForgetSchedule { schedule: id });
        }
        goals.schedules_mut().put(schedule.clone());
        for event in &events {
            match event {
                ScheduleEvent::Claimed { slot_ms, goal, .. } => {
                    self.submit(goals, &schedule, *goal, Some(*slot_ms));
                }
                ScheduleEvent::Ran { goal, .. } => self.submit(goals, &schedule, *goal, None),
                ScheduleEvent::Broke { reason, .. } => {
                    tracing::warn!(schedule = %id, reason, "a schedule is broken; a person has to look");
                }
                ScheduleEvent::Created { .. }
                | ScheduleEvent::Skipped { .. }
                | ScheduleEvent::Succeeded { .. }
                | ScheduleEvent::Failed { .. }
                | ScheduleEvent::Cancelled { .. }
                | ScheduleEvent::Paused { .. }
                | ScheduleEvent::Resumed { .. }
                | ScheduleEvent::Removed { .. }
                | ScheduleEvent::Compacted { .. } => {}
            }
        }
        Ok(())
    }

    /// Submits the goal of a schedule. One that is refused has failed.
    fn submit(&mut self, goals: &mut Goals, schedule: &Schedule, goal: GoalId, slot_ms: Option<u64>) {
        let command = Command::SubmitScheduled {
            id: goal,
            spec: Box::new(schedule.spec.goal.clone()),
            by: schedule.created_by.clone(),
            of: OfSchedule { schedule: schedule.id, slot_ms },
        };
        if let Err(rejection) = self.decide(goals, goal, command, &Papers::default()) {
            self.finish_scheduled(goals, schedule.id, goal, Ending::Failed(Some(rejection.to_string())));
        }
    }

    /// Tells a schedule how its goal ended.
    pub(super) fn finish_scheduled(
        &mut self,
        goals: &mut Goals,
        id: ScheduleId,
        goal: GoalId,
        ending: Ending,
    ) {
        let rhythm = goals.schedules().rhythm(id);
        let command = ScheduleCommand::Finish { goal, ending };
        // It was removed meanwhile, or a person had a goal tried again that ended before.
        if let Err(rejection) = self.decide_schedule(goals, id, command, &rhythm) {
            tracing::debug!(schedule = %id, %goal, %rejection, "no schedule waits for this goal");
        }
    }

    fn record_schedule(&self, event: &ScheduleEvent, state: &Schedule, at_ms: u64) -> NewEvent {
        NewEvent {
            id: self.ids.uuid().to_string(),
            at_ms,
            kind: event.kind().to_owned(),
            // A fact is plain data: maps with string keys, strings and numbers.
            body: serde_json::to_string(event).unwrap_or_default(),
            data: data(event, state, at_ms).to_string(),
        }
    }
}
