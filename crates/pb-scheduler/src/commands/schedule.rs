//! `schedule.add|run|pause|resume|remove`.

use pb_model::goal::Hindrance;
use pb_model::schedule::{Rhythm, SCHEDULES_MAX, ScheduleCommand, ScheduleRejection, ScheduleSpec};
use pb_model::spec::Invalid;
use pb_model::{GoalId, ScheduleId};
use pb_protocol::methods::Method;
use pb_protocol::methods::schedule::{Add, Pause, Remove, Resume, Run};
use pb_protocol::schedule::{Schedule, ZONES};
use pb_protocol::{ErrorCode, RpcError};
use pb_store::InboxRow;
use serde::Deserialize;
use serde_json::{Value, json};

use super::submit_goal::{invalid, known_tools};
use crate::effects::Context;
use crate::goals::Goals;
use crate::turn::Turn;
use crate::workspace;

#[derive(Debug, Clone)]
pub(super) struct Scheduled {
    id: ScheduleId,
    command: ScheduleCommand,
    /// When the slots of a new one are.
    rhythm: Option<Rhythm>,
}

/// What the gateway wrote; each method has its part of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    schedule_id: ScheduleId,
    #[serde(default)]
    spec: Option<Box<ScheduleSpec>>,
    #[serde(default)]
    goal_id: Option<GoalId>,
}

/// The command of a row; `None` if it is none of these.
pub(super) async fn prepare(context: &Context, row: &InboxRow) -> Option<Result<Scheduled, RpcError>> {
    let known = [Add::NAME, Run::NAME, Pause::NAME, Resume::NAME, Remove::NAME];
    if known.contains(&row.command.method.as_str()) { Some(read(context, row).await) } else { None }
}

async fn read(context: &Context, row: &InboxRow) -> Result<Scheduled, RpcError> {
    let params: Params = serde_json::from_str(&row.command.params).map_err(RpcError::invalid_params)?;
    let (id, by) = (params.schedule_id, row.command.actor.clone());
    let missing = |key: &str| RpcError::invalid_params(format!("{key}: it is missing"));
    let command = match row.command.method.as_str() {
        Run::NAME => ScheduleCommand::Run { goal: params.goal_id.ok_or_else(|| missing("goalId"))?, by },
        Pause::NAME => ScheduleCommand::Pause { by },
        Resume::NAME => ScheduleCommand::Resume { by },
        Remove::NAME => ScheduleCommand::Remove { by },
        _ => {
            let mut spec = params.spec.ok_or_else(|| missing("spec"))?;
            let rhythm = accept(context, &mut spec, row.command.at_ms).await?;
            let command = ScheduleCommand::Add { id, spec, by };
            return Ok(Scheduled { id, command, rhythm: Some(rhythm) });
        }
    };
    Ok(Scheduled { id, command, rhythm: None })
}

/// A schedule is accepted if its goal would be.
async fn accept(context: &Context, spec: &mut ScheduleSpec, at_ms: u64) -> Result<Rhythm, RpcError> {
    let rhythm = spec.validate(ZONES, at_ms).map_err(|problem: Invalid| invalid(&problem))?;
    known_tools(&spec.goal)?;
    if let Err(Hindrance::Unusable { why, hint }) = context.models.check(&spec.goal).await {
        return Err(RpcError::invalid_params(why).hint(hint));
    }
    workspace::admit(&context.config.home, spec.goal.workspace.as_deref()).await.map_err(|refused| {
        RpcError::new(ErrorCode::PermissionDenied, refused.to_string()).hint(refused.hint())
    })?;
    Ok(rhythm)
}

pub(super) fn execute(turn: &mut Turn, goals: &mut Goals, asked: &Scheduled) -> Result<Value, RpcError> {
    let id = asked.id;
    if asked.rhythm.is_some() && goals.schedules().is_full() {
        let message = format!("there are {SCHEDULES_MAX} schedules already");
        return Err(RpcError::new(ErrorCode::RateLimited, message).hint("remove one: pb schedule remove ID"));
    }
    if let (ScheduleCommand::Resume { .. }, Some(problem)) = (&asked.command, goals.schedules().problem(id)) {
        return Err(RpcError::invalid_params(problem).hint("remove it, and add one that is understood here"));
    }
    let rhythm = asked.rhythm.clone().unwrap_or_else(|| goals.schedules().rhythm(id));
    turn.decide_schedule(goals, id, asked.command.clone(), &rhythm).map_err(|why| rejected(id, &why))?;
    Ok(match &asked.command {
        ScheduleCommand::Add { .. } => json!(goals.schedules().get(id).map(Schedule::whole)),
        ScheduleCommand::Run { goal, .. } => json!({ "goalId": goal }),
        ScheduleCommand::Due
        | ScheduleCommand::Finish { .. }
        | ScheduleCommand::Break { .. }
        | ScheduleCommand::Pause { .. }
        | ScheduleCommand::Resume { .. }
        | ScheduleCommand::Remove { .. } => json!({ "success": true }),
    })
}

fn rejected(id: ScheduleId, rejection: &ScheduleRejection) -> RpcError {
    let text = rejection.to_string();
    match rejection {
        ScheduleRejection::Unknown => RpcError::schedule_not_found(id),
        ScheduleRejection::StillRunning(goal) => RpcError::new(ErrorCode::InvalidStateTransition, text)
            .hint(format!("look at it: pb goal show {goal}")),
        ScheduleRejection::Exists
        | ScheduleRejection::NotDue
        | ScheduleRejection::Cannot(_)
        | ScheduleRejection::NotItsGoal => RpcError::new(ErrorCode::InvalidStateTransition, text),
    }
}
