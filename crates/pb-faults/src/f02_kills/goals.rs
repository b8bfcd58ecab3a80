//! Goals whose commands leave a line in a file of their own for each time that they run: a witness outside of
//! the system, compared at the end with what the system says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pb_model::Effect;
use pb_model::goal::{GoalState, Item, ItemStatus};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::Tally;

/// Most items of a goal.
const ITEMS_MAX: usize = 6;
/// Longest command, in milliseconds.
const COMMAND_MS_MAX: u32 = 80;

/// What is asked for: a goal in the folder `workspace`.
pub(super) fn draw(rng: &mut StdRng, workspace: &Path, key: &str) -> Value {
    let items: Vec<Value> = (0..rng.random_range(2..=ITEMS_MAX)).map(|place| item(rng, place)).collect();
    json!({
        "title": "A witnessed goal",
        "description": "its commands leave a line each time they run",
        "workspace": workspace,
        "items": items,
        "idempotencyKey": key,
    })
}

fn item(rng: &mut StdRng, place: usize) -> Value {
    let needs: Vec<String> =
        (0..place).filter(|_| rng.random_bool(0.4)).map(|need| format!("i{need}")).collect();
    let effect = ["pure", "idempotent", "unsafe"][rng.random_range(0..3)];
    let seconds = f64::from(rng.random_range(0..COMMAND_MS_MAX)) / 1000.0;
    // The line is the effect: it is written once each time that the command runs, early or late in it.
    let witness = format!(r#"echo "$PB_STEP" >> witness-i{place}"#);
    let work = if rng.random_bool(0.5) {
        format!("{witness}; sleep {seconds}; echo done > part-i{place}")
    } else {
        format!("sleep {seconds}; {witness}; echo done > part-i{place}")
    };
    let gates = match rng.random_range(0..3) {
        0 => json!([]),
        _ => json!([{"kind": "file_contains", "path": format!("part-i{place}"), "text": "done"}]),
    };
    json!({
        "id": format!("i{place}"),
        "needs": needs,
        "work": {"kind": "command", "argv": ["sh", "-ec", work], "effect": effect},
        "gates": gates,
    })
}

/// Compares what a goal's witnesses say with its rows: I5, and that what is done was done.
pub(super) fn audit(workspace: &Path, state: &GoalState, whose: &str, tally: &mut Tally) {
    for item in &state.items {
        let lines = lines(&workspace.join(format!("witness-{}", item.key)));
        let mut by_run: BTreeMap<&str, usize> = BTreeMap::new();
        for line in &lines {
            *by_run.entry(line.split('.').next().unwrap_or_default()).or_default() += 1;
        }
        for (run, count) in by_run {
            let allowed = 1 + ran_again(state, item, run);
            if count > allowed {
                tally.fail(format_args!(
                    "{whose}: I5: `{}` ({}) of {} ran {count} times in {run}, which says {allowed}",
                    item.key,
                    item.effect().as_str(),
                    state.goal.id
                ));
            }
        }
        if item.status == ItemStatus::Done && lines.is_empty() {
            tally.fail(format_args!("{whose}: `{}` of {} is done and never ran", item.key, state.goal.id));
        }
        tally.count("commands_run", lines.len() as u64);
    }
}

/// How often the system says that it ran a command again in the same attempt. An unsafe one it never does.
fn ran_again(state: &GoalState, item: &Item, run: &str) -> usize {
    match item.effect() {
        Effect::Unsafe => 0,
        Effect::Pure | Effect::Idempotent => {
            let run = state.runs.iter().find(|known| known.id.to_string() == run);
            run.map_or(0, |run| run.continued.iter().filter(|continued| continued.ran_again).count())
        }
    }
}

fn lines(path: &PathBuf) -> Vec<String> {
    // A command that never ran left no witness.
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}
