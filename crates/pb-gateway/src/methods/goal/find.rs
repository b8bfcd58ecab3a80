//! Finding a goal: in the log, or on its way there.

use pb_model::GoalId;
use pb_model::goal::GoalState;
use pb_protocol::RpcError;
use pb_protocol::domain::Goal;

use crate::hub::Hub;
use crate::inbox::pending;

/// Shortest part of an id that stands for the whole, in characters.
const FRAGMENT_CHARS_MIN: usize = 4;
/// Most ids that are named when a part stands for several.
const MATCHES_NAMED_MAX: usize = 5;

/// Where a goal was found.
#[derive(Debug)]
pub(crate) enum Found {
    /// In the log, with everything that belongs to it.
    InLog(Box<GoalState>),
    /// In the inbox: no scheduler has seen it yet.
    InInbox(Box<Goal>),
}

/// The id that a client's text stands for: an id, or a part that only one goal's id has.
pub(crate) async fn resolve(hub: &Hub, text: &str) -> Result<GoalId, RpcError> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    if text.chars().count() < FRAGMENT_CHARS_MIN {
        return Err(RpcError::goal_not_found(text)
            .hint(format!("a part of an id has at least {FRAGMENT_CHARS_MIN} characters")));
    }
    // The inbox first: a goal that is executed in between is found twice, and never not at all.
    let mut ids: Vec<String> = pending::rows(hub)
        .await?
        .into_iter()
        .filter(|row| row.command.method == pending::SUBMIT && row.command.goal.contains(text))
        .map(|row| row.command.goal)
        .collect();
    if let Some(log) = hub.feed.reader() {
        let known = log.goal_ids_like(text, MATCHES_NAMED_MAX + 1).await;
        ids.extend(known.map_err(RpcError::internal)?);
    }
    ids.sort();
    ids.dedup();
    match ids.as_slice() {
        [] => Err(RpcError::goal_not_found(text)),
        [id] => id.parse().map_err(RpcError::internal),
        several => {
            let more = if several.len() > MATCHES_NAMED_MAX { ", …" } else { "" };
            let named: Vec<_> = several.iter().take(MATCHES_NAMED_MAX).cloned().collect();
            Err(RpcError::invalid_params(format!("goalId: `{text}` is part of {}{more}", named.join(", ")))
                .hint("give more of the id"))
        }
    }
}

/// The goal with everything that belongs to it.
pub(crate) async fn state(hub: &Hub, id: GoalId) -> Result<Found, RpcError> {
    if let Some(state) = in_log(hub, id).await? {
        return Ok(Found::InLog(Box::new(state)));
    }
    let text = id.to_string();
    let row = pending::rows(hub)
        .await?
        .into_iter()
        .find(|row| row.command.goal == text && row.command.method == pending::SUBMIT)
        .ok_or_else(|| RpcError::goal_not_found(id))?;
    // A row may have been executed by now, or refused.
    if let Some(state) = in_log(hub, id).await? {
        return Ok(Found::InLog(Box::new(state)));
    }
    let executed = match hub.feed.reader() {
        Some(log) => log.inbox_read(hub.inbox.id()).await.map_err(RpcError::internal)?,
        None => 0,
    };
    pending::goal(&row.command)
        .filter(|_| row.pos > executed)
        .map(|goal| Found::InInbox(Box::new(goal)))
        .ok_or_else(|| RpcError::goal_not_found(id))
}

/// The goal itself.
pub(crate) async fn find(hub: &Hub, id: GoalId) -> Result<Goal, RpcError> {
    Ok(match state(hub, id).await? {
        Found::InLog(state) => Goal::from(&state.goal),
        Found::InInbox(goal) => *goal,
    })
}

async fn in_log(hub: &Hub, id: GoalId) -> Result<Option<GoalState>, RpcError> {
    match hub.feed.reader() {
        Some(log) => log.state(id).await.map_err(RpcError::internal),
        None => Ok(None),
    }
}
