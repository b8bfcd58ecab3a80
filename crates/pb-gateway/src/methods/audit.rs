//! `audit.*`: the log, read backwards, as who did what.

use pb_model::ItemId;
use pb_protocol::RpcError;
use pb_protocol::audit::AuditEntry;
use pb_protocol::ipc::SchedulerCommand;
use pb_protocol::methods::Method;
use pb_protocol::methods::audit::{
    AUDIT_LIMIT_DEFAULT, AUDIT_LIMIT_MAX, AuditResult, ByActionParams, ByActorParams, ByEntityParams,
    ByGoalParams, ByTimeRangeParams, PageParams, Prune, PruneParams, PruneResult, StatsResult,
};
use pb_store::{Cursor, EventRecord, LogReader, NewCommand};
use serde_json::json;

use super::{Caller, goal};
use crate::hub::Hub;
use crate::inbox::commands::{self, Settled};

/// Events read from the log at once.
const READ_EVENTS: usize = 512;
/// Most events looked at for one page: about 20 ms of reading.
const LOOKED_AT_MAX: usize = 20_000;
/// Most events that are counted.
const COUNTED_MAX: usize = 200_000;

pub(super) async fn list(hub: &Hub, page: PageParams) -> Result<AuditResult, RpcError> {
    read(hub, page, Of::default(), |_| true).await
}

pub(super) async fn by_goal(hub: &Hub, params: ByGoalParams) -> Result<AuditResult, RpcError> {
    let goal = goal::resolve(hub, &params.goal_id).await?.to_string();
    read(hub, params.page, Of { goal: Some(goal), ..Of::default() }, |_| true).await
}

pub(super) async fn by_entity(hub: &Hub, params: ByEntityParams) -> Result<AuditResult, RpcError> {
    let ByEntityParams { entity_type, entity_id, page } = params;
    if entity_type.is_empty() || entity_id.is_empty() {
        return Err(RpcError::invalid_params("entityType and entityId are needed"));
    }
    let of = Of { goal: goal_of(hub, &entity_type, &entity_id).await?, ..Of::default() };
    read(hub, page, of, |entry| entry.entity_type == entity_type && entry.entity_id == entity_id).await
}

pub(super) async fn by_action(hub: &Hub, params: ByActionParams) -> Result<AuditResult, RpcError> {
    let ByActionParams { action, action_prefix, page } = params;
    match (action, action_prefix) {
        (Some(action), _) => read(hub, page, Of::default(), |entry| entry.action == action).await,
        (None, Some(prefix)) => {
            read(hub, page, Of::default(), |entry| entry.action.starts_with(&prefix)).await
        }
        (None, None) => Err(RpcError::invalid_params("action or actionPrefix is needed")),
    }
}

pub(super) async fn by_time_range(hub: &Hub, params: ByTimeRangeParams) -> Result<AuditResult, RpcError> {
    let ByTimeRangeParams { from, to, page } = params;
    if from > to {
        return Err(RpcError::invalid_params("from is after to"));
    }
    let of = Of { since_ms: from, ..Of::default() };
    read(hub, page, of, |entry| (from..=to).contains(&entry.timestamp)).await
}

pub(super) async fn by_actor(hub: &Hub, params: ByActorParams) -> Result<AuditResult, RpcError> {
    let ByActorParams { actor, page } = params;
    if actor.is_empty() {
        return Err(RpcError::invalid_params("actor is needed"));
    }
    read(hub, page, Of::default(), |entry| entry.actor == actor).await
}

pub(super) async fn stats(hub: &Hub) -> Result<StatsResult, RpcError> {
    let mut stats = StatsResult::default();
    let Some(log) = hub.feed.reader() else { return Ok(StatsResult { complete: true, ..stats }) };
    let (mut before, mut looked_at) = (u64::MAX, 0);
    while looked_at < COUNTED_MAX {
        let events = log.events_before(before, None, READ_EVENTS).await.map_err(RpcError::internal)?;
        let Some(last) = events.last() else {
            stats.complete = true;
            break;
        };
        (before, looked_at) = (last.pos, looked_at + events.len());
        for entry in events.iter().filter_map(entry) {
            stats.total += 1;
            *stats.by_action.entry(entry.action).or_default() += 1;
            *stats.by_entity_type.entry(entry.entity_type).or_default() += 1;
            *stats.by_actor_type.entry(entry.actor_type).or_default() += 1;
            stats.newest_timestamp.get_or_insert(entry.timestamp);
            stats.oldest_timestamp = Some(entry.timestamp);
        }
    }
    Ok(stats)
}

