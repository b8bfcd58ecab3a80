//! Items that a run adds to its own goal while it works.
//!
//! ```text
//!               add_items                its item is done: its gates hold
//! a run works ------------> the run has it ------------------------------> an item of the goal
//!                                |
//!                                +-- the attempt came to nothing: so did this
//! ```
//!
//! What a run adds belongs to the run until its item is done, so another attempt begins with nothing added, and a
//! key that was used in vain is free. Then it is an item like any other, which says by whom it was added. It
//! starts after that item, and what needs that item waits for all that was added below it.

use serde::{Deserialize, Serialize};

use super::conversation::FINISH;
use super::escalation::Answer;
use super::state::{GoalState, Item, ItemStatus, Run, RunStatus};
use crate::spec::{AgentSpec, Check, Effect, GateSpec, ITEMS_MAX, Invalid, ItemSpec, Lane, Work};
use crate::{ItemId, plan};

/// The tool by which an agent adds items to its goal.
pub const ADD_ITEMS: &str = "add_items";
/// The tool by which an agent runs programs.
pub const RUN_COMMAND: &str = "run_command";
/// How deep items may be added: an item of the plan has depth 0, one that it added 1.
pub const ADDED_DEPTH_MAX: u32 = 2;
/// Most items that the runs of a goal add together, if the goal does not say how many.
pub const ADDED_ITEMS_DEFAULT: u32 = 8;
/// Most items that a goal may allow its runs to add.
pub const ADDED_ITEMS_MAX: u32 = 32;

/// An item that a run adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addition {
    /// Its id.
    pub id: ItemId,
    /// What is asked for; `needs` are keys of others that the same run added.
    pub spec: ItemSpec,
}

impl GoalState {
    /// Most items that runs of this goal add together.
    pub fn added_max(&self) -> u32 {
        self.goal.spec.max_added_items.unwrap_or(ADDED_ITEMS_DEFAULT)
    }

    /// How many levels above the item are of items that added: 0 for one of the plan.
    pub fn added_depth(&self, item: &Item) -> u32 {
        let above = std::iter::successors(item.added_by, |id| self.item(*id)?.added_by);
        // In a history that somebody made up, items may have added each other.
        u32::try_from(above.take(self.items.len()).count()).unwrap_or(u32::MAX)
    }

    /// Whether runs of the item may add items: its plan says so, and it is not too deep.
    pub fn may_add_items(&self, item: &Item) -> bool {
        agent(item).is_some_and(|agent| agent.may_add_items)
            && self.added_max() > 0
            && self.added_depth(item) < ADDED_DEPTH_MAX
    }

    /// How many more items may be added.
    pub fn room_to_add(&self) -> u32 {
        let added = self.items.iter().filter(|item| item.added_by.is_some()).count();
        let all = u32::try_from(added + self.to_come().count()).unwrap_or(u32::MAX);
        self.added_max().saturating_sub(all)
    }

    /// What runs have added that becomes items once their own is done.
    pub fn to_come(&self) -> impl Iterator<Item = &Addition> {
        let runs = self.runs.iter().filter(|run| !run.added.is_empty() && self.still_counts(run));
        runs.flat_map(|run| &run.added).filter(|addition| self.item(addition.id).is_none())
    }

    /// Whether the run's item may yet be done by it: it goes on, or a person has to say whether its gates count.
    fn still_counts(&self, run: &Run) -> bool {
        let waits = |id: ItemId| {
            self.item(id).is_some_and(|item| item.status == ItemStatus::Blocked)
                && self.last_run(id).is_some_and(|last| last.id == run.id)
        };
        match run.status {
            RunStatus::Running => true,
            RunStatus::Success => run.item_id.is_some_and(waits),
            RunStatus::Failure | RunStatus::Timeout | RunStatus::Aborted => false,
        }
    }

