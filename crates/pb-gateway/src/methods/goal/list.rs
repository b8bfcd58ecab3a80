//! `goal.list`: the goals of the log and those on their way there, each once.

use std::cmp::Reverse;

use pb_model::goal::GoalStatus;
use pb_protocol::RpcError;
use pb_protocol::domain::Goal;
use pb_protocol::methods::goal::{ListParams, ListResult};
use pb_store::{GoalFilter, GoalPlace, InboxRow};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as ValueError;

use crate::hub::Hub;
use crate::inbox::pending;
use crate::paging;

/// Goals in a page that names no limit.
const LIMIT_DEFAULT: usize = 50;
/// Most goals in a page.
const LIMIT_MAX: usize = 1000;
/// Its name in cursors.
const LIST: &str = "goal";

/// Which goals are asked for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    status: Option<GoalStatus>,
    after: Option<GoalPlace>,
    offset: usize,
    limit: usize,
}

impl Asked {
    /// The first so many, in any status.
    pub(crate) fn first(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }
}

pub(crate) async fn list(hub: &Hub, params: ListParams) -> Result<ListResult, RpcError> {
    let asked = Asked {
        status: params.status.as_deref().map(parse_status).transpose()?,
        after: paging::after(LIST, params.cursor.as_deref())?,
        offset: params.offset.unwrap_or(0),
        limit: params.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX),
    };
    if params.latest { latest(hub, asked).await } else { page(hub, asked).await }
}

/// The goals that were asked for last, in the order of every page.
async fn latest(hub: &Hub, asked: Asked) -> Result<ListResult, RpcError> {
    let Asked { status, after, offset, limit } = asked;
    let rows = waiting(hub, status).await?;
    let (known, total, executed) = match hub.feed.reader() {
        Some(log) => {
            let limit = offset.saturating_add(limit).saturating_add(1);
            let filter = GoalFilter { status, limit, offset: 0, latest: true, after: after.clone() };
            log.goals_beside(filter, hub.inbox.id()).await.map_err(RpcError::internal)?
        }
        None => (Vec::new(), 0, 0),
    };
    let coming = coming(&rows, executed);
    let total = total + coming.len() as u64;
    let is_after = |goal: &Goal| {
        after.as_ref().is_none_or(|place| (goal.created_at, &goal.id) < (place.created_at_ms, &place.id))
    };
    let mut goals: Vec<Goal> = known.iter().map(Goal::from).collect();
    goals.extend(coming.into_iter().filter(is_after));
    goals.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    goals.drain(..offset.min(goals.len()));
    let next_cursor = paging::cut(LIST, &mut goals, limit, place);
    goals.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(ListResult { goals, total, next_cursor })
}

/// What waits in the inbox and may be on a page of this status.
async fn waiting(hub: &Hub, status: Option<GoalStatus>) -> Result<Vec<InboxRow>, RpcError> {
    match status {
        None | Some(GoalStatus::Queued) => pending::rows(hub).await,
        Some(_) => Ok(Vec::new()),
    }
}

/// The goals of rows that the log did not know yet when it had executed so many.
fn coming(rows: &[InboxRow], executed: u64) -> Vec<Goal> {
    rows.iter().filter(|row| row.pos > executed).filter_map(|row| pending::goal(&row.command)).collect()
}

/// A page of goals, highest priority first, then oldest first.
pub(crate) async fn page(hub: &Hub, asked: Asked) -> Result<ListResult, RpcError> {
    let Asked { status, after, offset, limit } = asked;
    // The inbox first: what is executed in between is then in the log as well, and the position that
    // comes with the log's page takes it out of these.
    let rows = waiting(hub, status).await?;
    // The goals of the inbox push those of the log back by at most their number.
    let skipped = offset.saturating_sub(rows.len());
    let offset = offset - skipped;
    let (known, total, executed) = match hub.feed.reader() {
        Some(log) => {
            let limit = offset.saturating_add(limit).saturating_add(1);
            let filter = GoalFilter { status, limit, offset: skipped, latest: false, after: after.clone() };
            log.goals_beside(filter, hub.inbox.id()).await.map_err(RpcError::internal)?
        }
        None => (Vec::new(), 0, 0),
    };
    let coming = coming(&rows, executed);
    let total = total + coming.len() as u64;
    let is_after = |goal: &Goal| after.as_ref().is_none_or(|place| order(goal) > order_of(place));
    let mut goals: Vec<Goal> = known.iter().map(Goal::from).collect();
    goals.extend(coming.into_iter().filter(is_after));
    goals.sort_by(|a, b| order(a).cmp(&order(b)));
    goals.drain(..offset.min(goals.len()));
    let next_cursor = paging::cut(LIST, &mut goals, limit, place);
    Ok(ListResult { goals, total, next_cursor })
}

fn place(goal: &Goal) -> GoalPlace {
    GoalPlace { priority: goal.priority, created_at_ms: goal.created_at, id: goal.id.clone() }
}

fn order(goal: &Goal) -> (Reverse<u8>, u64, &str) {
    (Reverse(goal.priority), goal.created_at, &goal.id)
}

fn order_of(place: &GoalPlace) -> (Reverse<u8>, u64, &str) {
    (Reverse(place.priority), place.created_at_ms, &place.id)
}

fn parse_status(word: &str) -> Result<GoalStatus, RpcError> {
    let reader: serde::de::value::StrDeserializer<'_, ValueError> = word.into_deserializer();
    GoalStatus::deserialize(reader).map_err(|error| RpcError::invalid_params(format!("status: {error}")))
}
