//! Deciding: what a command means for a session.

use super::{
    HISTORY_EVENTS_MAX, MESSAGE_BYTES_MAX, Persona, Role, Session, SessionEvent, SessionGoal, SessionStatus,
    Turn, UNANSWERED_MAX, evolve,
};
use crate::goal::{
    AfterFailure, Cap, Charge, DayBudget, GoalStatus, Hindrance, MODEL_FAILURES_MAX, Next, Reservation,
    Spending, Used,
};
use crate::spec::GoalSpec;
use crate::{Epoch, GoalId, Millis, SessionId, retry};

/// What is asked of a session.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the variants' docs name their fields; each is the id or value that it says")]
pub enum SessionCommand {
    /// A person says something; the first time, with whom and where.
    Say { id: SessionId, persona: Box<Persona>, workspace: Option<String>, text: String, by: String },
    /// The next request was put together; it may cost so much.
    Reserve { epoch: Epoch, next: Result<Next, Hindrance> },
    /// The call of the model ended.
    FinishThinking { n: u32, epoch: Epoch, thought: Box<SessionThought> },
    /// A new incarnation takes over what an earlier one was doing.
    TakeOver,
    /// There is news of a goal; `ended` if it is that it has.
    Tell { goal: GoalId, text: String, ended: Option<GoalStatus> },
    /// It is to be over.
    End { by: String },
}

/// How a call of a model ended.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionThought {
    /// The model that answered, or was asked.
    pub model: String,
    /// What it used, if that was told.
    pub used: Option<Used>,
    /// What it came to.
    pub heard: Heard,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the variants' docs name their fields; each is the value that it says")]
pub enum Heard {
    /// An answer.
    Answered(Reply),
    /// None, or none that can be used; what then, and whether it may have to be paid for.
    Failed { error: String, then: AfterFailure, charged: bool },
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the variants' docs name their fields; each is the value that it says")]
pub enum Reply {
    /// Words; `asks` if they are a question.
    Said { text: String, asks: bool },
    /// Words, and a goal.
    MadeGoal { text: String, goal: GoalId, spec: Box<GoalSpec> },
    /// Words, and a goal of the session that is to be cancelled.
    CancelledGoal { text: String, goal: GoalId },
}

/// The moment of a decision: time and randomness, as arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionMoment {
    /// Now.
    pub now_ms: Millis,
    /// A fresh random number, for delays.
    pub seed: u64,
    /// What has been spent today, and may be.
    pub day: DayBudget,
}

/// Why a command changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionRejection {
    /// There is no such session.
    #[error("there is no such conversation")]
    Unknown,
    /// It is over.
    #[error("the conversation has ended")]
    Ended,
    /// The message cannot be taken.
    #[error("message: {0}")]
    Message(String),
    /// A goal of another session, or of before the last ones.
    #[error("it is no goal of this conversation")]
    NotItsGoal,
    /// It does not fit the session's state; a late duplicate, or a bug.
    #[error("not now: {0}")]
    NotNow(&'static str),
}

