//! `goal.submit`: the door. Refuses with a reason, and nothing is lost: a goal that the machine
//! does not allow is kept as failed.

use pb_model::goal::{Command, Failure, Rejection};
use pb_model::{GoalId, GoalSpec};
use pb_protocol::domain::Goal;
use pb_protocol::{ErrorCode, RpcError};
use pb_store::InboxRow;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::goals::Goals;
use crate::service::Config;
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

pub(super) async fn prepare(config: &Config, row: &InboxRow) -> Result<Submit, RpcError> {
    let params: Params = serde_json::from_str(&row.command.params).map_err(RpcError::invalid_params)?;
    let refused = workspace::admit(&config.home, params.spec.workspace.as_deref()).await.err();
    Ok(Submit { goal: params.goal_id, spec: params.spec, refused })
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
        let error = Failure::lasting("REFUSED", refused.to_string());
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
        Rejection::Invalid(invalid) => match &invalid.hint {
            Some(hint) => RpcError::invalid_params(&invalid).hint(hint),
            None => RpcError::invalid_params(&invalid),
        },
        other => RpcError::new(ErrorCode::InvalidStateTransition, other.to_string()),
    }
}