    /// Every item that has to be settled before this one starts, each once: what it needs, and then what was
    /// added below that. An item that was added does not wait for what else its parent added.
    pub fn waits_on(&self, item: &Item) -> Vec<ItemId> {
        let mut all = item.needs.clone();
        if self.items.iter().all(|item| item.added_by.is_none()) {
            return all;
        }
        let mut open: Vec<ItemId> = all.iter().copied().filter(|need| Some(*need) != item.added_by).collect();
        // An item is added by one other, and never by itself; but in a history that somebody made up it may be.
        let mut seen = Vec::new();
        while let Some(above) = open.pop() {
            for below in self.items.iter().filter(|other| other.added_by == Some(above)) {
                if seen.contains(&below.id) {
                    continue;
                }
                seen.push(below.id);
                if !all.contains(&below.id) {
                    all.push(below.id);
                }
                open.push(below.id);
            }
        }
        all
    }

    /// The items that have to wait until this one is settled, in plan order.
    pub fn waiting_for(&self, item: ItemId) -> impl Iterator<Item = &Item> {
        // What needs it says so itself, unless something was added: looking for that at each item costs its cube.
        let nothing_added = self.items.iter().all(|item| item.added_by.is_none());
        self.items.iter().filter(move |other| {
            if nothing_added { other.needs.contains(&item) } else { self.waits_on(other).contains(&item) }
        })
    }

    /// Everything that is wrong with items that a run is about to add; `earlier` are those that it added before
    /// and that are not committed yet.
    pub fn addition_problems(&self, run: &Run, earlier: &[Addition], specs: &[ItemSpec]) -> Vec<Invalid> {
        let Some(parent) = run.item_id.and_then(|item| self.item(item)) else {
            return vec![Invalid::new("items", "only the run of an item adds items")];
        };
        let mut problems = self.forbidden(parent, earlier.len(), specs.len());
        let total = self.items.len() + self.to_come().count() + earlier.len() + specs.len();
        if total > ITEMS_MAX {
            problems.push(Invalid::new("items", format!("a goal has at most {ITEMS_MAX} items")));
        }
        for (n, spec) in specs.iter().enumerate() {
            let place = format!("items[{n}] ({})", spec.id);
            let wider = self.wider_rights(parent, spec).into_iter();
            problems.extend(wider.map(|problem| Invalid::new(place.clone(), problem)));
        }
        let taken = |key: &str| {
            let coming = self.to_come().chain(earlier).any(|addition| addition.spec.id == key);
            coming || self.items.iter().any(|item| item.key == key)
        };
        for (n, spec) in specs.iter().enumerate().filter(|(_, spec)| taken(&spec.id)) {
            let problem = "the goal has an item with this id already";
            problems.push(Invalid::new(format!("items[{n}].id"), format!("`{}`: {problem}", spec.id)));
        }
        // The new ones come first, so that problems name them by their places; what is taken was told.
        let before = run.added.iter().chain(earlier).map(|addition| &addition.spec);
        let before = before.filter(|spec| specs.iter().all(|new| new.id != spec.id));
        let all: Vec<ItemSpec> = specs.iter().chain(before).cloned().collect();
        problems.extend(plan::order(&all).err());
        problems
    }

    /// Why so many items may not be added below `parent`, beside those that are not committed yet.
    fn forbidden(&self, parent: &Item, uncommitted: usize, count: usize) -> Vec<Invalid> {
        let mut problems = Vec::new();
        if !self.may_add_items(parent) {
            problems.push(Invalid::new("items", "this item may not add items"));
        }
        let room = (self.room_to_add() as usize).saturating_sub(uncommitted);
        if count > room {
            let most = self.added_max();
            let problem =
                format!("{count} more; of the {most} that may be added to this goal {room} are left");
            problems.push(Invalid::new("items", problem).hint("add fewer, larger ones, or do it yourself"));
        }
        problems
    }

    /// The first reason why these may not be added below `parent`, whatever their keys; what does not change
    /// while a call of the tool is under way.
    pub(super) fn refuses_additions(&self, parent: &Item, specs: &[&ItemSpec]) -> Option<String> {
        let forbidden = self.forbidden(parent, 0, specs.len()).into_iter().map(|invalid| invalid.to_string());
        let wider = specs.iter().flat_map(|spec| self.wider_rights(parent, spec));
        forbidden.chain(wider).next()
    }

