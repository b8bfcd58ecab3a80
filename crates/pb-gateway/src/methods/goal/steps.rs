//! `goal.steps`: the journal, with what the gates found.

use std::collections::HashMap;

use pb_model::goal::{GateResult, GoalState, RunStatus};
use pb_protocol::RpcError;
use pb_protocol::methods::goal::{GoalIdParams, StepView, StepsResult};
use pb_store::{Step, StepKind, StepOutcome};
use serde::Deserialize;

use super::{Found, resolve, state};
use crate::hub::Hub;

/// What is read of a tool step's result.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToolResult {
    found: Option<String>,
    output: String,
}

pub(in crate::methods) async fn steps(hub: &Hub, params: GoalIdParams) -> Result<StepsResult, RpcError> {
    let id = resolve(hub, &params.goal_id).await?;
    let (Found::InLog(state), Some(log)) = (state(hub, id).await?, hub.feed.reader()) else {
        return Ok(StepsResult { steps: Vec::new() });
    };
    let journal = log.steps(id).await.map_err(RpcError::internal)?;
    let mut gates: HashMap<(String, u32), &GateResult> =
        state.gate_results.iter().map(|gate| ((gate.run_id.to_string(), gate.step), gate)).collect();
    let mut steps = Vec::with_capacity(journal.len() + gates.len());
    for step in journal {
        let mut view = of_step(&step, &state);
        // A gate that is in the journal too is one step.
        if let Some(gate) = gates.remove(&(step.run, step.n)) {
            view = StepView { started_at: view.started_at, ..of_gate(gate, &state) };
        }
        steps.push(view);
    }
    steps.extend(gates.into_values().map(|gate| of_gate(gate, &state)));
    steps.sort_by(|a, b| (a.started_at, &a.run_id, a.n).cmp(&(b.started_at, &b.run_id, b.n)));
    for (number, step) in (1..).zip(&mut steps) {
        step.step = number;
    }
    Ok(StepsResult { steps })
}

fn of_step(step: &Step, state: &GoalState) -> StepView {
    let result: ToolResult =
        step.result.as_deref().and_then(|result| serde_json::from_str(result).ok()).unwrap_or_default();
    let (item, attempt) = item_and_attempt(&step.run, state);
    let run = state.runs.iter().find(|run| run.id.to_string() == step.run);
    // Nobody will write its result any more.
    let over = run.is_none_or(|run| run.status != RunStatus::Running || run.epoch != step.epoch);
    let unknown = || over.then(|| StepOutcome::Unknown.as_str().to_owned());
    StepView {
        step: 0,
        item,
        run_id: step.run.clone(),
        attempt,
        n: step.n,
        epoch: step.epoch,
        kind: step.kind.clone(),
        label: step.label.clone(),
        started_at: step.intent_at_ms,
        ended_at: step.result_at_ms,
        outcome: step.outcome.clone().or_else(unknown),
        found: result.found,
        output: result.output,
    }
}

fn of_gate(gate: &GateResult, state: &GoalState) -> StepView {
    let run_id = gate.run_id.to_string();
    let (item, attempt) = item_and_attempt(&run_id, state);
    let outcome = if gate.passed { StepOutcome::Ok } else { StepOutcome::Error };
    StepView {
        step: 0,
        item,
        attempt,
        n: gate.step,
        epoch: state.run(gate.run_id).map_or(0, |run| run.epoch),
        kind: StepKind::Gate.as_str().to_owned(),
        label: gate.name.clone(),
        started_at: gate.at_ms.saturating_sub(gate.evidence.duration_ms),
        ended_at: Some(gate.at_ms),
        outcome: Some(outcome.as_str().to_owned()),
        found: Some(gate.found.clone()),
        output: gate.evidence.output_tail.clone(),
        run_id,
    }
}

/// The key of the item that a run is about, and which attempt it is.
fn item_and_attempt(run: &str, state: &GoalState) -> (String, u32) {
    let Some(run) = state.runs.iter().find(|known| known.id.to_string() == run) else {
        return (String::new(), 0);
    };
    let key = match run.item_id {
        Some(item) => state.item(item).map(|item| item.key.clone()).unwrap_or_default(),
        None => "plan".to_owned(),
    };
    (key, run.attempt)
}
