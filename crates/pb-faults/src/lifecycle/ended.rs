//! How a goal ended, in a form that is the same in every run of it.

use std::collections::BTreeMap;
use std::path::Path;

use pb_model::Effect;
use pb_model::goal::{GoalState, Item, Run};

use crate::Tally;

/// How a goal ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    /// Goal, items, deliveries: a line each.
    pub(super) lines: Vec<String>,
}

impl Ended {
    /// The end of this goal.
    pub(super) fn of(state: &GoalState) -> Self {
        let goal = &state.goal;
        let mut lines = vec![format!(
            "goal {}, {}, reason {}",
            goal.status.as_str(),
            goal.verdict.map_or("no verdict", pb_model::Verdict::as_str),
            goal.reason.map_or("none", pb_model::goal::Reason::as_str)
        )];
        lines.extend(state.items.iter().map(|item| {
            let verdict = item.verdict.map_or("no verdict", pb_model::Verdict::as_str);
            format!("item {}: {}, {verdict}", item.key, item.status.as_str())
        }));
        let artifacts: BTreeMap<&str, &str> = state
            .artifacts
            .iter()
            .filter(|one| !one.partial)
            .map(|one| (one.path.as_str(), one.content_hash.as_str()))
            .collect();
        lines.extend(artifacts.iter().map(|(path, digest)| format!("delivered {path} {digest}")));
        Self { lines }
    }

    /// Compares it with the end of the same goal that nobody disturbed.
    pub(super) fn compare(&self, undisturbed: &Self, whose: &str, tally: &mut Tally) {
        for line in undisturbed.lines.iter().filter(|line| !self.lines.contains(line)) {
            tally.fail(format_args!("{whose}: without the kill: {line}; with it: {:?}", self.lines));
        }
        for line in self.lines.iter().filter(|line| !undisturbed.lines.contains(line)) {
            tally.fail(format_args!("{whose}: only with the kill: {line}"));
        }
    }
}

/// Compares the witnesses with what the journal says: no effect was done more often than it is told (I5).
pub(super) fn audit_witnesses(
    state: &GoalState,
    folder: &Path,
    whose: &str,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    for witness in std::fs::read_dir(folder)? {
        let witness = witness?;
        let name = witness.file_name().to_string_lossy().into_owned();
        let count = std::fs::read_to_string(witness.path())?.lines().count();
        let item = state.items.iter().find(|item| item.key == name && !item.is_agent());
        let allowed = allowed(state, item);
        if count > allowed {
            tally.duplicated += 1;
            tally.fail(format_args!("{whose}: I5: `{name}` was done {count} times, told are {allowed}"));
        }
    }
    Ok(())
}

/// How often the system says that it may have done it: each attempt at a command once and as often as it
/// says that it ran it again; a tool of an agent once and as often as any agent's call was made again.
fn allowed(state: &GoalState, command: Option<&Item>) -> usize {
    let again = |run: &Run| run.continued.iter().filter(|continued| continued.ran_again).count();
    match command {
        Some(item) => {
            let runs = state.runs.iter().filter(|run| run.item_id == Some(item.id));
            match item.effect() {
                Effect::Unsafe => runs.count(),
                Effect::Pure | Effect::Idempotent => runs.map(|run| 1 + again(run)).sum(),
            }
        }
        None => 1 + state.runs.iter().filter(|run| run.conversation.is_some()).map(again).sum::<usize>(),
    }
}