    /// What the item would be allowed that its parent is not.
    fn wider_rights(&self, parent: &Item, spec: &ItemSpec) -> Vec<String> {
        let Some(above) = agent(parent) else { return Vec::new() };
        let mut wider = Vec::new();
        let may_run = above.tools.is_empty() || above.tools.iter().any(|tool| tool == RUN_COMMAND);
        if runs_programs(spec) && !may_run {
            wider.push(format!("it runs a program, and the item that adds it has no `{RUN_COMMAND}`"));
        } else if runs_programs(spec) && self.needs_yes(Some(parent), RUN_COMMAND) {
            wider.push(format!(
                "it runs a program without a person's yes, and each `{RUN_COMMAND}` of the item that adds it needs one: \
                 let an agent do it, with gates that only look at files"
            ));
        }
        let Work::Agent(below) = &spec.work else { return wider };
        let has = |tool: &String| above.tools.is_empty() || above.tools.contains(tool) || tool == FINISH;
        for tool in below.tools.iter().filter(|tool| !has(tool)) {
            wider.push(format!("it names the tool `{tool}`, which the item that adds it has not"));
        }
        if let (Some(most), Some(wanted)) = (above.budget_percent, below.budget_percent)
            && wanted > most
        {
            wider.push(format!("{wanted} percent of the budget; the item that adds it has {most}"));
        }
        if below.may_add_items && self.added_depth(parent) + 1 >= ADDED_DEPTH_MAX {
            wider.push(format!("it may not add items: items are added {ADDED_DEPTH_MAX} levels deep"));
        }
        wider
    }

    /// Whether a person said, since the run began, that only what is done is wanted; with who that was.
    pub(super) fn finished_since(&self, run: &Run) -> Option<&str> {
        let mut given = self.escalations.iter().filter_map(|asked| Some((asked, asked.resolution.as_ref()?)));
        let (_, resolution) = given.find(|(asked, resolution)| {
            resolution.answer == Answer::Finish && asked.resolved_at_ms >= Some(run.created_at_ms)
        })?;
        Some(&resolution.by)
    }
}

/// The item with what its parent's plan says about limits, approvals and the model, and with an effect that is
/// not laxer than its parent's. Agents run in the lane for work delegated by other work.
pub fn inherited(parent: &Item, mut spec: ItemSpec) -> ItemSpec {
    let Some(above) = agent(parent) else { return spec };
    match &mut spec.work {
        Work::Command(command) => command.effect = stricter(command.effect, above.effect),
        Work::Agent(below) => {
            spec.lane = Lane::Subagent;
            let AgentSpec { prompt, tools, tier, effect, budget_percent, may_add_items, .. } = below.clone();
            *below = AgentSpec {
                prompt,
                tools: if tools.is_empty() { above.tools.clone() } else { tools },
                tier,
                effect: stricter(effect, above.effect),
                budget_percent: budget_percent.or(above.budget_percent),
                may_add_items,
                ..above.clone()
            };
        }
    }
    spec
}

fn agent(item: &Item) -> Option<&AgentSpec> {
    match &item.work {
        Work::Agent(agent) => Some(agent),
        Work::Command(_) => None,
    }
}

fn stricter(one: Effect, other: Effect) -> Effect {
    match (one, other) {
        (Effect::Unsafe, _) | (_, Effect::Unsafe) => Effect::Unsafe,
        (Effect::Idempotent, _) | (_, Effect::Idempotent) => Effect::Idempotent,
        (Effect::Pure, Effect::Pure) => Effect::Pure,
    }
}

/// Whether it, or a gate of it, starts a program that its author named.
fn runs_programs(spec: &ItemSpec) -> bool {
    let is_command = match spec.work {
        Work::Command(_) => true,
        Work::Agent(_) => false,
    };
    let gate = |gate: &GateSpec| match &gate.check {
        Check::Command(_) | Check::TestsExecuted { .. } => true,
        Check::Http(http) => http.argv.is_some(),
        Check::FileExists { .. }
        | Check::FileContains { .. }
        | Check::FileUnchanged { .. }
        | Check::JsonSchema { .. }
        | Check::ChangesWithin { .. }
        | Check::FilesLack { .. }
        | Check::Review { .. } => false,
    };
    is_command || spec.gates.iter().any(gate)
}
