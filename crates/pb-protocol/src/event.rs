//! What clients are told about an event: the ids and keys of the first implementation, and the
//! full object, so that every client updates (`wire.md` §2.8, §3.2).

mod control;

pub use control::{AddedItem, BudgetCaps, BudgetCost, BudgetStatus, BudgetTime, BudgetTokens};

use pb_model::goal::{Call, Charge, ErrorClass, Event, Failure, GoalState, RunStatus, Rung};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::{Artifact, Error, Escalation, GateResult, Goal, Run, WorkItem, usd};

/// The event's name on the link: `workitem.started` is `work_item_started` there (`wire.md` §3.1).
pub fn link_type(kind: &str) -> String {
    kind.replace("workitem.", "work_item.").replace('.', "_")
}

/// The payload for clients of `event`, which led to `state` at `at`.
pub fn data(event: &Event, state: &GoalState, at: u64) -> Value {
    let mut data = Map::new();
    let mut put = |key: &str, value: Value| {
        data.insert(key.to_owned(), value);
    };
    put("goalId", state.goal.id.to_string().into());
    if let Some(item) = event.item_id() {
        put("workItemId", item.to_string().into());
    }
    if let Some(run) = event.run_id() {
        put("runId", run.to_string().into());
    }
    put("timestamp", at.into());
    if let Value::Object(particulars) = particulars(event, state) {
        for (key, value) in particulars.into_iter().filter(|(_, value)| !value.is_null()) {
            put(&key, value);
        }
    }
    match subject(event, state) {
        Subject::Goal => {
            let goal = Goal::from(&state.goal);
            put("id", goal.id.clone().into());
            put("status", goal.status.clone().into());
            put("title", goal.title.clone().into());
            put("goal", json!(goal));
        }
        Subject::Item(item) => {
            put("id", item.id.clone().into());
            put("goal_id", item.goal_id.clone().into());
            put("status", item.status.clone().into());
            put("workItem", json!(item));
        }
        Subject::Escalation(asked) => {
            put("id", asked.id.clone().into());
            put("goal_id", asked.goal_id.clone().into());
            put("status", asked.status.clone().into());
            put("escalation", json!(asked));
        }
        Subject::Other(key, value) => put(key, value),
        Subject::Nothing => {}
    }
    Value::Object(data)
}

enum Subject {
    Goal,
    Item(Box<WorkItem>),
    Escalation(Box<Escalation>),
    Other(&'static str, Value),
    Nothing,
}

/// The object that the event is about, as it stands after it.
fn subject(event: &Event, state: &GoalState) -> Subject {
    let item = event.item_id().and_then(|id| state.item(id));
    let run = event.run_id().and_then(|id| state.run(id));
    let kind = event.kind();
    match event {
        Event::GateCompleted { result } => Subject::Other("gate", json!(GateResult::from(&**result))),
        Event::ArtifactCreated { artifact } => Subject::Other("artifact", json!(Artifact::from(&**artifact))),
        Event::EscalationCreated { escalation } => {
            Subject::Escalation(Box::new(Escalation::from(&**escalation)))
        }
        Event::EscalationResolved { escalation, .. } | Event::ApprovalChanged { escalation, .. } => {
            match state.escalation(*escalation) {
                Some(escalation) => Subject::Escalation(Box::new(Escalation::from(escalation))),
                None => Subject::Nothing,
            }
        }
        _ => match (item, run) {
            (Some(item), _) if kind.starts_with("workitem.") => {
                Subject::Item(Box::new(WorkItem::of(item, state)))
            }
            // A turn of a conversation is told often; who wants the whole run asks for it.
            _ if ["model.", "tool.", "guard.", "conversation."].iter().any(|of| kind.starts_with(of)) => {
                Subject::Nothing
            }
            // `status` is that of the budget (`wire.md` §2.8).
            _ if kind.starts_with("budget.") || kind.starts_with("evaluation.") => Subject::Nothing,
            (_, Some(run)) => Subject::Other("run", json!(Run::of(run, state))),
            _ => Subject::Goal,
        },
    }
}

/// The keys of an event of a conversation.
fn of_turn(event: &Event) -> Value {
    match event {
        Event::ModelRequested { model, reservation, .. } => json!({
            "step": reservation.n,
            "model": model,
            "reservedTokens": reservation.amount.tokens,
            "reservedCostUsd": usd(reservation.amount.micro_usd),
        }),
        Event::ModelAnswered { n, model, used, charge, text, calls, cut_short, duration_ms, .. } => json!({
            "step": n,
            "model": model,
            "inputTokens": used.map(|used| used.input_tokens),
            "outputTokens": used.map(|used| used.output_tokens),
            "tokens": charge.amount.tokens,
            "costUsd": cost(charge),
            "assumed": charge.assumed,
            "overrun": charge.overrun,
            "text": text,
            "calls": calls.iter().map(called).collect::<Vec<_>>(),
            "cutShort": cut_short,
            "durationMs": duration_ms,
        }),
        Event::ModelFailed { n, model, error, charge, not_before_ms, .. } => json!({
            "step": n,
            "model": model,
            "error": Error::from(&Failure::new(
                if not_before_ms.is_some() { ErrorClass::Transient } else { ErrorClass::Permanent },
                "MODEL_FAILED",
                error.clone(),
            )),
            "tokens": charge.amount.tokens,
            "costUsd": cost(charge),
            "assumed": charge.assumed,
            "notBefore": not_before_ms,
        }),
        Event::ToolCompleted { call, end, found, duration_ms, .. } => json!({
            "step": call.n,
            "tool": call.tool,
            "title": call.title,
            "outcome": end,
            "again": call.again,
            "found": found,
            "durationMs": duration_ms,
        }),
        Event::GuardTripped { guard, rung, .. } => {
            let tool = match rung {
                Rung::DropTool { tool } => Some(tool),
                Rung::Nudge | Rung::OtherModel { .. } | Rung::Escalate => None,
            };
            json!({"guard": guard, "rung": rung.as_str(), "tool": tool, "found": guard.words()})
        }
        Event::ConversationCondensed { turns, results, bytes, .. } => {
            json!({"turns": turns, "results": results, "bytes": bytes})
        }
        _ => json!({}),
    }
}

/// What a call cost, if anybody has said what its model costs: unknown is not zero.
fn cost(charge: &Charge) -> Option<f64> {
    (!charge.unpriced).then(|| usd(charge.amount.micro_usd))
}

/// A tool that a model calls, as `model.answered` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ToolCall {
    /// Its place in the journal of the run.
    pub step: u32,
    /// The tool.
    pub tool: String,
    /// What it is about, in one line.
    pub title: String,
}