/// The events that `command` means for `session`.
///
/// # Errors
/// The command changes nothing; the rejection says why.
pub fn decide(
    session: Option<&Session>,
    command: SessionCommand,
    moment: &SessionMoment,
) -> Result<Vec<SessionEvent>, SessionRejection> {
    let mut events = match (session, command) {
        (None, SessionCommand::Say { id, persona, workspace, text, by }) => {
            let session = Box::new(begun((id, *persona, workspace), by, moment.now_ms));
            let said = say(&session, text, moment)?;
            vec![SessionEvent::Started { session }, said]
        }
        (None, _) => return Err(SessionRejection::Unknown),
        (Some(session), _) if session.status == SessionStatus::Ended => return Err(SessionRejection::Ended),
        (Some(session), SessionCommand::Say { text, .. }) => vec![say(session, text, moment)?],
        (Some(session), SessionCommand::Reserve { epoch, next }) => {
            vec![reserve(session, epoch, next, moment)?]
        }
        (Some(session), SessionCommand::FinishThinking { n, epoch, thought }) => {
            thought_of(session, (n, epoch), *thought, moment)?
        }
        (Some(session), SessionCommand::TakeOver) => take_over(session, moment),
        (Some(session), SessionCommand::Tell { goal, text, ended }) => {
            if !session.goals.iter().any(|known| known.id == goal) {
                return Err(SessionRejection::NotItsGoal);
            }
            vec![SessionEvent::Told {
                turn: turn(session, Role::Worker, text, Some(goal), moment),
                goal,
                ended,
            }]
        }
        (Some(session), SessionCommand::End { by }) => {
            lost(session).into_iter().chain([SessionEvent::Ended { by }]).collect()
        }
    };
    if session.is_some_and(|session| session.events + events.len() as u64 >= HISTORY_EVENTS_MAX) {
        let after = events.iter().fold(session.cloned(), |state, event| evolve(state, event, moment.now_ms));
        if let Some(after) = after {
            let dropped = after.events;
            events.push(SessionEvent::Compacted { session: Box::new(after), events: dropped });
        }
    }
    Ok(events)
}

fn begun(
    (id, persona, workspace): (SessionId, Persona, Option<String>),
    by: String,
    now_ms: Millis,
) -> Session {
    Session {
        id,
        persona,
        workspace,
        created_by: by,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        status: SessionStatus::Idle,
        turns: Vec::new(),
        said: 0,
        answered: 0,
        asks: false,
        calls: 0,
        call: None,
        failures: 0,
        not_before_ms: None,
        spending: Spending::default(),
        goals: Vec::new(),
        events: 1,
    }
}

fn turn(
    session: &Session,
    role: Role,
    content: String,
    goal: Option<GoalId>,
    moment: &SessionMoment,
) -> Turn {
    Turn { n: session.said + 1, role, content, at_ms: moment.now_ms, goal, answers: None }
}

fn say(session: &Session, text: String, moment: &SessionMoment) -> Result<SessionEvent, SessionRejection> {
    if text.trim().is_empty() {
        return Err(SessionRejection::Message("it is empty".to_owned()));
    }
    if text.len() > MESSAGE_BYTES_MAX {
        let problem = format!("it has {} bytes, at most {MESSAGE_BYTES_MAX} are taken", text.len());
        return Err(SessionRejection::Message(problem));
    }
    let unanswered =
        session.turns.iter().filter(|turn| turn.role == Role::User && turn.n > session.answered).count();
    if unanswered as u64 >= UNANSWERED_MAX {
        let problem = format!("{UNANSWERED_MAX} messages wait for an answer already");
        return Err(SessionRejection::Message(problem));
    }
    Ok(SessionEvent::Said { turn: turn(session, Role::User, text, None, moment) })
}

/// The call is paid for, or will not be made.
fn reserve(
    session: &Session,
    epoch: Epoch,
    next: Result<Next, Hindrance>,
    moment: &SessionMoment,
) -> Result<SessionEvent, SessionRejection> {
    if session.status != SessionStatus::Waiting {
        return Err(SessionRejection::NotNow("nothing waits for an answer"));
    }
    let next = match next {
        Ok(next) => next,
        Err(hindrance) => return Ok(give_up(session, &hindrance.to_string(), moment)),
    };
    if moment.day.broken_by(next.amount) {
        let why =
            format!("the {} is used up; raise it in config.toml ({})", Cap::Day.as_str(), Cap::Day.key());
        return Ok(give_up(session, &why, moment));
    }
    let reservation = Reservation {
        run: session.payer(),
        n: session.calls + 1,
        amount: next.amount,
        unpriced: next.unpriced,
        output_tokens: next.output_tokens,
        day: moment.day.day.clone(),
    };
    Ok(SessionEvent::ModelRequested { epoch, up_to: session.said, model: next.model, reservation })
}

