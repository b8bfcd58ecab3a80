//! Commands from the inbox. One file a command.
//!
//! A command is looked at in two steps: [`prepare`] may ask the machine and runs beside the loop;
//! [`execute`] decides, in the loop, in inbox order.

mod control_goal;
mod conversation;
mod gc;
mod prune;
mod request_approval;
mod schedule;
mod submit_goal;
mod watch;

use pb_protocol::methods::audit::PruneResult;
use pb_protocol::{ErrorCode, RpcError};
use pb_store::InboxRow;
use serde_json::{Value, json};

use crate::effects::Context;
use crate::goals::Goals;
use crate::turn::Turn;

pub(crate) use submit_goal::objection;
pub(crate) use watch::{Bell, watch};

/// A command that was looked at.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// Its row.
    pub(crate) row: InboxRow,
    /// What is to be done.
    action: Action,
}

#[derive(Debug, Clone)]
enum Action {
    /// A repeat of a command that was executed: only its position counts.
    Repeat,
    Submit(Box<submit_goal::Submit>),
    Control(Box<control_goal::Control>),
    Request(Box<request_approval::Request>),
    Schedule(Box<schedule::Scheduled>),
    Talk(Box<conversation::Talk>),
    Gc,
    Prune(PruneResult),
    /// It cannot be understood.
    Refuse(RpcError),
}

/// Looks at a command: parses it, and asks the machine what has to be asked.
pub(crate) async fn prepare(context: &Context, row: InboxRow, repeated: bool) -> Prepared {
    let action = if repeated {
        Action::Repeat
    } else if let Some(control) = control_goal::prepare(&row) {
        control.map_or_else(Action::Refuse, |control| Action::Control(Box::new(control)))
    } else if let Some(asked) = request_approval::prepare(&row) {
        asked.map_or_else(Action::Refuse, |asked| Action::Request(Box::new(asked)))
    } else if let Some(asked) = schedule::prepare(context, &row).await {
        asked.map_or_else(Action::Refuse, |asked| Action::Schedule(Box::new(asked)))
    } else if let Some(talk) = conversation::prepare(&row) {
        talk.map_or_else(Action::Refuse, |talk| Action::Talk(Box::new(talk)))
    } else {
        match row.command.method.as_str() {
            "goal.submit" => {
                submit_goal::prepare(context, &row).await.map(|submit| Action::Submit(Box::new(submit)))
            }
            "system.gc" => {
                gc::prepare(context);
                Ok(Action::Gc)
            }
            "audit.prune" => prune::prepare(context, &row).await.map(Action::Prune),
            other => Err(RpcError::new(ErrorCode::MethodNotFound, format!("Method not found: {other}"))),
        }
        .unwrap_or_else(Action::Refuse)
    };
    Prepared { row, action }
}

/// What every line of the log says that is written about a command.
fn around(row: &InboxRow) -> tracing::Span {
    tracing::error_span!("command", command = row.command.logged_id(), goal = row.command.logged_goal())
}

/// Executes a command: its events, its result and its position become durable together.
pub(crate) fn execute(turn: &mut Turn, goals: &mut Goals, inbox_id: &str, prepared: &Prepared) {
    let row = &prepared.row;
    let _around = around(row).entered();
    let result: Result<Value, RpcError> = match &prepared.action {
        Action::Repeat => {
            turn.passed(inbox_id, row.pos);
            return;
        }
        Action::Submit(submit) => submit_goal::execute(turn, goals, row, submit),
        Action::Control(control) => control_goal::execute(turn, goals, control),
        Action::Request(asked) => request_approval::execute(turn, goals, asked),
        Action::Schedule(asked) => schedule::execute(turn, goals, asked),
        Action::Talk(talk) => conversation::execute(turn, goals, talk),
        Action::Gc => Ok(gc::execute()),
        Action::Prune(due) => Ok(json!(due)),
        Action::Refuse(error) => Err(error.clone()),
    };
    tracing::debug!(
        method = row.command.method,
        error = result.as_ref().err().map(ToString::to_string),
        "a command is executed"
    );
    let stored = match result {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "error": error }),
    };
    turn.executed(inbox_id, row, &stored);
}

/// The goal that a command needs in memory to be decided, if it has ended there.
pub(crate) fn goal_of(prepared: &Prepared) -> Option<pb_model::GoalId> {
    match &prepared.action {
        Action::Control(control) => Some(control.goal),
        Action::Request(asked) => Some(asked.goal),
        Action::Submit(submit) => Some(submit.goal),
        Action::Repeat
        | Action::Schedule(_)
        | Action::Talk(_)
        | Action::Gc
        | Action::Prune(_)
        | Action::Refuse(_) => None,
    }
}
