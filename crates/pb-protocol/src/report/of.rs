//! Making a report from a goal's state.

use std::collections::BTreeMap;

use pb_model::Verdict;
use pb_model::goal::{
    Answer, Escalation, ExecutionOutcome, Goal, GoalState, GoalStatus, Item, ItemStatus, Kept,
};
use pb_model::spec::Work;

use super::{
    Asked, Delivered, DoneItem, Freshness, GateReport, ModelSpent, OpenItem, Question, Report, Spent,
    UncheckedGate, Undo,
};
use crate::domain::{Artifact, Error, GateResult, usd};

impl From<&GoalState> for Report {
    fn from(state: &GoalState) -> Self {
        let goal = &state.goal;
        let (done, open): (Vec<&Item>, Vec<&Item>) =
            state.items.iter().partition(|item| item.status == ItemStatus::Done && !item.superseded);
        Self {
            goal_id: goal.id.to_string(),
            title: goal.spec.title.clone(),
            status: goal.status.as_str().to_owned(),
            reason: goal.reason.map(|reason| reason.as_str().to_owned()),
            verdict: goal.verdict,
            summary: goal.summary.clone(),
            error: goal.error.as_ref().map(Error::from),
            created_at: goal.created_at_ms,
            updated_at: goal.updated_at_ms,
            ended_at: goal.completed_at_ms,
            asked: Asked {
                description: goal.spec.description.clone(),
                criteria: goal.spec.success_criteria.clone(),
                by: goal.created_by.clone(),
            },
            assumed: goal.assumptions.clone(),
            done: done.into_iter().map(|item| done_item(state, item)).collect(),
            not_done: open.into_iter().map(|item| open_item(state, item)).collect(),
            verified: state
                .items
                .iter()
                .filter(|item| !item.superseded)
                .flat_map(|item| gates(state, item))
                .collect(),
            unchecked: state
                .items
                .iter()
                .filter(|item| !item.superseded)
                .flat_map(|item| unchecked(state, item))
                .collect(),
            questions: state.escalations.iter().map(|asked| question(state, asked)).collect(),
            spent: spent(goal),
            delivered: delivered(state),
            undo: undo(goal),
        }
    }
}

fn attempts(state: &GoalState, item: &Item) -> u32 {
    state.last_run(item.id).map_or(0, |run| run.attempt)
}

/// Key of the item whose run added it.
fn added_by(state: &GoalState, item: &Item) -> Option<String> {
    item.added_by.and_then(|above| state.item(above)).map(|above| above.key.clone())
}

fn done_item(state: &GoalState, item: &Item) -> DoneItem {
    let kind = match item.work {
        Work::Command(_) => "command",
        Work::Agent(_) => "agent",
    };
    DoneItem {
        key: item.key.clone(),
        title: item.title.clone(),
        kind: kind.to_owned(),
        added_by: added_by(state, item),
        verdict: item.verdict.unwrap_or(Verdict::Unverified),
        attempts: attempts(state, item),
        said: said(state, item),
    }
}

/// An agent's last words are the output of its run.
fn said(state: &GoalState, item: &Item) -> Option<String> {
    let execution = state.last_run(item.id).filter(|_| item.is_agent())?.execution.as_ref()?;
    let finished = execution.outcome == ExecutionOutcome::Finished;
    (finished && !execution.output_tail.is_empty()).then(|| execution.output_tail.clone())
}

fn open_item(state: &GoalState, item: &Item) -> OpenItem {
    OpenItem {
        key: item.key.clone(),
        title: item.title.clone(),
        added_by: added_by(state, item),
        status: if item.superseded { "replaced" } else { item.status.as_str() }.to_owned(),
        why: why_open(state, item),
        attempts: attempts(state, item),
    }
}

fn why_open(state: &GoalState, item: &Item) -> String {
    let error = item.error.as_ref().map(|error| error.message.clone());
    let over = state.goal.status.is_terminal();
    if item.superseded {
        let after = error.map(|error| format!(", after: {error}")).unwrap_or_default();
        return format!("another plan took its place{after}");
    }
    match item.status {
        ItemStatus::Done => String::new(),
        ItemStatus::Failed => error.unwrap_or_else(|| "it failed".to_owned()),
        ItemStatus::Blocked => error.unwrap_or_else(|| "it waits for a human".to_owned()),
        ItemStatus::Skipped => {
            let by = skipped_by(state, item).unwrap_or("a human");
            let after = error.map(|error| format!(", after: {error}")).unwrap_or_default();
            format!("{by} said to go on without it{after}")
        }
        ItemStatus::InProgress | ItemStatus::Verify if over => {
            error.unwrap_or_else(|| "it was stopped".to_owned())
        }
        ItemStatus::InProgress | ItemStatus::Verify => "it is being worked on".to_owned(),
        ItemStatus::Queued | ItemStatus::Ready => match (error, waits_for(state, item)) {
            (Some(error), _) => format!("its last attempt failed: {error}"),
            (None, needs) if !needs.is_empty() => format!("it needs {}", needs.join(", ")),
            (None, _) if over => "it was never started".to_owned(),
            (None, _) => "it has not started".to_owned(),
        },
    }
}

