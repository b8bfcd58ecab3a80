//! `goal.submit`: the door. Refuses with a reason, and nothing is lost: a goal that the machine
//! does not allow is kept as failed.

use pb_model::goal::{ADD_ITEMS, Command, ErrorClass, Failure, Hindrance, Rejection};
use pb_model::plan::closest;
use pb_model::spec::{Invalid, Work};
use pb_model::{GoalId, GoalSpec};
use pb_protocol::domain::Goal;
use pb_protocol::{ErrorCode, RpcError};
use pb_runtime::disk::{self, LowDisk};
use pb_store::InboxRow;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::effects::Context;
use crate::goals::Goals;
use crate::turn::{Papers, Turn};
use crate::workspace;

#[derive(Debug, Clone)]
pub(super) struct Submit {
    pub(super) goal: GoalId,
    spec: GoalSpec,
    refused: Option<workspace::Refused>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    goal_id: GoalId,
    spec: GoalSpec,
}

/// Why a goal would not be taken, in words; nothing if it would.
pub(crate) async fn objection(context: &Context, spec: &GoalSpec) -> Option<String> {
    if let Err(invalid) = spec.validate() {
        return Some(invalid.to_string());
    }
    let folder = context.config.db.parent().unwrap_or(context.config.home.root());
    if let Err(low) = disk::refuse_low(folder, context.settings.disk.free_bytes_min) {
        return Some(format!("{low}; {}", LowDisk::HINT));
    }
    if let Err(Hindrance::Unusable { why, hint }) = context.models.check(spec).await {
        return Some(format!("{why}; {hint}"));
    }
    let refused = workspace::admit(&context.config.home, spec.workspace.as_deref()).await.err()?;
    Some(format!("{refused}; {}", refused.hint()))
}

pub(super) async fn prepare(context: &Context, row: &InboxRow) -> Result<Submit, RpcError> {
    let params: Params = serde_json::from_str(&row.command.params).map_err(RpcError::invalid_params)?;
    let folder = context.config.db.parent().unwrap_or(context.config.home.root());
    disk::refuse_low(folder, context.settings.disk.free_bytes_min)
        .map_err(|low| RpcError::new(ErrorCode::LowDisk, low.to_string()).hint(LowDisk::HINT))?;
    known_tools(&params.spec)?;
    if let Err(Hindrance::Unusable { why, hint }) = context.models.check(&params.spec).await {
        return Err(RpcError::invalid_params(why).hint(hint));
    }
    let refused = workspace::admit(&context.config.home, params.spec.workspace.as_deref()).await.err();
    Ok(Submit { goal: params.goal_id, spec: params.spec, refused })
}

/// Agents may use only tools that there are; a yes that no call needs would be none. Adding items is no tool of
/// every agent, but may need a yes.
pub(super) fn known_tools(spec: &GoalSpec) -> Result<(), RpcError> {
    let needs_yes = |place: &str, tools: &[String]| {
        let tools: Vec<String> = tools.iter().filter(|tool| *tool != ADD_ITEMS).cloned().collect();
        known(place, &tools)
    };
    needs_yes("approve", &spec.approve)?;
    for (n, item) in spec.items.iter().enumerate() {
        let Work::Agent(agent) = &item.work else { continue };
        known(&format!("items[{n}].tools"), &agent.tools)?;
        needs_yes(&format!("items[{n}].approve"), &agent.approve)?;
    }
    Ok(())
}

fn known(place: &str, tools: &[String]) -> Result<(), RpcError> {
    let registry = pb_tools::Registry::builtin();
    let Some(tool) = tools.iter().find(|tool| registry.get(tool).is_none()) else { return Ok(()) };
    let known = registry.names();
    let hint = match closest(tool, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", known.join(", ")),
    };
    Err(RpcError::invalid_params(format!("{place}: there is no tool `{tool}`")).hint(hint))
}

pub(super) fn execute(
    turn: &mut Turn,
    goals: &mut Goals,
    row: &InboxRow,
    submit: &Submit,
) -> Result<Value, RpcError> {
    let command = Command::Submit {
        id: submit.goal,
        spec: Box::new(submit.spec.clone()),
        by: row.command.actor.clone(),
    };
    turn.decide(goals, submit.goal, command, &Papers::default()).map_err(rejected)?;
    if let Some(refused) = &submit.refused {
        let error = Failure::new(ErrorClass::Policy, "REFUSED", refused.to_string());
        turn.decide(goals, submit.goal, Command::Refuse { error }, &Papers::default()).map_err(rejected)?;
        let mut error = RpcError::new(ErrorCode::PermissionDenied, refused.to_string()).hint(refused.hint());
        if let Some(Value::Object(data)) = &mut error.data {
            data.insert("goalId".to_owned(), submit.goal.to_string().into());
        }
        return Err(error);
    }
    let goal = goals.get(submit.goal).map(|state| Goal::from(&state.goal));
    Ok(json!(goal))
}

fn rejected(rejection: Rejection) -> RpcError {
    match rejection {
        Rejection::Invalid(problem) => invalid(&problem),
        other => RpcError::new(ErrorCode::InvalidStateTransition, other.to_string()),
    }
}

/// What is wrong with a specification, and what to do about it.
pub(super) fn invalid(problem: &Invalid) -> RpcError {
    let error = RpcError::invalid_params(problem);
    match &problem.hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
