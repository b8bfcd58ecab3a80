//! Plans that a model hands in: their form, and everything that is wrong with one.

use std::path::Path;

use futures_util::future::BoxFuture;
use pb_model::goal::{ASSUMPTIONS_MAX, GoalState, QUESTION_BYTES_MAX, SUBMIT_PLAN};
use pb_model::plan::closest;
use pb_model::spec::{AgentSpec, CRITERIA_MAX, CommandSpec, Effect, GateSpec, Invalid, ItemSpec, Lane, Work};
use pb_model::{Tier, goal_file};
use pb_tools::{Output, Registry, Scope, ToolError, TypedTool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

mod gate;

use gate::{DraftGate, gate};

/// What a planner may look with, where there is a folder to look into.
pub(super) const LOOKING: [&str; 3] = ["list_dir", "read_file", "search_files"];
/// Most items of a plan that a model makes.
const ITEMS_MAX: usize = 50;
/// Most names of the workspace's top that a planner is told.
const ENTRIES_MAX: usize = 100;
/// Most problems that the model is told at once.
const PROBLEMS_MAX: usize = 20;

/// The tool by which a model hands in a plan. It is never called: [`check`] is.
#[derive(Debug)]
pub(super) struct SubmitPlan;

impl TypedTool for SubmitPlan {
    type Arguments = Draft;

    const NAME: &'static str = SUBMIT_PLAN;
    const DESCRIPTION: &'static str = "Hands in the plan. If something is wrong with it, the problems are the result, and you hand in a \
         corrected plan; a plan that holds ends your work.";
    const EFFECT: Option<Effect> = Some(Effect::Pure);

    fn about(draft: &Draft) -> String {
        draft.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn run<'a>(&'a self, _: Draft, _: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(async { Err(ToolError::Host("a plan is not run".to_owned())) })
    }
}

/// A plan.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    /// The work items, in any order.
    items: Vec<DraftItem>,
    /// What the goal leaves open and you took for granted, one short sentence each, for the person to read.
    #[serde(default)]
    assumptions: Vec<String>,
    /// How one will know that the goal is reached, where the person did not say: one short sentence each.
    #[serde(default)]
    criteria: Vec<String>,
}

/// A plan that holds.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) items: Vec<ItemSpec>,
    pub(super) assumptions: Vec<String>,
    pub(super) criteria: Vec<String>,
}

/// One work item. Keys of the other kind are left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DraftItem {
    /// A short key, unique in the plan: letters, digits, `-`, `_`.
    pub(super) id: String,
    /// One line for people.
    #[serde(default)]
    title: Option<String>,
    /// `command` runs one program; `agent` lets a model act with tools. Keys of the other kind are left out.
    kind: DraftKind,
    /// Ids of the items that must be done before this one starts.
    #[serde(default)]
    needs: Vec<String>,
    /// Of a command: the program and its arguments.
    #[serde(default)]
    argv: Vec<String>,
    /// Of an agent: exactly what to do.
    #[serde(default)]
    prompt: Option<String>,
    /// Of an agent: names of the tools that it may use; all of them if left out.
    #[serde(default)]
    tools: Vec<String>,
    /// Of an agent: how much it asks of a model; `medium` if left out.
    #[serde(default)]
    tier: Option<Tier>,
    /// What doing it twice means: of a command itself, of an agent the commands that it runs; `unsafe` if
    /// left out.
    #[serde(default)]
    effect: Option<Effect>,
    /// Of an agent: how much of the goal's budget it may use, 1 to 100.
    #[serde(default)]
    budget_percent: Option<u8>,
    /// Of an agent: whether it may add items while it works, because only then it will be known what is to be
    /// done.
    #[serde(default)]
    may_add_items: bool,
    /// What proves that it is done: at least one.
    #[serde(default)]
    gates: Vec<DraftGate>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DraftKind {
    Command,
    Agent,
}

/// A plan that holds, or everything that is wrong with it, for the model.
pub(super) fn check(arguments: &Value, state: &GoalState) -> Result<Checked, String> {
    let draft: Draft = pb_tools::parse_arguments(arguments)
        .map_err(|reason| format!("the plan was not understood: {reason}"))?;
    let mut problems = Problems::of("the plan does not hold");
    if draft.items.is_empty() {
        problems.add("items", "a plan has at least one item");
    }
    if draft.items.len() > ITEMS_MAX {
        problems.add("items", &format!("{} items, at most {ITEMS_MAX} are allowed", draft.items.len()));
    }
    let shares: u32 = draft.items.iter().filter_map(|item| item.budget_percent).map(u32::from).sum();
    if shares > 100 {
        problems.add("budget_percent", &format!("all shares together are {shares} percent, at most 100"));
    }
    sentences("assumptions", &draft.assumptions, ASSUMPTIONS_MAX, &mut problems);
    sentences("criteria", &draft.criteria, CRITERIA_MAX, &mut problems);
    let Draft { items, assumptions, criteria } = draft;
    let items = drafted(items, &mut problems);
    let mut spec = state.goal.spec.clone();
    spec.plan_only = false;
    // New items may need those that stay, and come after them; their keys are not used again.
    spec.items = kept(state);
    let left_out = state.items.iter().filter(|item| item.superseded).map(|item| &item.key);
    for key in left_out.chain(state.to_come().map(|addition| &addition.spec.id)) {
        if items.iter().any(|item| item.id == *key) {
            problems.add(
                key,
                "an item of an earlier plan, or one that is being added, has this id: choose another",
            );
        }
    }
    spec.items.extend(items.iter().cloned());
    problems.extend(goal_file::spec_problems(&spec));
    problems.or(Checked { items, assumptions, criteria })
}