/// Keys of what the item needs and has not got.
fn waits_for(state: &GoalState, item: &Item) -> Vec<String> {
    let needs = state.waits_on(item);
    let needs = needs.iter().filter_map(|need| state.item(*need));
    needs.filter(|need| !need.status.is_settled()).map(|need| need.key.clone()).collect()
}

fn skipped_by<'a>(state: &'a GoalState, item: &Item) -> Option<&'a str> {
    let mut given =
        state.escalations.iter().rev().filter_map(|asked| Some((asked, asked.resolution.as_ref()?)));
    let (_, resolution) = given.find(|(asked, given)| match given.answer {
        Answer::Skip => asked.item_id == Some(item.id),
        // What is left out then is all that was not done.
        Answer::Finish => true,
        Answer::Retry
        | Answer::Raise
        | Answer::Cancel
        | Answer::Approve
        | Answer::Deny
        | Answer::UserInput
        | Answer::AlternativeApproach => false,
    })?;
    Some(&resolution.by)
}

/// Stale gates of done items run once more before delivery, or it fails: those of a completed goal are about
/// what was delivered. What a human left out is not looked at again.
fn gates(state: &GoalState, item: &Item) -> Vec<GateReport> {
    let is_delivered = state.goal.status == GoalStatus::Completed && item.status == ItemStatus::Done;
    let freshness = if is_delivered { Freshness::AsDelivered } else { Freshness::WhenItRan };
    let standing = state.last_run(item.id).map(|run| state.standing_gates(run.id)).unwrap_or_default();
    let report = |found| GateReport { item: item.key.clone(), freshness, result: GateResult::from(found) };
    standing.into_iter().map(report).collect()
}

fn unchecked(state: &GoalState, item: &Item) -> Vec<UncheckedGate> {
    let standing = state.last_run(item.id).map(|run| state.standing_gates(run.id)).unwrap_or_default();
    let all = (0_u32..).zip(&item.gates);
    let never_ran = all.filter(|(place, _)| standing.iter().all(|found| found.gate != *place));
    let gate = |(_, gate): (u32, &pb_model::GateSpec)| UncheckedGate {
        item: item.key.clone(),
        name: gate.label(),
        kind: gate.check.kind().to_owned(),
        required: gate.required,
    };
    never_ran.map(gate).collect()
}

fn question(state: &GoalState, asked: &Escalation) -> Question {
    let item = asked.item_id.and_then(|item| state.item(item));
    let resolution = asked.resolution.as_ref();
    Question {
        id: asked.id.to_string(),
        asked_at: asked.created_at_ms,
        kind: asked.escalation_type.as_str().to_owned(),
        item: item.map(|item| item.key.clone()),
        title: asked.title.clone(),
        why: asked.packet.root_cause.clone(),
        options: asked.packet.options.iter().map(|option| option.action.clone()).collect(),
        answer: resolution.map(|given| given.answer.as_str().to_owned()),
        by: resolution.map(|given| given.by.clone()),
        text: resolution.and_then(|given| given.text.clone()),
        answers: resolution.map(|given| given.answers.values().cloned().collect()).unwrap_or_default(),
        expired: resolution.is_some_and(|given| given.expired),
    }
}

fn spent(goal: &Goal) -> Spent {
    let spending = &goal.spending;
    let mut by_model: BTreeMap<&str, (u32, u32, u64, u64, bool)> = BTreeMap::new();
    for line in &spending.lines {
        let sum = by_model.entry(&line.model).or_default();
        sum.0 += line.calls;
        sum.1 += line.turns;
        sum.2 += line.amount.tokens;
        sum.3 += line.amount.micro_usd;
        sum.4 |= line.unpriced;
    }
    let model = |(model, (calls, turns, tokens, micro_usd, unpriced)): (&str, (u32, u32, u64, u64, bool))| {
        ModelSpent { model: model.to_owned(), calls, turns, tokens, cost_usd: usd(micro_usd), unpriced }
    };
    Spent {
        wall_ms: goal.completed_at_ms.unwrap_or(goal.updated_at_ms).saturating_sub(goal.created_at_ms),
        running_ms: goal.spent_time_ms,
        turns: spending.turns,
        tokens: spending.settled.tokens,
        cost_usd: usd(spending.settled.micro_usd),
        assumed_tokens: spending.assumed.tokens,
        assumed_cost_usd: usd(spending.assumed.micro_usd),
        unpriced: spending.unpriced,
        by_model: by_model.into_iter().map(model).collect(),
    }
}

fn delivered(state: &GoalState) -> Delivered {
    // Of a goal that failed, what it had made; what a failure before a retry left is told by neither.
    let failed = state.goal.status == GoalStatus::Failed;
    let told = state.artifacts.iter().filter(|artifact| artifact.partial == failed);
    let mut all: Vec<Artifact> = told.map(Artifact::from).collect();
    all.sort_by(|one, other| one.file_path.cmp(&other.file_path));
    let (removed, files) = all.into_iter().partition(|artifact| artifact.removed);
    Delivered { workspace: state.goal.workspace.clone(), files, removed, unlisted: state.goal.unlisted }
}

fn undo(goal: &Goal) -> Option<Undo> {
    let kept = goal.kept.clone()?;
    let command = match &kept {
        Kept::Empty | Kept::Git { .. } | Kept::Copy { .. } => Some(format!("pb goal undo {}", goal.id)),
        Kept::Not { .. } => None,
    };
    Some(Undo { kept, command })
}