fn give_up(session: &Session, why: &str, moment: &SessionMoment) -> SessionEvent {
    let text = format!("There is no answer: {why}");
    SessionEvent::GaveUp { turn: turn(session, Role::Worker, text, None, moment) }
}

fn thought_of(
    session: &Session,
    (n, epoch): (u32, Epoch),
    thought: SessionThought,
    moment: &SessionMoment,
) -> Result<Vec<SessionEvent>, SessionRejection> {
    if session.call.as_ref().is_none_or(|call| (call.n, call.epoch) != (n, epoch)) {
        return Err(SessionRejection::NotNow("the call is over"));
    }
    let held = session.spending.reservation(session.payer(), n);
    let SessionThought { model, used, heard } = thought;
    let charge = Charge::of(held, used);
    Ok(match heard {
        Heard::Answered(Reply::Said { text, asks }) => {
            let turn = turn(session, Role::Assistant, text, None, moment);
            vec![SessionEvent::Responded { n, model, used, charge, turn, asks, cancels: None }]
        }
        Heard::Answered(Reply::CancelledGoal { text, goal }) => {
            let turn = turn(session, Role::Assistant, text, Some(goal), moment);
            vec![SessionEvent::Responded { n, model, used, charge, turn, asks: false, cancels: Some(goal) }]
        }
        Heard::Answered(Reply::MadeGoal { text, goal, spec }) => {
            let turn = turn(session, Role::Assistant, text, Some(goal), moment);
            let goal = SessionGoal { id: goal, title: spec.title.clone(), ended: None };
            vec![SessionEvent::MadeGoal { n, model, used, charge, turn, goal, spec }]
        }
        Heard::Failed { error, then, charged } => {
            let charge = if charged { charge } else { Charge::default() };
            let (wait, why) = after_failure(session, &error, then, moment);
            let failed =
                SessionEvent::ModelFailed { n, model, error, charge, not_before_ms: wait, lost: false };
            let given_up = why.map(|why| give_up(session, &why, moment));
            std::iter::once(failed).chain(given_up).collect()
        }
    })
}

/// When it is tried again; if not, why.
fn after_failure(
    session: &Session,
    error: &str,
    then: AfterFailure,
    moment: &SessionMoment,
) -> (Option<Millis>, Option<String>) {
    let failures = session.failures + 1;
    match then {
        AfterFailure::Again { after_ms } if failures < MODEL_FAILURES_MAX => {
            let delay = retry::delay_ms(session.failures, moment.seed);
            let wait = after_ms.unwrap_or(0).min(retry::RETRY_MAX_MS).max(delay);
            (Some(moment.now_ms + wait), None)
        }
        AfterFailure::Again { .. } => {
            (None, Some(format!("{failures} calls in a row failed; the last: {error}")))
        }
        AfterFailure::Human => {
            let hint = "set its key and run `pb scheduler restart`, then say it again";
            (None, Some(format!("the model does not let us in: {error}; {hint}")))
        }
        AfterFailure::Shorter { .. } | AfterFailure::Nothing => (None, Some(error.to_owned())),
    }
}

/// A call that was under way is made again; not for ever, for it may be what ends the process.
fn take_over(session: &Session, moment: &SessionMoment) -> Vec<SessionEvent> {
    let Some(lost) = lost(session) else { return Vec::new() };
    let failures = session.failures + 1;
    let why = format!("{failures} calls in a row failed; nobody saw how the last one ended");
    let given_up = (failures >= MODEL_FAILURES_MAX).then(|| give_up(session, &why, moment));
    std::iter::once(lost).chain(given_up).collect()
}

/// The call whose end nobody will see, if there is one: it is charged in full.
fn lost(session: &Session) -> Option<SessionEvent> {
    let call = session.call.as_ref()?;
    Some(SessionEvent::ModelFailed {
        n: call.n,
        model: call.model.clone(),
        error: "nobody saw how it ended".to_owned(),
        charge: Charge::of(session.spending.reservation(session.payer(), call.n), None),
        not_before_ms: None,
        lost: true,
    })
}
