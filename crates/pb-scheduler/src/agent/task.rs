//! What a model is told about its work: the variables of the prompts.

use std::collections::BTreeMap;

use pb_model::goal::{
    Clarification, GateResult, GoalState, Item, PLANNING_TURNS_MAX, QUESTIONS_DEFAULT, Run,
};
use pb_model::spec::AgentSpec;
use pb_tools::Registry;
use serde::Serialize;

use super::compose::agent_of;
use super::{ask, plan};
use crate::verify::tail;

/// End of a failed gate's output that the next attempt is shown, in bytes.
pub(super) const EVIDENCE_BYTES_MAX: usize = 2 * 1024;

#[derive(Serialize)]
pub(super) struct GoalVariables<'a> {
    title: &'a str,
    description: &'a str,
}

/// The variables of `agent_task.md`.
#[derive(Serialize)]
pub(super) struct AgentTask<'a> {
    goal: GoalVariables<'a>,
    criteria: Vec<&'a str>,
    item: ItemVariables<'a>,
    inputs: &'a BTreeMap<String, String>,
    agreed: Vec<String>,
    done: Vec<DoneBefore<'a>>,
    gates: Vec<String>,
    adding: Option<Adding<'a>>,
    previous: Option<Previous<'a>>,
}

#[derive(Serialize)]
struct ItemVariables<'a> {
    title: &'a str,
    description: &'a str,
    prompt: &'a str,
    turns: u32,
}

/// What a run may add to the goal.
#[derive(Serialize)]
struct Adding<'a> {
    /// How many items.
    room: u32,
    /// Titles of what runs of the item added before.
    before: Vec<&'a str>,
    /// Whether the last attempt added some, which came to nothing with it.
    dropped: bool,
}

/// An item that was done before.
#[derive(Serialize)]
struct DoneBefore<'a> {
    title: &'a str,
    summary: &'a str,
}

/// The attempt before this one, and the evidence against it.
#[derive(Serialize)]
struct Previous<'a> {
    attempt: u32,
    error: &'a str,
    gates: Vec<FailedGate<'a>>,
}

#[derive(Serialize)]
struct FailedGate<'a> {
    name: &'a str,
    found: &'a str,
    output: String,
}

pub(super) fn goal_variables(state: &GoalState) -> (GoalVariables<'_>, Vec<&str>) {
    let spec = &state.goal.spec;
    let goal = GoalVariables { title: &spec.title, description: &spec.description };
    // The one that intake makes up says nothing.
    let told =
        spec.success_criteria.iter().filter(|criterion| criterion.verification_method != "status_check");
    (goal, told.map(|criterion| criterion.description.as_str()).collect())
}

/// What an agent is told about its item.
pub(super) fn agent_task<'a>(state: &'a GoalState, item: &'a Item) -> AgentTask<'a> {
    let (goal, criteria) = goal_variables(state);
    let agent = agent_of(item);
    let before = state.waits_on(item);
    let needs = before.iter().filter_map(|need| state.item(*need)).filter(|need| !need.superseded);
    AgentTask {
        goal,
        criteria,
        item: ItemVariables {
            title: &item.title,
            description: &item.description,
            prompt: agent.map_or("", |agent| agent.prompt.as_str()),
            turns: agent.map_or(0, AgentSpec::turns),
        },
        inputs: &state.goal.spec.inputs,
        agreed: agreed(state),
        done: needs.map(|need| DoneBefore { title: &need.title, summary: summary(state, need) }).collect(),
        gates: item.gates.iter().map(pb_model::GateSpec::label).collect(),
        adding: adding(state, item),
        previous: previous(state, item),
    }
}

fn adding<'a>(state: &'a GoalState, item: &Item) -> Option<Adding<'a>> {
    let room = state.room_to_add();
    if !state.may_add_items(item) || room == 0 {
        return None;
    }
    let added = state.items.iter().filter(|other| other.added_by == Some(item.id) && !other.superseded);
    let last = state.runs.iter().rev().filter(|run| run.item_id == Some(item.id)).nth(1);
    let is_lost = |run: &Run| run.added.iter().any(|addition| state.item(addition.id).is_none());
    Some(Adding {
        room,
        before: added.map(|other| other.title.as_str()).collect(),
        dropped: last.is_some_and(is_lost),
    })
}

/// What the person answered before, and what is taken for granted.
fn agreed(state: &GoalState) -> Vec<String> {
    let answered = state.escalations.iter().filter_map(|asked| Some((asked, asked.resolution.as_ref()?)));
    let answers = answered.flat_map(|(asked, given)| {
        let of = |question: &Clarification| {
            let answer = given.answers.get(&question.id)?;
            Some(format!("{} {answer}", question.question))
        };
        let words = asked.packet.questions.first().and(given.text.clone());
        asked.packet.questions.iter().filter_map(of).chain(words).collect::<Vec<_>>()
    });
    answers.chain(state.goal.assumptions.iter().map(|assumed| format!("assumed: {assumed}"))).collect()
}

/// What counts however long a conversation gets: told again after what of it is told in short. Nothing in it
/// changes from turn to turn, so that what models keep of a request stays of use.
#[derive(Serialize)]
pub(super) struct StillCounts<'a> {
    goal: GoalVariables<'a>,
    criteria: Vec<&'a str>,
    item: Option<&'a str>,
    reviewing: bool,
    gates: Vec<String>,
    limits: Vec<String>,
}

