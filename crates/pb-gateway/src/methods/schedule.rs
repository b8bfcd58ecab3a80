//! `schedule.*`: what changes one is a command for the scheduler.

use pb_model::schedule::ScheduleSpec;
use pb_model::{GoalId, ScheduleId};
use pb_protocol::RpcError;
use pb_protocol::ipc::SchedulerCommand;
use pb_protocol::methods::Method;
use pb_protocol::methods::goal::Accepted;
use pb_protocol::methods::schedule::{
    Add, AddParams, GetParams, ListParams, ListResult, Run, RunResult, ScheduleParams,
};
use pb_protocol::schedule::{Schedule, ZONES};
use pb_store::{NewCommand, ScheduleFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Caller;
use super::goal::on_the_link;
use crate::hub::Hub;
use crate::inbox::commands::{self, Settled};
use crate::paging;

/// Its name in cursors.
const LIST: &str = "schedule";
/// Schedules on a page if nobody says how many.
const LIMIT_DEFAULT: usize = 50;
/// Most schedules on a page.
const LIMIT_MAX: usize = 500;
/// Shortest part of an id that stands for the whole, in characters.
const FRAGMENT_CHARS_MIN: usize = 4;
/// Most ids that are named when a part stands for several.
const MATCHES_NAMED_MAX: usize = 5;

/// The parameters of a `schedule.add` row, as the scheduler reads them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddRow {
    schedule_id: ScheduleId,
    spec: ScheduleSpec,
}

/// What is asked of the scheduler.
struct Asked<'a> {
    method: &'static str,
    id: ScheduleId,
    params: String,
    /// Of what is the same in a repeat.
    digest: String,
    key: Option<&'a str>,
}

pub(super) async fn add(hub: &Hub, caller: &Caller, params: AddParams) -> Result<Schedule, RpcError> {
    let now = hub.clock.now_ms();
    let digest = commands::digest(&params.spec)?;
    let mut checked = params.spec.clone();
    checked.validate(ZONES, now).map_err(|invalid| {
        let error = RpcError::invalid_params(&invalid);
        match invalid.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })?;
    let row = AddRow { schedule_id: ScheduleId::from(hub.ids.uuid()), spec: params.spec };
    let asked = Asked {
        method: Add::NAME,
        id: row.schedule_id,
        params: serde_json::to_string(&row).map_err(RpcError::internal)?,
        digest,
        key: params.idempotency_key.as_deref(),
    };
    match hand_over::<Schedule>(hub, caller, asked).await? {
        Settled::Done(schedule) => Ok(schedule),
        Settled::Waiting(row) => {
            let damaged = || RpcError::internal("the inbox is damaged");
            let NewCommand { params, actor, at_ms, .. } = row.command;
            let AddRow { schedule_id, mut spec } = serde_json::from_str(&params).map_err(|_| damaged())?;
            let rhythm = spec.validate(ZONES, at_ms).map_err(|_| damaged())?;
            Schedule::waiting((schedule_id, actor), spec, &rhythm, at_ms).ok_or_else(damaged)
        }
    }
}

pub(super) async fn list(hub: &Hub, params: ListParams) -> Result<ListResult, RpcError> {
    let limit = params.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let filter = ScheduleFilter {
        removed: params.removed,
        after: paging::after(LIST, params.cursor.as_deref())?,
        limit: limit + 1,
        offset: params.offset.unwrap_or(0),
    };
    let Some(log) = hub.feed.reader() else { return Ok(ListResult::default()) };
    let (mut page, total) = log.schedules(filter).await.map_err(RpcError::internal)?;
    let next_cursor = paging::cut(LIST, &mut page, limit, |schedule| schedule.id);
    Ok(ListResult { schedules: page.iter().map(Schedule::listed).collect(), total, next_cursor })
}

