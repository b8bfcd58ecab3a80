//! Running the command of a run.

use std::path::Path;

use pb_exec::{Enforced, Finished, Outcome, Policy};
use pb_model::goal::{
    AfterFailure, CallEnd, CallResult, Doing, Execution, ExecutionOutcome, GoalState, Hindrance, Run,
    Thought, ThoughtOutcome,
};
use pb_model::spec::Work;
use pb_model::{GoalId, RunId};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Context, Done, StepCommand, StepOf};
use crate::trace::{About, What};
use crate::turn::Printed;
use crate::verify::tail;

/// End of the output that is kept in the run's row, in bytes; the step keeps more.
const RUN_OUTPUT_BYTES_MAX: usize = 8 * 1024;
/// What the trace calls the command of an item.
const COMMAND: &str = "command";

pub(super) async fn execute(
    context: &Context,
    state: &GoalState,
    run: RunId,
    cancel: &CancellationToken,
) -> Option<Done> {
    let run = state.run(run)?;
    let item = state.item(run.item_id?)?;
    let Work::Command(command) = &item.work else {
        return None;
    };
    let about = About::step(run, 1);
    let left = state.goal.time_left_ms(context.config.clock.now_ms());
    let limit = command.time_limit_ms().min(left.unwrap_or(u64::MAX));
    let budget_is_the_limit = limit < command.time_limit_ms();
    let finished = if limit == 0 {
        Err(ExecutionOutcome::BudgetExhausted)
    } else {
        let of = StepOf {
            run: run.id,
            epoch: run.epoch,
            inputs: &state.goal.spec.inputs,
            workspace: Path::new(state.goal.workspace.as_deref()?),
            policy: Policy::BestEffort,
        };
        let step = StepCommand {
            argv: &command.argv,
            cwd: command.cwd.as_deref(),
            env: &command.env,
            tcp_ports: &command.tcp_ports,
            time_limit_ms: limit,
        };
        context.tracer.tell(about, || {
            let args = json!({"argv": command.argv, "cwd": command.cwd});
            What::tool_invoked(about, COMMAND, &args, None)
        });
        let finished = context.run_step(of, &step, 1, cancel).await;
        finished.map_err(|error| ExecutionOutcome::NotStarted { reason: error.to_string() })
    };
    let (execution, output) = match finished {
        Ok(finished) => describe(finished, budget_is_the_limit),
        Err(outcome) => (nothing(outcome), String::new()),
    };
    context.tracer.tell(about, || ended(about, &execution));
    let printed = Printed { found: execution.outcome.to_string(), output };
    Some(Done::Executed {
        goal: state.goal.id,
        run: run.id,
        epoch: run.epoch,
        execution: Box::new(execution),
        printed,
    })
}

/// What the trace is told of the end of a command.
fn ended(about: About, execution: &Execution) -> What {
    let text = format!("{}\n{}", execution.outcome, execution.output_tail);
    let end = match execution.outcome {
        ExecutionOutcome::Exited { code: 0 } | ExecutionOutcome::Finished => CallEnd::Ok,
        ExecutionOutcome::Exited { .. }
        | ExecutionOutcome::Signaled { .. }
        | ExecutionOutcome::TimedOut
        | ExecutionOutcome::BudgetExhausted
        | ExecutionOutcome::Stopped
        | ExecutionOutcome::TurnLimit { .. }
        | ExecutionOutcome::Unanswered { .. } => CallEnd::Failed,
        ExecutionOutcome::NotStarted { .. } => CallEnd::Host,
        ExecutionOutcome::Lost => CallEnd::Unknown,
    };
    What::tool_ended(about, COMMAND, (end, &text), execution.duration_ms)
}

