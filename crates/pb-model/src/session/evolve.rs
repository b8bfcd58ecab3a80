//! Folding: the session after an event.

use super::{
    Call, GOALS_KEPT_MAX, Role, Session, SessionEvent, SessionStatus, TURNS_BYTES_MAX, TURNS_KEPT_MAX, Turn,
};
use crate::Millis;

/// The session after `event`, which happened at `at_ms`. Nothing follows from an event of one that there is not.
#[must_use]
pub fn evolve(session: Option<Session>, event: &SessionEvent, at_ms: Millis) -> Option<Session> {
    let mut session = match event {
        SessionEvent::Started { session } | SessionEvent::Compacted { session, .. } => {
            return Some(Session { events: 1, ..(**session).clone() });
        }
        SessionEvent::Said { .. }
        | SessionEvent::ModelRequested { .. }
        | SessionEvent::ModelFailed { .. }
        | SessionEvent::Responded { .. }
        | SessionEvent::MadeGoal { .. }
        | SessionEvent::GaveUp { .. }
        | SessionEvent::Told { .. }
        | SessionEvent::Ended { .. } => session?,
    };
    session.events += 1;
    session.updated_at_ms = at_ms;
    apply(&mut session, event);
    Some(session)
}

fn apply(session: &mut Session, event: &SessionEvent) {
    match event {
        SessionEvent::Started { .. } | SessionEvent::Compacted { .. } => {}
        SessionEvent::Said { turn } => {
            say(session, turn);
            session.asks = false;
            if session.status == SessionStatus::Idle {
                session.status = SessionStatus::Waiting;
            }
        }
        SessionEvent::ModelRequested { epoch, up_to, model, reservation } => {
            session.calls = reservation.n;
            session.call =
                Some(Call { n: reservation.n, epoch: *epoch, up_to: *up_to, model: model.clone() });
            session.spending.reserve(reservation.clone());
            session.status = SessionStatus::Thinking;
            session.not_before_ms = None;
        }
        SessionEvent::ModelFailed { n, model, charge, not_before_ms, .. } => {
            let payer = session.payer();
            session.spending.settle((payer, *n), (model, false), *charge);
            session.call = None;
            session.failures = session.failures.saturating_add(1);
            session.not_before_ms = *not_before_ms;
            session.status = SessionStatus::Waiting;
        }
        SessionEvent::Responded { n, model, charge, turn, asks, .. } => {
            respond(session, (*n, model), *charge, turn);
            session.asks = *asks;
        }
        SessionEvent::MadeGoal { n, model, charge, turn, goal, .. } => {
            respond(session, (*n, model), *charge, turn);
            session.goals.push(goal.clone());
            let over = session.goals.len().saturating_sub(GOALS_KEPT_MAX);
            session.goals.drain(..over);
        }
        SessionEvent::GaveUp { turn } => {
            session.answered = session.said;
            session.failures = 0;
            session.not_before_ms = None;
            session.status = SessionStatus::Idle;
            answer(session, turn);
        }
        SessionEvent::Told { turn, goal, ended } => {
            say(session, turn);
            if let Some(known) = session.goals.iter_mut().find(|known| known.id == *goal) {
                known.ended = *ended;
            }
        }
        SessionEvent::Ended { .. } => {
            session.status = SessionStatus::Ended;
            session.not_before_ms = None;
        }
    }
}

fn respond(session: &mut Session, (n, model): (u32, &str), charge: crate::goal::Charge, turn: &Turn) {
    let payer = session.payer();
    session.spending.settle((payer, n), (model, true), charge);
    session.spending.turns = session.spending.turns.saturating_add(1);
    session.answered = session.call.take().map_or(session.said, |call| call.up_to);
    session.failures = 0;
    // News of goals that were told meanwhile ask for no answer.
    let answered = session.answered;
    let more = session.turns.iter().any(|turn| turn.role == Role::User && turn.n > answered);
    session.status = if more { SessionStatus::Waiting } else { SessionStatus::Idle };
    answer(session, turn);
}

fn answer(session: &mut Session, turn: &Turn) {
    let answers = Some(session.answered);
    say(session, &Turn { answers, ..turn.clone() });
}

fn say(session: &mut Session, turn: &Turn) {
    session.said = turn.n;
    session.turns.push(turn.clone());
    let mut bytes: usize = session.turns.iter().map(|turn| turn.content.len()).sum();
    let mut over = 0;
    for turn in &session.turns {
        if session.turns.len() - over <= TURNS_KEPT_MAX && bytes <= TURNS_BYTES_MAX {
            break;
        }
        bytes -= turn.content.len();
        over += 1;
    }
    session.turns.drain(..over.min(session.turns.len() - 1));
}
