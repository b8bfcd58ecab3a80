//! `conversation.*`: what is said is a command for the scheduler; the answer is read from its log.

use std::time::Duration;

use pb_model::SessionId;
use pb_model::session::{MESSAGE_BYTES_MAX, Persona, Session, SessionStatus};
use pb_protocol::conversation::{Conversation, TaskInfo, Turn};
use pb_protocol::ipc::SchedulerCommand;
use pb_protocol::methods::Method;
use pb_protocol::methods::conversation::{
    End, EndParams, HistoryParams, HistoryResult, ListParams, ListResult, Message, MessageParams,
    MessageResult, StatusParams, StatusResult,
};
use pb_protocol::methods::goal::Accepted;
use pb_protocol::{ErrorCode, RpcError};
use pb_store::{NewCommand, SessionFilter, SessionPlace};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::goal::on_the_link;
use super::{Caller, persona};
use crate::hub::Hub;
use crate::inbox::commands::{self, Settled};
use crate::paging;

/// Its name in cursors.
const LIST: &str = "conversation";
/// How long a caller waits for the answer of a model.
const ANSWER_WAIT: Duration = Duration::from_mins(2);
/// How late a lost word can make it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Conversations on a page if nobody says how many.
const LIMIT_DEFAULT: usize = 50;
/// Most conversations on a page.
const LIMIT_MAX: usize = 500;

/// The parameters of a `conversation.message` row, as the scheduler reads them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageRow {
    session_id: SessionId,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<String>,
    /// The voice of one that begins, as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    persona: Option<Box<Persona>>,
}

/// What the scheduler says of a message that it took.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    session_id: SessionId,
    turn: u64,
}

pub(super) async fn message(
    hub: &Hub,
    caller: &Caller,
    params: MessageParams,
) -> Result<MessageResult, RpcError> {
    check(&params)?;
    let digest =
        commands::digest(&(&params.message, &params.session_id, &params.persona_id, &params.workspace))?;
    let going_on = match params.session_id.as_deref().and_then(|id| id.parse().ok()) {
        Some(id) => session(hub, id).await?.filter(|session| session.status != SessionStatus::Ended),
        None => None,
    };
    let row = match going_on {
        Some(session) => {
            MessageRow { session_id: session.id, message: params.message, workspace: None, persona: None }
        }
        None => MessageRow {
            session_id: SessionId::from(hub.ids.uuid()),
            message: params.message,
            workspace: params.workspace,
            persona: Some(Box::new(persona::chosen(hub, params.persona_id).await?)),
        },
    };
    let command = NewCommand {
        id: commands::id(hub, caller.actor(), Message::NAME, params.idempotency_key.as_deref())?,
        params_digest: digest,
        actor: caller.actor().to_owned(),
        method: Message::NAME.to_owned(),
        goal: row.session_id.to_string(),
        params: serde_json::to_string(&row).map_err(RpcError::internal)?,
        at_ms: hub.clock.now_ms(),
    };
    match commands::hand_over::<Taken>(hub, command.clone(), bell(&command)).await? {
        Settled::Done(taken) => {
            let patience = if params.wait == Some(false) { Duration::ZERO } else { ANSWER_WAIT };
            answered(hub, &taken, patience).await
        }
        Settled::Waiting(row) => {
            let kept: MessageRow = serde_json::from_str(&row.command.params).map_err(RpcError::internal)?;
            let (session_id, state) = (kept.session_id.to_string(), "idle".to_owned());
            Ok(MessageResult { session_id, state, waiting: true, ..MessageResult::default() })
        }
    }
}

fn check(params: &MessageParams) -> Result<(), RpcError> {
    if params.message.trim().is_empty() {
        return Err(RpcError::new(ErrorCode::InvalidParams, "message is required"));
    }
    if params.message.len() > MESSAGE_BYTES_MAX {
        let bytes = params.message.len();
        let message = format!("message: it has {bytes} bytes, at most {MESSAGE_BYTES_MAX} are taken");
        return Err(RpcError::invalid_params(message).hint("write it into a file, and name the file"));
    }
    if !params.attachments.is_empty() {
        let message = "attachments: none are taken yet";
        return Err(RpcError::invalid_params(message)
            .hint("put the file into the folder, and name it in the message"));
    }
    if params.workspace.as_deref().is_some_and(|folder| !folder.starts_with('/')) {
        return Err(RpcError::invalid_params("workspace: the path is not absolute"));
    }
    Ok(())
}