fn describe(finished: Finished, budget_is_the_limit: bool) -> (Execution, String) {
    let outcome = match finished.outcome {
        Outcome::Exited(code) => ExecutionOutcome::Exited { code },
        Outcome::Signaled(signal) => ExecutionOutcome::Signaled { signal },
        Outcome::TimedOut if budget_is_the_limit => ExecutionOutcome::BudgetExhausted,
        Outcome::TimedOut => ExecutionOutcome::TimedOut,
        Outcome::Stopped => ExecutionOutcome::Stopped,
        Outcome::NotStarted(reason) => ExecutionOutcome::NotStarted { reason },
        Outcome::Lost => ExecutionOutcome::Lost,
    };
    let output = finished.output.text();
    let execution = Execution {
        duration_ms: u64::try_from(finished.duration.as_millis()).unwrap_or(u64::MAX),
        output_digest: finished.output.digest,
        output_bytes: finished.output.bytes_total,
        output_tail: tail(&output, RUN_OUTPUT_BYTES_MAX),
        unconfined: match finished.enforced {
            // What never started was not unconfined.
            _ if matches!(outcome, ExecutionOutcome::NotStarted { .. }) => None,
            Enforced::Full => None,
            Enforced::Partial(what) => Some(what),
            Enforced::None => Some("this kernel cannot confine commands".to_owned()),
        },
        outcome,
    };
    (execution, output)
}

/// An execution that never was.
pub(crate) fn nothing(outcome: ExecutionOutcome) -> Execution {
    Execution {
        outcome,
        duration_ms: 0,
        output_digest: blake3::hash(b"").to_hex().to_string(),
        output_bytes: 0,
        output_tail: String::new(),
        unconfined: None,
    }
}

impl Done {
    /// The end of a run that nothing is running for: it is to be stopped, or its effect is lost.
    pub(crate) fn lost(state: &GoalState, run: RunId) -> Option<Self> {
        let run = state.run(run)?;
        let (goal, id, epoch) = (state.goal.id, run.id, run.epoch);
        if let Some(conversation) = &run.conversation
            && run.stage == pb_model::goal::RunStage::Executing
        {
            return Self::lost_turn(goal, run, &conversation.doing);
        }
        Some(match run.stage {
            pb_model::goal::RunStage::Executing => Self::Executed {
                goal,
                run: id,
                epoch,
                execution: Box::new(nothing(ExecutionOutcome::Lost)),
                printed: Printed { found: ExecutionOutcome::Lost.to_string(), output: String::new() },
            },
            pb_model::goal::RunStage::Verifying
            | pb_model::goal::RunStage::Probing
            | pb_model::goal::RunStage::Ended => {
                Self::Verified { goal, run: id, epoch, results: Vec::new(), round: None, runs: 0 }
            }
        })
    }

    /// The end of a turn of a conversation that nothing works on any more.
    fn lost_turn(goal: GoalId, run: &Run, doing: &Doing) -> Option<Self> {
        let (id, epoch) = (run.id, run.epoch);
        let why = "the work on it ended without a result".to_owned();
        Some(match doing {
            Doing::Composing { .. } => {
                Self::Composed { goal, run: id, epoch, next: Err(Hindrance::Host { why }) }
            }
            Doing::Thinking { n } => {
                let then = AfterFailure::Again { after_ms: None };
                let outcome = ThoughtOutcome::Failed { error: why.clone(), then, charged: true };
                let thought = Thought { model: String::new(), usage: None, outcome, duration_ms: 0 };
                let paper = serde_json::json!({"found": why}).to_string();
                Self::Thought { goal, run: id, epoch, n: *n, thought: Box::new(thought), paper }
            }
            Doing::Acting { calls } => {
                let call = calls.first()?;
                let end = if call.has_intent() { CallEnd::Unknown } else { CallEnd::Host };
                let result = CallResult {
                    n: call.n,
                    end,
                    found: why,
                    output_digest: String::new(),
                    duration_ms: 0,
                    asks: None,
                    review: None,
                    adds: Vec::new(),
                };
                Self::Acted {
                    goal,
                    run: id,
                    epoch,
                    n: call.n,
                    results: vec![result],
                    papers: Vec::new(),
                    workspace: None,
                    plan: None,
                    next: None,
                }
            }
        })
    }
}
