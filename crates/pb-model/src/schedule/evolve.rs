//! Folding: the schedule after an event.

use super::{RECENT_MAX, Schedule, ScheduleEvent, ScheduleStatus, SlotResult, SlotRun};
use crate::{GoalId, Millis};

/// The schedule after `event`, which happened at `at_ms`. Nothing follows from an event of a schedule that there is not.
#[must_use]
pub fn evolve(schedule: Option<Schedule>, event: &ScheduleEvent, at_ms: Millis) -> Option<Schedule> {
    let mut schedule = match event {
        ScheduleEvent::Created { schedule } | ScheduleEvent::Compacted { schedule, .. } => {
            return Some(Schedule { events: 1, ..(**schedule).clone() });
        }
        ScheduleEvent::Claimed { .. }
        | ScheduleEvent::Ran { .. }
        | ScheduleEvent::Skipped { .. }
        | ScheduleEvent::Succeeded { .. }
        | ScheduleEvent::Failed { .. }
        | ScheduleEvent::Cancelled { .. }
        | ScheduleEvent::Broke { .. }
        | ScheduleEvent::Paused { .. }
        | ScheduleEvent::Resumed { .. }
        | ScheduleEvent::Removed { .. } => schedule?,
    };
    schedule.events += 1;
    schedule.updated_at_ms = at_ms;
    apply(&mut schedule, event, at_ms);
    Some(schedule)
}

fn apply(schedule: &mut Schedule, event: &ScheduleEvent, at_ms: Millis) {
    match event {
        ScheduleEvent::Created { .. } | ScheduleEvent::Compacted { .. } => {}
        ScheduleEvent::Claimed { slot_ms, goal, next_slot_ms } => {
            schedule.passed_ms = *slot_ms;
            schedule.next_slot_ms = *next_slot_ms;
            begin(schedule, *goal, Some(*slot_ms), at_ms);
        }
        ScheduleEvent::Ran { goal, .. } => begin(schedule, *goal, None, at_ms),
        ScheduleEvent::Skipped { last_ms, count, next_slot_ms, .. } => {
            schedule.passed_ms = *last_ms;
            schedule.next_slot_ms = *next_slot_ms;
            schedule.skipped = schedule.skipped.saturating_add(*count);
        }
        ScheduleEvent::Succeeded { goal } => {
            schedule.failures = 0;
            end(schedule, *goal, SlotResult::Completed, at_ms);
        }
        ScheduleEvent::Failed { goal, .. } => {
            schedule.failures = schedule.failures.saturating_add(1);
            end(schedule, *goal, SlotResult::Failed, at_ms);
        }
        ScheduleEvent::Cancelled { goal } => end(schedule, *goal, SlotResult::Cancelled, at_ms),
        ScheduleEvent::Broke { goal, reason } => {
            schedule.status = ScheduleStatus::Broken;
            schedule.reason = Some(reason.clone());
            schedule.next_slot_ms = None;
            if let Some(goal) = goal {
                schedule.failures = schedule.failures.saturating_add(1);
                end(schedule, *goal, SlotResult::Failed, at_ms);
            }
        }
        ScheduleEvent::Paused { .. } => {
            schedule.status = ScheduleStatus::Paused;
            schedule.next_slot_ms = None;
        }
        ScheduleEvent::Resumed { next_slot_ms, .. } => {
            schedule.status = ScheduleStatus::Active;
            schedule.reason = None;
            schedule.failures = 0;
            schedule.series = schedule.series.saturating_add(1);
            schedule.passed_ms = at_ms;
            schedule.next_slot_ms = *next_slot_ms;
        }
        ScheduleEvent::Removed { .. } => {
            schedule.status = ScheduleStatus::Removed;
            schedule.next_slot_ms = None;
        }
    }
}

fn begin(schedule: &mut Schedule, goal: GoalId, slot_ms: Option<Millis>, at_ms: Millis) {
    schedule.running = Some(goal);
    schedule.runs = schedule.runs.saturating_add(1);
    schedule.recent.push(SlotRun { slot_ms, goal, at_ms, ended_at_ms: None, result: None });
    let over = schedule.recent.len().saturating_sub(RECENT_MAX);
    schedule.recent.drain(..over);
}

fn end(schedule: &mut Schedule, goal: GoalId, result: SlotResult, at_ms: Millis) {
    schedule.running = None;
    if let Some(run) = schedule.recent.iter_mut().rev().find(|run| run.goal == goal) {
        run.ended_at_ms = Some(at_ms);
        run.result = Some(result);
    }
}
