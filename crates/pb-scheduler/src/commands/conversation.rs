//! `conversation.message|end`.

use pb_model::SessionId;
use pb_model::session::{Persona, SESSIONS_MAX, SessionCommand, SessionRejection, SessionStatus};
use pb_protocol::methods::Method;
use pb_protocol::methods::conversation::{End, Message};
use pb_protocol::{ErrorCode, RpcError};
use pb_store::InboxRow;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::goals::Goals;
use crate::turn::Turn;

#[derive(Debug, Clone)]
pub(super) struct Talk {
    session: SessionId,
    command: SessionCommand,
}

/// What the gateway wrote; each method has its part of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    session_id: SessionId,
    #[serde(default)]
    message: String,
    #[serde(default)]
    workspace: Option<String>,
    #[serde(default)]
    persona: Option<Box<Persona>>,
}

/// The command of a row; `None` if it is none of these.
pub(super) fn prepare(row: &InboxRow) -> Option<Result<Talk, RpcError>> {
    let method = row.command.method.as_str();
    [Message::NAME, End::NAME].contains(&method).then(|| read(method, row))
}

fn read(method: &str, row: &InboxRow) -> Result<Talk, RpcError> {
    let params: Params = serde_json::from_str(&row.command.params).map_err(RpcError::invalid_params)?;
    let (id, by) = (params.session_id, row.command.actor.clone());
    let command = if method == End::NAME {
        SessionCommand::End { by }
    } else {
        let persona = params.persona.unwrap_or_else(|| Box::new(Persona::built_in()));
        SessionCommand::Say { id, persona, workspace: params.workspace, text: params.message, by }
    };
    Ok(Talk { session: id, command })
}

pub(super) fn execute(turn: &mut Turn, goals: &mut Goals, talk: &Talk) -> Result<Value, RpcError> {
    let id = talk.session;
    let is_new = goals.sessions().get(id).is_none();
    if is_new && matches!(talk.command, SessionCommand::Say { .. }) {
        make_room(turn, goals)?;
    }
    turn.decide_session(goals, id, talk.command.clone()).map_err(|why| rejected(&why))?;
    let said = goals.sessions().get(id).map(|session| session.said);
    Ok(match said {
        Some(turn) => json!({ "sessionId": id, "turn": turn }),
        None => json!({ "success": true }),
    })
}

/// The conversation that was quiet longest ends, if there are too many.
fn make_room(turn: &mut Turn, goals: &mut Goals) -> Result<(), RpcError> {
    let Some(quietest) = goals.sessions().makes_room() else { return Ok(()) };
    let is_idle = |id| goals.sessions().get(id).is_some_and(|session| session.status == SessionStatus::Idle);
    if !is_idle(quietest) {
        let message = format!("{SESSIONS_MAX} conversations wait for answers already");
        return Err(RpcError::new(ErrorCode::RateLimited, message).hint("try again when some were answered"));
    }
    let command = SessionCommand::End { by: "the scheduler, to make room".to_owned() };
    turn.decide_session(goals, quietest, command).map_err(|why| rejected(&why))
}

fn rejected(rejection: &SessionRejection) -> RpcError {
    let text = rejection.to_string();
    match rejection {
        SessionRejection::Message(_) => RpcError::invalid_params(text),
        SessionRejection::Unknown
        | SessionRejection::Ended
        | SessionRejection::NotItsGoal
        | SessionRejection::NotNow(_) => RpcError::new(ErrorCode::InvalidStateTransition, text),
    }
}
