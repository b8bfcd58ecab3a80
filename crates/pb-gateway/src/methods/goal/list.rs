//! `goal.list`: the goals of the log and those on their way there, each once.

use std::cmp::Reverse;

use pb_model::goal::GoalStatus;
use pb_protocol::RpcError;
use pb_protocol::domain::Goal;
use pb_protocol::methods::goal::{ListParams, ListResult};
use pb_store::{GoalFilter, InboxRow};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as ValueError;

use crate::hub::Hub;
use crate::inbox::pending;

/// Goals in a page that names no limit.
const LIMIT_DEFAULT: usize = 50;
/// Most goals in a page.
const LIMIT_MAX: usize = 1000;

pub(crate) async fn list(hub: &Hub, params: ListParams) -> Result<ListResult, RpcError> {
    let status = params.status.as_deref().map(parse_status).transpose()?;
    let limit = params.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let offset = params.offset.unwrap_or(0);
    if params.latest {
        return latest(hub, status, offset, limit).await;
    }
    page(hub, status, offset, limit).await
}

/// The goals that were asked for last, without `skip` of them, in the order of every page.
async fn latest(
    hub: &Hub,
    status: Option<GoalStatus>,
    skip: usize,
    limit: usize,
) -> Result<ListResult, RpcError> {
    let rows = waiting(hub, status).await?;
    let (known, mut total, executed) = match hub.feed.reader() {
        Some(log) => {
            let filter = GoalFilter { status, limit: skip.saturating_add(limit), offset: 0, latest: true };
            log.goals_beside(filter, hub.inbox.id()).await.map_err(RpcError::internal)?
        }
        None => (Vec::new(), 0, 0),
    };
    let mut goals: Vec<Goal> = known.iter().map(Goal::from).collect();
    let known = goals.len();
    let coming = rows.iter().filter(|row| row.pos > executed);
    goals.extend(coming.filter_map(|row| pending::goal(&row.command)));
    total += (goals.len() - known) as u64;
    goals.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    goals = goals.into_iter().skip(skip).take(limit).collect();
    goals.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(ListResult { goals, total })
}

/// What waits in the inbox and may be on a page of this status.
async fn waiting(hub: &Hub, status: Option<GoalStatus>) -> Result<Vec<InboxRow>, RpcError> {
    match status {
        None | Some(GoalStatus::Queued) => pending::rows(hub).await,
        Some(_) => Ok(Vec::new()),
    }
}

/// A page of goals, highest priority first, then oldest first.
pub(crate) async fn page(
    hub: &Hub,
    status: Option<GoalStatus>,
    offset: usize,
    limit: usize,
) -> Result<ListResult, RpcError> {
    // The inbox first: what is executed in between is then in the log as well, and the position that
    // comes with the log's page takes it out of these.
    let rows = waiting(hub, status).await?;
    let Some(log) = hub.feed.reader() else {
        let waiting: Vec<Goal> = rows.iter().filter_map(|row| pending::goal(&row.command)).collect();
        return Ok(merged(waiting, Vec::new(), 0, (offset, limit)));
    };
    // The goals of the inbox push those of the log back by at most their number.
    let skipped = offset.saturating_sub(rows.len());
    let filter = GoalFilter {
        status,
        limit: (offset - skipped).saturating_add(limit),
        offset: skipped,
        latest: false,
    };
    let (known, total, executed) =
        log.goals_beside(filter, hub.inbox.id()).await.map_err(RpcError::internal)?;
    let waiting: Vec<Goal> =
        rows.iter().filter(|row| row.pos > executed).filter_map(|row| pending::goal(&row.command)).collect();
    let known = known.iter().map(Goal::from).collect();
    Ok(merged(waiting, known, total, (offset - skipped, limit)))
}

/// Both, in order, without the first `skip`.
fn merged(waiting: Vec<Goal>, known: Vec<Goal>, total: u64, (skip, limit): (usize, usize)) -> ListResult {
    let total = total + waiting.len() as u64;
    let mut goals = known;
    goals.extend(waiting);
    goals.sort_by(|a, b| order(a).cmp(&order(b)));
    ListResult { goals: goals.into_iter().skip(skip).take(limit).collect(), total }
}

fn order(goal: &Goal) -> (Reverse<u8>, u64, &str) {
    (Reverse(goal.priority), goal.created_at, &goal.id)
}

fn parse_status(word: &str) -> Result<GoalStatus, RpcError> {
    let reader: serde::de::value::StrDeserializer<'_, ValueError> = word.into_deserializer();
    GoalStatus::deserialize(reader).map_err(|error| RpcError::invalid_params(format!("status: {error}")))
}