fn called(call: &Call) -> ToolCall {
    ToolCall { step: call.n, tool: call.tool.clone(), title: call.title.clone() }
}

/// The keys that clients read beside the ids.
fn particulars(event: &Event, state: &GoalState) -> Value {
    let failure = |error: &Failure| Error::from(error);
    match event {
        Event::GoalCreated { goal } => json!({"createdBy": goal.created_by}),
        Event::GoalPlanned { items } => json!({"items": items}),
        Event::GoalWaiting { behind, workspace } => json!({"waitsFor": behind, "workspace": workspace}),
        Event::GoalStarted { workspace, kept, .. } => json!({"workspace": workspace, "kept": kept}),
        Event::ClockJumped { by_ms } => json!({"clockJumpedMs": by_ms}),
        Event::GoalTakenOver { epoch, .. } => json!({"epoch": epoch}),
        Event::ItemStarted { item, .. } => {
            json!({"model": "", "laneId": state.item(*item).map_or("main", |item| item.lane.as_str())})
        }
        Event::RunContinued { epoch, ran_again, why, .. } => {
            json!({"epoch": epoch, "ranAgain": ran_again, "why": why})
        }
        Event::RunCompleted { status, error, .. } => {
            json!({"success": *status == RunStatus::Success, "error": error.as_ref().map(failure)})
        }
        Event::ModelRequested { .. }
        | Event::ModelAnswered { .. }
        | Event::ModelFailed { .. }
        | Event::ToolCompleted { .. }
        | Event::ConversationCondensed { .. }
        | Event::GuardTripped { .. } => of_turn(event),
        Event::VerificationStarted { probe, .. } => json!({"probe": probe}),
        Event::VerificationCompleted { passed, verdict, summary, recheck, .. } => {
            json!({"passed": passed, "verdict": verdict, "summary": summary, "recheck": recheck})
        }
        Event::ItemRetrying { retry_count, not_before_ms, error, .. } => {
            json!({"retryCount": retry_count, "notBefore": not_before_ms, "error": failure(error)})
        }
        Event::ItemCompleted { verdict, .. } => json!({"verdict": verdict}),
        Event::ItemFailed { error, .. } | Event::GoalFailed { error, .. } => json!({"error": failure(error)}),
        Event::ItemBlocked { escalation, error, .. } => {
            json!({"escalationId": escalation, "error": failure(error)})
        }
        Event::EscalationCreated { escalation } => {
            json!({"escalationId": escalation.id, "type": escalation.escalation_type})
        }
        Event::EscalationResolved { .. }
        | Event::ApprovalChanged { .. }
        | Event::GoalElaborated { .. }
        | Event::EvaluationDecided { .. }
        | Event::GoalReplanning { .. }
        | Event::ItemSuperseded { .. }
        | Event::BudgetWarned { .. }
        | Event::BudgetExceeded { .. }
        | Event::GoalPaused { .. }
        | Event::GoalResumed { .. }
        | Event::GoalPrioritized { .. }
        | Event::GatesApproved { .. }
        | Event::ItemsAdded { .. }
        | Event::ItemSkipped { .. } => control::particulars(event, state),
        Event::GoalCompleted { verdict, summary, .. } => json!({"verdict": verdict, "summary": summary}),
        Event::GoalBlocked { escalations, summary } => {
            json!({"escalationIds": escalations, "summary": summary})
        }
        Event::GoalCancelling { cancel } | Event::GoalCancelled { cancel } => {
            json!({"reason": cancel.reason, "cancelledBy": cancel.by})
        }
        Event::GoalCompacted { events, .. } => json!({"events": events}),
        Event::ItemCreated { .. }
        | Event::ItemReady { .. }
        | Event::ItemReopened { .. }
        | Event::RunStarted { .. }
        | Event::RunExecuted { .. }
        | Event::GateCompleted { .. }
        | Event::GoalPublishing
        | Event::ArtifactCreated { .. } => json!({}),
    }
}