/// What still counts for an agent, or for a planner.
pub(super) fn still_counts<'a>(
    state: &'a GoalState,
    item: Option<&'a Item>,
    reviewing: bool,
) -> StillCounts<'a> {
    let (goal, criteria) = goal_variables(state);
    let agent = item.and_then(agent_of);
    let of_item = [
        Some(format!("{} answers in all", agent.map_or(PLANNING_TURNS_MAX, AgentSpec::turns))),
        agent.and_then(|agent| agent.budget_tokens).map(|tokens| format!("{tokens} tokens for this item")),
        agent
            .and_then(|agent| agent.budget_usd)
            .map(|usd| format!("{} US dollars for this item", f64::from(usd))),
        agent.and_then(|agent| agent.budget_percent).map(|part| format!("{part} % of the goal's budget")),
        agent.and_then(|agent| agent.time_limit_s).map(|seconds| format!("{seconds} seconds of work")),
    ];
    let of_goal = caps(state).into_iter().map(|cap| format!("{cap} for the whole goal"));
    StillCounts {
        goal,
        criteria,
        item: item.map(|item| item.title.as_str()),
        reviewing,
        gates: item.map_or_else(Vec::new, |item| item.gates.iter().map(pb_model::GateSpec::label).collect()),
        limits: of_item.into_iter().flatten().chain(of_goal).collect(),
    }
}

/// The caps of the whole goal, in words.
fn caps(state: &GoalState) -> Vec<String> {
    let spec = &state.goal.spec;
    let caps = [
        spec.budget_cost_usd.map(|usd| format!("{usd} US dollars")),
        spec.budget_tokens.map(|tokens| format!("{tokens} tokens")),
        spec.budget_turns.map(|turns| format!("{turns} answers")),
        spec.budget_time_minutes.map(|minutes| format!("{minutes} minutes")),
    ];
    caps.into_iter().flatten().collect()
}

/// What an agent said about an item when it was done.
fn summary<'a>(state: &'a GoalState, item: &Item) -> &'a str {
    let run = state.last_run(item.id).filter(|run| run.conversation.is_some());
    run.and_then(|run| run.execution.as_ref()).map_or("", |execution| execution.output_tail.as_str())
}

fn previous<'a>(state: &'a GoalState, item: &Item) -> Option<Previous<'a>> {
    let mut runs = state.runs.iter().rev().filter(|run| run.item_id == Some(item.id));
    // The newest is the one that is about to begin.
    let last = runs.nth(1)?;
    let failed = |gate: &'a GateResult| FailedGate {
        name: &gate.name,
        found: &gate.found,
        output: tail(&gate.evidence.output_tail, EVIDENCE_BYTES_MAX)
            .replace("</tool_result", "<\\/tool_result"),
    };
    Some(Previous {
        attempt: last.attempt,
        error: last.error.as_ref().map_or("no reason is known", |error| error.message.as_str()),
        gates: state.standing_gates(last.id).into_iter().filter(|gate| !gate.passed).map(failed).collect(),
    })
}

/// The variables of `plan_task.md`.
#[derive(Serialize)]
pub(super) struct PlanTask<'a> {
    goal: GoalVariables<'a>,
    criteria: Vec<&'a str>,
    inputs: &'a BTreeMap<String, String>,
    entries: Vec<String>,
    tools: Vec<&'static str>,
    caps: Vec<String>,
    /// Whether the person may be asked.
    may_ask: bool,
    questions: u32,
    agreed: Vec<String>,
    again: Option<PlanAgain<'a>>,
}

/// Another plan: why, and what there is of the last one.
#[derive(Serialize)]
struct PlanAgain<'a> {
    why: &'a str,
    by: &'a str,
    items: Vec<PlannedBefore<'a>>,
}

#[derive(Serialize)]
struct PlannedBefore<'a> {
    id: &'a str,
    title: &'a str,
    stands: &'static str,
    kept: bool,
    error: &'a str,
}

/// What a planner is told about the goal.
pub(super) fn plan_task<'a>(state: &'a GoalState, run: &Run) -> PlanTask<'a> {
    let (goal, criteria) = goal_variables(state);
    let spec = &state.goal.spec;
    PlanTask {
        goal,
        criteria,
        inputs: &spec.inputs,
        entries: plan::folder(state).map(plan::entries).unwrap_or_default(),
        tools: Registry::builtin().names(),
        caps: caps(state),
        may_ask: ask::may_ask(state, run),
        questions: spec.max_questions.unwrap_or(QUESTIONS_DEFAULT),
        agreed: agreed(state),
        again: state.goal.replan.as_ref().map(|replan| PlanAgain {
            why: &replan.why,
            by: &replan.by,
            items: state.items.iter().map(planned_before).collect(),
        }),
    }
}

fn planned_before(item: &Item) -> PlannedBefore<'_> {
    PlannedBefore {
        id: &item.key,
        title: &item.title,
        stands: if item.superseded { "left out" } else { item.status.as_str() },
        kept: !item.superseded,
        error: item.error.as_ref().map_or("", |error| error.message.as_str()),
    }
}