pub(super) async fn prune(hub: &Hub, caller: &Caller, params: PruneParams) -> Result<PruneResult, RpcError> {
    if params.older_than_days == 0 {
        return Err(RpcError::invalid_params("olderThanDays: it is 1 at least"));
    }
    let asked = json!({"olderThanDays": params.older_than_days});
    let command = NewCommand {
        id: commands::id(hub, caller.actor(), Prune::NAME, params.idempotency_key.as_deref())?,
        params_digest: commands::digest(&asked)?,
        actor: caller.actor().to_owned(),
        method: Prune::NAME.to_owned(),
        params: asked.to_string(),
        goal: String::new(),
        at_ms: hub.clock.now_ms(),
    };
    let bell = SchedulerCommand {
        request_id: command.id.clone(),
        command: "audit_prune".to_owned(),
        goal_id: String::new(),
        reason: None,
    };
    Ok(match commands::hand_over(hub, command, bell).await? {
        Settled::Done(result) => result,
        Settled::Waiting(_) => PruneResult { waiting: true, ..PruneResult::default() },
    })
}

/// Where entries are looked for.
#[derive(Debug, Default)]
struct Of {
    /// Among the events of one goal.
    goal: Option<String>,
    /// Not before this moment.
    since_ms: u64,
}

/// A page of the entries that are wanted. It ends where it is full, or where enough was looked at.
async fn read(
    hub: &Hub,
    page: PageParams,
    of: Of,
    wanted: impl Fn(&AuditEntry) -> bool,
) -> Result<AuditResult, RpcError> {
    let limit = page.limit.unwrap_or(AUDIT_LIMIT_DEFAULT).min(AUDIT_LIMIT_MAX);
    let mut skip = page.offset.unwrap_or(0);
    let mut logs = Vec::new();
    let mut next = None;
    if let Some(log) = hub.feed.reader() {
        let mut before = begin(&log, page.cursor.as_deref()).await?;
        let mut looked_at = 0;
        'reading: loop {
            let events =
                log.events_before(before, of.goal.clone(), READ_EVENTS).await.map_err(RpcError::internal)?;
            if events.is_empty() {
                break;
            }
            for event in &events {
                // Clocks are set: a day before what is wanted nothing is expected any more.
                if event.at_ms.saturating_add(DAY_MS) < of.since_ms {
                    break 'reading;
                }
                if logs.len() == limit {
                    next = cursor(&log, before).await?;
                    break 'reading;
                }
                before = event.pos;
                if let Some(entry) = entry(event).filter(&wanted) {
                    match skip.checked_sub(1) {
                        Some(left) => skip = left,
                        None => logs.push(entry),
                    }
                }
            }
            looked_at += events.len();
            if looked_at >= LOOKED_AT_MAX {
                next = cursor(&log, before).await?;
                break;
            }
        }
    }
    Ok(AuditResult { total: logs.len() as u64, logs, next_cursor: next })
}

/// How much later than the next event one may say that it was: a clock may have been set back.
const DAY_MS: u64 = 24 * 3600 * 1_000;

fn entry(event: &EventRecord) -> Option<AuditEntry> {
    AuditEntry::of(&event.id, event.at_ms, &event.kind, &event.goal, &event.data)
}

/// The position before which is read.
async fn begin(log: &LogReader, cursor: Option<&str>) -> Result<u64, RpcError> {
    let Some(text) = cursor else { return Ok(u64::MAX) };
    let hint = "take it from `nextCursor` of the page before, or begin without one";
    let wrong = |problem: &str| RpcError::invalid_params(format!("cursor: {problem}")).hint(hint);
    let cursor: Cursor = text.parse().map_err(|_| wrong("it is not one of ours"))?;
    let identity = log.identity().await.map_err(RpcError::internal)?;
    match identity {
        Some(identity) if cursor.is_of(&identity) => Ok(cursor.pos),
        _ => Err(wrong("it is of another log")),
    }
}

async fn cursor(log: &LogReader, before: u64) -> Result<Option<String>, RpcError> {
    let identity = log.identity().await.map_err(RpcError::internal)?;
    Ok(identity.map(|identity| Cursor::at(&identity, before).to_string()))
}

/// The goal whose events tell about this thing, where that can be found out at once.
async fn goal_of(hub: &Hub, entity_type: &str, id: &str) -> Result<Option<String>, RpcError> {
    let Some(log) = hub.feed.reader() else { return Ok(None) };
    Ok(match (entity_type, id.parse::<ItemId>()) {
        ("goal", _) => Some(id.to_owned()),
        ("work_item", Ok(item)) => {
            let state = log.state_of_item(item).await.map_err(RpcError::internal)?;
            state.map(|state| state.goal.id.to_string())
        }
        _ => None,
    })
}
