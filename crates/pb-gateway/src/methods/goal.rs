//! `goal.*`.

mod at;
mod check;
mod control;
mod diff;
mod find;
mod list;
mod plan;
mod report;
mod steps;

use pb_model::GoalId;
use pb_protocol::domain::{Artifact, Escalation, Goal};
use pb_protocol::ipc::SchedulerCommand;
use pb_protocol::methods::Method;
use pb_protocol::methods::goal::{
    Accepted, Cancel, CancelParams, GoalDetail, GoalIdParams, Submit, SubmitParams,
};
use pb_protocol::{ErrorCode, RpcError};
use pb_runtime::disk::{self, LowDisk};
use pb_store::NewCommand;
use serde_json::json;

pub(super) use at::at;
pub(super) use check::check;
pub(super) use control::Control;
pub(super) use control::{on_the_link, pause, prioritize, respond, resume, retry};
pub(super) use diff::diff;
pub(crate) use find::{Found, find, resolve, state};
pub(crate) use list::{Asked, list, page};
pub(super) use plan::plan;
pub(super) use report::report;
pub(super) use steps::steps;

use super::Caller;
use crate::hub::Hub;
use crate::inbox::commands::{self, Settled};
use crate::inbox::pending::{self, SubmitRow};

/// Submits, and tells a session that named goals about this one too.
pub(super) async fn submit(hub: &Hub, caller: &Caller, params: SubmitParams) -> Result<Goal, RpcError> {
    params.spec.validate().map_err(|invalid| {
        let error = RpcError::invalid_params(format!("{}: {}", invalid.place, invalid.problem));
        match invalid.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })?;
    // Before it is written down: with a full disk nothing could be.
    disk::refuse_low(hub.home.root(), hub.free_bytes_min)
        .map_err(|low| RpcError::new(ErrorCode::LowDisk, low.to_string()).hint(LowDisk::HINT))?;
    let key = params.idempotency_key.as_deref();
    let row = SubmitRow { goal_id: GoalId::from(hub.ids.uuid()), spec: params.spec };
    let command = NewCommand {
        id: commands::id(hub, caller.actor(), Submit::NAME, key)?,
        params_digest: commands::digest(&row.spec)?,
        actor: caller.actor().to_owned(),
        method: Submit::NAME.to_owned(),
        params: serde_json::to_string(&row).map_err(RpcError::internal)?,
        goal: row.goal_id.to_string(),
        at_ms: hub.clock.now_ms(),
    };
    let bell = SchedulerCommand {
        request_id: command.id.clone(),
        command: "submit_goal".to_owned(),
        goal_id: command.goal.clone(),
        reason: None,
    };
    caller.named.hand_over(&command.goal);
    let goal: Goal = match commands::hand_over(hub, command, bell).await? {
        Settled::Done(goal) => Ok(goal),
        Settled::Waiting(row) => pending::goal(&row.command)
            .ok_or_else(|| RpcError::new(ErrorCode::InternalError, "Internal error: the inbox is damaged")),
    }?;
    // A repeat is answered with the goal that was made the first time.
    caller.named.hand_over(&goal.id);
    Ok(goal)
}

pub(super) async fn cancel(hub: &Hub, caller: &Caller, params: CancelParams) -> Result<Accepted, RpcError> {
    let goal = resolve(hub, &params.goal_id).await?;
    let control = Control {
        method: Cancel::NAME,
        goal,
        asked: json!({"goalId": goal, "reason": params.reason}),
        key: params.idempotency_key,
        reason: params.reason,
    };
    control.hand_over(hub, caller).await
}

pub(super) async fn status(hub: &Hub, params: GoalIdParams) -> Result<GoalDetail, RpcError> {
    let id = resolve(hub, &params.goal_id).await?;
    Ok(match state(hub, id).await? {
        Found::InLog(state) => GoalDetail {
            goal: Goal::from(&state.goal),
            artifacts: state.artifacts.iter().map(Artifact::from).collect(),
            escalations: state.escalations.iter().map(Escalation::from).collect(),
        },
        Found::InInbox(goal) => GoalDetail { goal: *goal, artifacts: Vec::new(), escalations: Vec::new() },
    })
}
