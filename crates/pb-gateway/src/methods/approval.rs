//! `approval.*`: the questions that wait for a yes. An answer is one to the escalation.

use std::fmt::Display;
use std::str::FromStr;

use pb_model::goal::{Answer, Escalation, EscalationType};
use pb_model::{EscalationId, ItemId, RunId};
use pb_protocol::domain::Approval;
use pb_protocol::methods::Method;
use pb_protocol::methods::approval::{Create, CreateParams, DecideParams, GetParams, ListParams, ListResult};
use pb_protocol::methods::escalation::{PendingResult, RespondData, RespondParams};
use pb_protocol::methods::goal::Accepted;
use pb_protocol::{ErrorCode, RpcError};
use pb_store::EscalationFilter;
use serde::Deserialize;
use serde_json::json;

use super::{Caller, goal};
use crate::hub::Hub;
use crate::inbox::commands::Settled;
use crate::paging;

/// Its name in cursors.
const LIST: &str = "approval";
/// Approvals on a page if nobody says how many.
const LIMIT_DEFAULT: usize = 50;
/// Most approvals on a page.
const LIMIT_MAX: usize = 500;

pub(super) async fn list(hub: &Hub, params: ListParams) -> Result<ListResult, RpcError> {
    let (is_open, approved) = match params.status.as_deref() {
        None => (None, None),
        Some("pending") => (Some(true), None),
        Some("approved") => (None, Some(true)),
        Some("denied") => (None, Some(false)),
        Some(other) => {
            let message = format!("status: there is no `{other}`; there are: pending, approved, denied");
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
        escalation_type: Some(EscalationType::Approval),
        approved,
        after: paging::after(LIST, params.cursor.as_deref())?,
        limit: limit + 1,
        offset: params.offset.unwrap_or(0),
    };
    let Some(log) = hub.feed.reader() else { return Ok(ListResult::default()) };
    let (mut page, total) = log.escalations(filter).await.map_err(RpcError::internal)?;
    let next_cursor = paging::cut(LIST, &mut page, limit, |asked| asked.id);
    Ok(ListResult { approvals: page.iter().map(Approval::from).collect(), total, next_cursor })
}

pub(super) async fn get(hub: &Hub, params: GetParams) -> Result<Approval, RpcError> {
    find(hub, &params.approval_id).await.map(|asked| Approval::from(&asked))
}

pub(super) async fn pending(hub: &Hub) -> Result<PendingResult, RpcError> {
    let open = ListParams { status: Some("pending".to_owned()), limit: Some(0), ..ListParams::default() };
    Ok(PendingResult { count: list(hub, open).await?.total })
}

/// Hands a request for a yes over, and gives it as it stands then.
pub(super) async fn create(hub: &Hub, caller: &Caller, params: CreateParams) -> Result<Approval, RpcError> {
    /// What the scheduler made of it.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Made {
        approval_id: String,
    }
    let goal = goal::resolve(hub, &params.goal_id).await?;
    let item: Option<ItemId> = known("workItemId", params.work_item_id.as_deref())?;
    let run: Option<RunId> = known("runId", params.run_id.as_deref())?;
    let asked = json!({
        "goalId": goal, "requestType": params.request_type, "description": params.description,
        "workItemId": item, "runId": run, "details": params.details,
    });
    let command =
        goal::Control { method: Create::NAME, goal, asked, key: params.idempotency_key, reason: None };
    match command.settle::<Made>(hub, caller).await? {
        Settled::Done(made) => get(hub, GetParams { approval_id: made.approval_id }).await,
        Settled::Waiting(_) => {
            let message = "the request is kept, and nobody can be asked before a scheduler has taken it";
            Err(RpcError::new(ErrorCode::InternalError, message).hint(
                "start one: pb scheduler start; the same idempotencyKey then tells what came of the request",
            ))
        }
    }
}

fn known<T: FromStr<Err: Display>>(key: &str, id: Option<&str>) -> Result<Option<T>, RpcError> {
    let parse = |id: &str| id.parse().map_err(|error| RpcError::invalid_params(format!("{key}: {error}")));
    id.map(parse).transpose()
}

/// Hands a yes or a no over.
pub(super) async fn decide(
    hub: &Hub,
    caller: &Caller,
    params: DecideParams,
    yes: bool,
) -> Result<Accepted, RpcError> {
    let asked = find(hub, &params.approval_id).await?;
    // The first clients know this refusal (`wire.md` §2.6). A repeat of a key gets its first answer instead, and
    // who is first is for the scheduler to say.
    if !asked.is_open() && params.idempotency_key.is_none() {
        return Err(RpcError::new(ErrorCode::InvalidParams, "Approval request is not pending"));
    }
    let answer = if yes { Answer::Approve } else { Answer::Deny };
    let words = if yes { params.conditions.or(params.reason) } else { params.reason };
    let data = words.map(|text| RespondData { text: Some(text), ..RespondData::default() });
    let respond = RespondParams {
        escalation_id: params.approval_id,
        action: answer.as_str().to_owned(),
        data,
        idempotency_key: params.idempotency_key,
    };
    goal::respond(hub, caller, respond).await
}

async fn find(hub: &Hub, id: &str) -> Result<Escalation, RpcError> {
    let not_found = || RpcError::new(ErrorCode::EscalationNotFound, format!("approval not found: {id}"));
    let known: EscalationId = id.parse().map_err(|_| not_found())?;
    let log = hub.feed.reader().ok_or_else(not_found)?;
    let found = log.escalation(known).await.map_err(RpcError::internal)?;
    found.filter(|asked| asked.escalation_type == EscalationType::Approval).ok_or_else(not_found)
}
