//! What happens to conversations and schedules, told once it is committed.

use pb_model::goal::GoalStatus;
use pb_model::schedule::{Schedule, ScheduleEvent};
use pb_model::session::{Role, Session, SessionEvent, Turn};

use super::content::Text;
use super::spending::{reserved, settled};
use super::{About, Note, What};

/// Longest beginning of a message that is told, in characters (`wire.md` §3.3).
const PREVIEW_CHARS_MAX: usize = 100;

/// What an event of a schedule tells.
pub(crate) fn of_schedule(event: &ScheduleEvent, schedule: &Schedule, at_ms: u64, notes: &mut Vec<Note>) {
    let changed = |change, by: &String| What::ScheduleChanged { change, by: by.clone() };
    let ended = |goal, outcome, error: Option<&String>| {
        let error = error.map(|error| Text::new(error.as_str()));
        What::ScheduleGoalEnded { goal, outcome, error }
    };
    let what = match event {
        ScheduleEvent::Created { schedule } => What::ScheduleCreated {
            title: Text::new(schedule.spec.goal.title.as_str()),
            by: schedule.created_by.clone(),
        },
        ScheduleEvent::Claimed { slot_ms, goal, next_slot_ms } => What::ScheduleClaimed {
            goal: *goal,
            slot_ms: *slot_ms,
            late_ms: at_ms.saturating_sub(*slot_ms),
            next_slot_ms: *next_slot_ms,
        },
        ScheduleEvent::Ran { goal, by } => What::ScheduleRan { goal: *goal, by: by.clone() },
        ScheduleEvent::Skipped { first_ms, last_ms, count, why, .. } => {
            What::ScheduleSkipped { count: *count, first_ms: *first_ms, last_ms: *last_ms, why: why.as_str() }
        }
        ScheduleEvent::Succeeded { goal } => ended(*goal, "completed", None),
        ScheduleEvent::Failed { goal, error } => ended(*goal, "failed", error.as_ref()),
        ScheduleEvent::Cancelled { goal } => ended(*goal, "cancelled", None),
        ScheduleEvent::Broke { goal, reason } => {
            What::ScheduleBroke { goal: *goal, reason: Text::new(reason.as_str()) }
        }
        ScheduleEvent::Paused { by } => changed("paused", by),
        ScheduleEvent::Resumed { by, .. } => changed("resumed", by),
        ScheduleEvent::Removed { by } => changed("removed", by),
        ScheduleEvent::Compacted { .. } => return, // Nothing happened to it.
    };
    notes.push(Note { at_ms, about: About::schedule(schedule.id), what });
}

/// What an event of a conversation tells; `before` is how it stood.
pub(crate) fn of_session(
    event: &SessionEvent,
    before: Option<&Session>,
    session: &Session,
    at_ms: u64,
    notes: &mut Vec<Note>,
) {
    let mut put = |about, what| notes.push(Note { at_ms, about, what });
    let about = About::session(session.id);
    let call = |n: u32| {
        let epoch = before.and_then(|before| before.call.as_ref()).map_or(0, |call| call.epoch);
        About::session_call(session.id, n, epoch)
    };
    match event {
        SessionEvent::Started { session } => {
            put(about, What::SessionStarted { by: session.created_by.clone() });
        }
        SessionEvent::Said { turn } => {
            let length = turn.content.chars().count();
            put(about, What::MessageReceived { length, has_attachments: false });
        }
        SessionEvent::ModelRequested { epoch, model, reservation, .. } => {
            let said = session.turns.iter().rev().find(|turn| turn.role == Role::User);
            let preview = Text::preview(said.map_or("", |turn| &turn.content), PREVIEW_CHARS_MAX);
            put(about, What::ProcessStarted { preview, has_attachments: false });
            let call = About::session_call(session.id, reservation.n, *epoch);
            put(call, reserved(model, None, reservation));
        }
        SessionEvent::ModelFailed { n, model, error, charge, not_before_ms, .. } => {
            put(call(*n), settled(model, charge, None));
            let delay_ms = not_before_ms.map(|at| at.saturating_sub(at_ms));
            put(about, What::MessageFailed { error: Text::new(error.as_str()), delay_ms });
        }
        SessionEvent::Responded { n, model, charge, turn, .. } => {
            put(call(*n), settled(model, charge, None));
            for what in answered(turn, session, at_ms, false) {
                put(about, what);
            }
        }
        SessionEvent::MadeGoal { n, model, charge, turn, .. } => {
            put(call(*n), settled(model, charge, None));
            for what in answered(turn, session, at_ms, true) {
                put(about, what);
            }
        }
        SessionEvent::GaveUp { turn } => {
            put(about, What::MessageFailed { error: Text::new(turn.content.as_str()), delay_ms: None });
        }
        SessionEvent::Told { turn, goal, ended } => {
            let (goal, status) = (*goal, ended.map(GoalStatus::as_str));
            put(about, What::ProgressUpdated { goal, status, text: Text::new(turn.content.as_str()) });
        }
        SessionEvent::Ended { by } => {
            let duration_ms = at_ms.saturating_sub(session.created_at_ms);
            put(about, What::SessionEnded { by: by.clone(), duration_ms });
        }
        SessionEvent::Compacted { .. } => {} // Nothing happened in it.
    }
}

/// An answer, and that it is told: `wire.md` has an event for each.
fn answered(turn: &Turn, session: &Session, at_ms: u64, has_task: bool) -> [What; 2] {
    let (length, state) = (turn.content.chars().count(), session.state());
    let answered_to = turn.answers.and_then(|n| session.turns.iter().find(|said| said.n == n));
    [
        What::ProcessCompleted { length, state, has_task, response: Text::new(turn.content.as_str()) },
        What::MessageCompleted {
            length,
            state,
            has_task,
            duration_ms: answered_to.map(|said| at_ms.saturating_sub(said.at_ms)),
        },
    ]
}
