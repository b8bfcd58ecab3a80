//! Goals for tests, made as the loop makes them.

use std::collections::BTreeMap;
use std::path::Path;

use pb_model::goal::{Command, DayBudget, GoalState, Moment, decide, evolve};
use pb_model::goal_file::{self, ResolveContext};
use pb_model::{EscalationId, GoalId, ItemId, RunId};
use uuid::Uuid;

/// The goal of a goal file, planned and started in `/w` if it has items.
pub(crate) fn goal(file: &str) -> GoalState {
    let context = ResolveContext { cwd: Path::new("/"), file_dir: Path::new("/"), set: &BTreeMap::default() };
    let spec = goal_file::parse(file).unwrap().resolve(&context).unwrap();
    let items: Vec<ItemId> =
        (1..=spec.items.len() as u128).map(|n| ItemId::from(Uuid::from_u128(n))).collect();
    let id = GoalId::from(Uuid::from_u128(7));
    let submitted = next(None, Command::Submit { id, spec: Box::new(spec), by: "ann".to_owned() });
    if items.is_empty() {
        return submitted;
    }
    let planned = next(Some(submitted), Command::Plan { items });
    next(Some(planned), Command::Start { workspace: "/w".to_owned(), baseline: BTreeMap::new(), kept: None })
}

/// With an attempt under way: at the item with this key, or at a plan.
pub(crate) fn begun(state: GoalState, key: Option<&str>) -> GoalState {
    let run = RunId::from(Uuid::from_u128(state.runs.len() as u128 + 1));
    let item = |key: &str| state.items.iter().find(|item| item.key == key).unwrap().id;
    let command = match key {
        Some(key) => Command::StartRun { item: item(key), run, epoch: 1 },
        None => Command::StartPlanning { run, epoch: 1 },
    };
    next(Some(state), command)
}

fn next(state: Option<GoalState>, command: Command) -> GoalState {
    let moment = Moment {
        now_ms: 10,
        escalation: EscalationId::from(Uuid::from_u128(9)),
        run: pb_model::RunId::from(uuid::Uuid::from_u128(0x7777)),
        seed: 1,
        day: DayBudget::default(),
    };
    let events = decide(state.as_ref(), command, moment.clone()).unwrap();
    events.iter().fold(state, |state, event| evolve(state, event, moment.now_ms)).unwrap()
}