/// The items that stay when another plan is made: what is done, and what runs.
pub(super) fn kept(state: &GoalState) -> Vec<ItemSpec> {
    let mut kept = state.item_specs();
    let of_plan = |key: &str| state.planned().any(|item| item.key == key);
    kept.retain(|item| of_plan(&item.id));
    for item in &mut kept {
        item.needs.retain(|need| of_plan(need));
    }
    kept
}

fn sentences(place: &str, texts: &[String], most: usize, problems: &mut Problems) {
    if texts.len() > most {
        problems.add(place, &format!("{} of them, at most {most} are allowed", texts.len()));
    }
    let wrong = |text: &&String| text.trim().is_empty() || text.len() > QUESTION_BYTES_MAX;
    if texts.iter().any(|text| wrong(&text)) {
        problems.add(place, &format!("each is a sentence of at most {QUESTION_BYTES_MAX} bytes"));
    }
}

/// Everything that is wrong with what a model hands in, each once.
pub(super) struct Problems {
    what: &'static str,
    lines: Vec<String>,
}

impl Problems {
    /// None so far; `what` says what they mean.
    pub(super) fn of(what: &'static str) -> Self {
        Self { what, lines: Vec::new() }
    }

    pub(super) fn add(&mut self, place: &str, problem: &str) {
        let line = format!("- {place}: {problem}");
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    pub(super) fn extend(&mut self, found: Vec<Invalid>) {
        for invalid in found {
            let hint = invalid.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            self.add(&invalid.place, &format!("{}{hint}", invalid.problem));
        }
    }

    pub(super) fn or<T>(mut self, value: T) -> Result<T, String> {
        if self.lines.is_empty() {
            return Ok(value);
        }
        let more = self.lines.len().saturating_sub(PROBLEMS_MAX);
        self.lines.truncate(PROBLEMS_MAX);
        if more > 0 {
            self.lines.push(format!("- and {more} more"));
        }
        Err(format!("{}:\n{}", self.what, self.lines.join("\n")))
    }
}

/// The items of a plan, or of a part of one, as their model means them.
pub(super) fn drafted(items: Vec<DraftItem>, problems: &mut Problems) -> Vec<ItemSpec> {
    items.into_iter().enumerate().map(|(n, draft)| item(draft, n, problems)).collect()
}

fn item(draft: DraftItem, n: usize, problems: &mut Problems) -> ItemSpec {
    let place = format!("items[{n}] ({})", draft.id);
    if draft.gates.is_empty() {
        problems.add(&place, "it needs at least one gate");
    }
    let gates = draft
        .gates
        .into_iter()
        .enumerate()
        .map(|(g, draft)| gate(draft, &format!("{place}.gates[{g}]"), problems));
    let gates: Vec<GateSpec> = gates.collect();
    let effect = draft.effect.unwrap_or_default();
    let work = match draft.kind {
        DraftKind::Command => {
            if draft.may_add_items {
                problems.add(&place, "only an agent may add items");
            }
            if draft.prompt.is_some() {
                problems.add(&place, "a command has no `prompt`; it has `argv`");
            }
            Work::Command(CommandSpec {
                argv: draft.argv,
                cwd: None,
                env: std::collections::BTreeMap::new(),
                time_limit_s: None,
                effect,
                tcp_ports: Vec::new(),
            })
        }
        DraftKind::Agent => {
            if !draft.argv.is_empty() {
                problems.add(&place, "an agent has no `argv`; it has a `prompt`");
            }
            unknown_tools(&draft.tools, &place, problems);
            Work::Agent(AgentSpec {
                prompt: draft.prompt.unwrap_or_default(),
                tools: draft.tools,
                tier: draft.tier.unwrap_or_default(),
                model: None,
                effect,
                max_turns: None,
                budget_percent: draft.budget_percent,
                time_limit_s: None,
                budget_tokens: None,
                budget_usd: None,
                guards: true,
                approve: Vec::new(),
                may_add_items: draft.may_add_items,
            })
        }
    };
    ItemSpec {
        id: draft.id,
        title: draft.title,
        description: String::new(),
        needs: draft.needs,
        lane: Lane::Main,
        max_retries: None,
        work,
        gates,
    }
}

fn unknown_tools(tools: &[String], place: &str, problems: &mut Problems) {
    let registry = Registry::builtin();
    let known = registry.names();
    for tool in tools.iter().filter(|tool| registry.get(tool).is_none()) {
        let meant = closest(tool, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        problems.add(place, &format!("there is no tool `{tool}`{meant} (there are {})", known.join(", ")));
    }
}

/// The folder that a planner may look into: the one that the goal named, if it is there.
pub(super) fn folder(state: &GoalState) -> Option<&str> {
    state.goal.spec.workspace.as_deref().filter(|folder| Path::new(folder).is_dir())
}

/// What is at the top of a planner's folder: folders with a `/` at their end.
pub(super) fn entries(folder: &str) -> Vec<String> {
    let Ok(read) = std::fs::read_dir(folder) else { return Vec::new() };
    let name = |entry: std::fs::DirEntry| {
        let end = if entry.file_type().is_ok_and(|kind| kind.is_dir()) { "/" } else { "" };
        format!("{}{end}", entry.file_name().to_string_lossy())
    };
    let mut names: Vec<String> = read.flatten().map(name).filter(|name| name != ".git/").collect();
    names.sort();
    if names.len() > ENTRIES_MAX {
        let more = names.len() - ENTRIES_MAX;
        names.truncate(ENTRIES_MAX);
        names.push(format!("and {more} more"));
    }
    names
}

#[cfg(test)]
mod tests;
