//! `escalation.*`: what people are asked. Answers are commands, in `goal/control.rs`.

use pb_model::EscalationId;
use pb_protocol::RpcError;
use pb_protocol::domain::Escalation;
use pb_protocol::methods::escalation::{GetParams, ListParams, ListResult, PendingResult};
use pb_store::EscalationFilter;

use super::goal;
use crate::hub::Hub;
use crate::paging;

/// Its name in cursors.
const LIST: &str = "escalation";
/// Questions on a page if nobody says how many.
const LIMIT_DEFAULT: usize = 50;
/// Most questions on a page.
const LIMIT_MAX: usize = 500;

pub(super) async fn list(hub: &Hub, params: ListParams) -> Result<ListResult, RpcError> {
    let is_open = match params.status.as_deref() {
        None => None,
        Some("open") => Some(true),
        Some("resolved") => Some(false),
        Some(other) => {
            let message = format!("status: there is no `{other}`; there are: open, resolved");
            return Err(RpcError::invalid_params(message));
        }
    };
    let goal = match &params.goal_id {
        Some(id) => Some(goal::resolve(hub, id).await?),
        None => None,
    };
    let limit = params.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let filter = EscalationFilter {
        goal,
        is_open,
        escalation_type: None,
        approved: None,
        after: paging::after(LIST, params.cursor.as_deref())?,
        limit: limit + 1,
        offset: params.offset.unwrap_or(0),
    };
    let Some(log) = hub.feed.reader() else { return Ok(ListResult::default()) };
    let (mut page, total) = log.escalations(filter).await.map_err(RpcError::internal)?;
    let next_cursor = paging::cut(LIST, &mut page, limit, |asked| asked.id);
    Ok(ListResult { escalations: page.iter().map(Escalation::from).collect(), total, next_cursor })
}

pub(super) async fn get(hub: &Hub, params: GetParams) -> Result<Escalation, RpcError> {
    let not_found = || RpcError::escalation_not_found(&params.escalation_id);
    let id: EscalationId = params.escalation_id.parse().map_err(|_| not_found())?;
    let log = hub.feed.reader().ok_or_else(not_found)?;
    let found = log.escalation(id).await.map_err(RpcError::internal)?;
    found.as_ref().map(Escalation::from).ok_or_else(not_found)
}

pub(super) async fn pending(hub: &Hub) -> Result<PendingResult, RpcError> {
    let open = ListParams { status: Some("open".to_owned()), limit: Some(0), ..ListParams::default() };
    Ok(PendingResult { count: list(hub, open).await?.total })
}