pub(super) async fn get(hub: &Hub, params: GetParams) -> Result<Schedule, RpcError> {
    let id = resolve(hub, &params.schedule_id).await?;
    let not_found = || RpcError::schedule_not_found(&params.schedule_id);
    let log = hub.feed.reader().ok_or_else(not_found)?;
    let found = log.schedule(id).await.map_err(RpcError::internal)?;
    found.as_ref().map(Schedule::whole).ok_or_else(not_found)
}

pub(super) async fn run(hub: &Hub, caller: &Caller, params: ScheduleParams) -> Result<RunResult, RpcError> {
    let id = resolve(hub, &params.schedule_id).await?;
    let goal = GoalId::from(hub.ids.uuid());
    let asked = Asked {
        method: Run::NAME,
        id,
        params: json!({"scheduleId": id, "goalId": goal}).to_string(),
        digest: commands::digest(&id)?,
        key: params.idempotency_key.as_deref(),
    };
    Ok(match hand_over(hub, caller, asked).await? {
        Settled::Done(result) => result,
        Settled::Waiting(row) => {
            let params: Value = serde_json::from_str(&row.command.params).map_err(RpcError::internal)?;
            let goal_id = params["goalId"].as_str().unwrap_or_default().to_owned();
            RunResult { goal_id, waiting: true }
        }
    })
}

/// `schedule.pause|resume|remove`.
pub(super) async fn control(
    hub: &Hub,
    caller: &Caller,
    method: &'static str,
    params: ScheduleParams,
) -> Result<Accepted, RpcError> {
    let id = resolve(hub, &params.schedule_id).await?;
    let asked = Asked {
        method,
        id,
        params: json!({"scheduleId": id}).to_string(),
        digest: commands::digest(&id)?,
        key: params.idempotency_key.as_deref(),
    };
    Ok(match hand_over(hub, caller, asked).await? {
        Settled::Done(result) => result,
        Settled::Waiting(_) => Accepted { success: true, waiting: true },
    })
}

/// Makes it durable, and waits a while for the scheduler. Whether it can be done now is for that to say.
async fn hand_over<T: serde::de::DeserializeOwned>(
    hub: &Hub,
    caller: &Caller,
    asked: Asked<'_>,
) -> Result<Settled<T>, RpcError> {
    let command = NewCommand {
        id: commands::id(hub, caller.actor(), asked.method, asked.key)?,
        params_digest: asked.digest,
        actor: caller.actor().to_owned(),
        method: asked.method.to_owned(),
        params: asked.params,
        goal: asked.id.to_string(),
        at_ms: hub.clock.now_ms(),
    };
    let bell = SchedulerCommand {
        request_id: command.id.clone(),
        command: on_the_link(asked.method),
        goal_id: command.goal.clone(),
        reason: None,
    };
    commands::hand_over(hub, command, bell).await
}

/// The id that a client's text stands for: an id, or a part that only one schedule's id has.
async fn resolve(hub: &Hub, text: &str) -> Result<ScheduleId, RpcError> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    if text.chars().count() < FRAGMENT_CHARS_MIN {
        return Err(RpcError::schedule_not_found(text)
            .hint(format!("a part of an id has at least {FRAGMENT_CHARS_MIN} characters")));
    }
    let log = hub.feed.reader().ok_or_else(|| RpcError::schedule_not_found(text))?;
    let ids = log.schedule_ids_like(text, MATCHES_NAMED_MAX + 1).await.map_err(RpcError::internal)?;
    match ids.as_slice() {
        [] => Err(RpcError::schedule_not_found(text)),
        [id] => id.parse().map_err(RpcError::internal),
        several => {
            let more = if several.len() > MATCHES_NAMED_MAX { ", …" } else { "" };
            let named: Vec<_> = several.iter().take(MATCHES_NAMED_MAX).cloned().collect();
            let message = format!("scheduleId: `{text}` is part of {}{more}", named.join(", "));
            Err(RpcError::invalid_params(message).hint("give more of the id"))
        }
    }
}