/// Waits until the message has its answer.
async fn answered(hub: &Hub, taken: &Taken, patience: Duration) -> Result<MessageResult, RpcError> {
    let deadline = Instant::now() + patience;
    // Before the first look, so that nothing falls in between.
    let mut news = hub.feed.follow(hub.feed.last_pos());
    loop {
        let found = session(hub, taken.session_id).await?;
        let session = found.ok_or_else(|| RpcError::internal("the conversation is not in the log"))?;
        let is_answered = session.answered >= taken.turn || session.status == SessionStatus::Ended;
        if is_answered || Instant::now() >= deadline {
            let response = session.answer_to(taken.turn).filter(|_| is_answered);
            return Ok(MessageResult {
                session_id: session.id.to_string(),
                response: response.map(|turn| turn.content.clone()).unwrap_or_default(),
                state: session.state().to_owned(),
                task_info: task_info(hub, &session).await?,
                turn: taken.turn,
                waiting: !is_answered,
            });
        }
        // A history that was replaced is looked at anew, as everything is.
        let _ = timeout_at(deadline.min(Instant::now() + LOOK_EVERY), news.next()).await;
    }
}

/// The goal that a conversation is about: the one under way, or the last one.
async fn task_info(hub: &Hub, session: &Session) -> Result<Option<TaskInfo>, RpcError> {
    let Some(goal) = session.active_goal().or(session.goals.last()) else { return Ok(None) };
    let mut info = TaskInfo::from(goal);
    if let Some(log) = hub.feed.reader()
        && let Some(state) = log.state(goal.id).await.map_err(RpcError::internal)?
        && !state.items.is_empty()
    {
        let done = state.items.iter().filter(|item| item.status.is_settled()).count();
        info.progress = u8::try_from(done * 100 / state.items.len()).ok();
    }
    Ok(Some(info))
}

pub(super) async fn history(hub: &Hub, params: HistoryParams) -> Result<HistoryResult, RpcError> {
    let Some(session) = named(hub, &params.session_id).await? else { return Ok(HistoryResult::default()) };
    let skipped = session.turns.len().saturating_sub(params.limit.unwrap_or(usize::MAX));
    Ok(HistoryResult { turns: session.turns.iter().skip(skipped).map(Turn::from).collect() })
}

pub(super) async fn status(hub: &Hub, params: StatusParams) -> Result<StatusResult, RpcError> {
    let found = named(hub, &params.session_id).await?;
    let Some(session) = found.filter(|session| session.status != SessionStatus::Ended) else {
        return Ok(StatusResult::default());
    };
    Ok(StatusResult {
        exists: true,
        state: Some(session.state().to_owned()),
        turn_count: Some(session.said),
        task_info: task_info(hub, &session).await?,
    })
}

pub(super) async fn list(hub: &Hub, params: ListParams) -> Result<ListResult, RpcError> {
    let limit = params.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let filter = SessionFilter {
        ended: params.ended,
        after: paging::after(LIST, params.cursor.as_deref())?,
        limit: limit + 1,
        offset: params.offset.unwrap_or(0),
    };
    let Some(log) = hub.feed.reader() else { return Ok(ListResult::default()) };
    let (mut page, total) = log.sessions(filter).await.map_err(RpcError::internal)?;
    let place = |session: &Session| SessionPlace { updated_at_ms: session.updated_at_ms, id: session.id };
    let next_cursor = paging::cut(LIST, &mut page, limit, place);
    Ok(ListResult { conversations: page.iter().map(Conversation::from).collect(), total, next_cursor })
}

pub(super) async fn end(hub: &Hub, caller: &Caller, params: EndParams) -> Result<Accepted, RpcError> {
    let found = named(hub, &params.session_id).await?;
    let Some(session) = found.filter(|session| session.status != SessionStatus::Ended) else {
        return Ok(Accepted { success: false, waiting: false });
    };
    let command = NewCommand {
        id: commands::id(hub, caller.actor(), End::NAME, params.idempotency_key.as_deref())?,
        params_digest: commands::digest(&session.id)?,
        actor: caller.actor().to_owned(),
        method: End::NAME.to_owned(),
        params: json!({"sessionId": session.id}).to_string(),
        goal: session.id.to_string(),
        at_ms: hub.clock.now_ms(),
    };
    Ok(match commands::hand_over(hub, command.clone(), bell(&command)).await? {
        Settled::Done(accepted) => accepted,
        Settled::Waiting(_) => Accepted { success: true, waiting: true },
    })
}

fn bell(command: &NewCommand) -> SchedulerCommand {
    SchedulerCommand {
        request_id: command.id.clone(),
        command: on_the_link(&command.method),
        goal_id: command.goal.clone(),
        reason: None,
    }
}

/// The conversation of this name, if there is one.
async fn named(hub: &Hub, id: &str) -> Result<Option<Session>, RpcError> {
    match id.parse() {
        Ok(id) => session(hub, id).await,
        Err(_) => Ok(None),
    }
}

async fn session(hub: &Hub, id: SessionId) -> Result<Option<Session>, RpcError> {
    match hub.feed.reader() {
        Some(log) => log.session(id).await.map_err(RpcError::internal),
        None => Ok(None),
    }
}
