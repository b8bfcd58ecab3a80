//! How a goal ended, in a form that is the same in every run of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pb_model::Effect;
use pb_model::goal::{
    Answer, Escalation, EscalationType, GoalState, Item, ItemStatus, Phase, Run, RunStatus, evolve,
};

use crate::Tally;
use crate::history::History;

/// The phases that a goal goes through. The eighth, the watch over limits and deadlines, goes on beside them.
const PHASES: [Phase; 7] = [
    Phase::Intake,
    Phase::Elaboration,
    Phase::Planning,
    Phase::Execution,
    Phase::Verification,
    Phase::Evaluation,
    Phase::Publish,
];

/// How a goal ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    /// Goal, items, deliveries, assumptions, questions with their answers, witnesses: a line each.
    pub(super) lines: Vec<String>,
}

impl Ended {
    /// The end of this goal.
    ///
    /// # Errors
    /// The folder of the witnesses cannot be read.
    pub(super) fn of(state: &GoalState, witnesses: &Path) -> anyhow::Result<Self> {
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
        lines.extend(goal.assumptions.iter().map(|assumption| format!("assumed: {assumption}")));
        lines.push(format!("plans: {}", goal.plans));
        lines.extend(state.escalations.iter().filter(|asked| !is_of_a_kill(asked)).map(answered));
        // What a person left out may have begun before the kill, or not.
        let is_left_out =
            |key: &str| state.items.iter().any(|item| item.key == key && item.status == ItemStatus::Skipped);
        for witness in std::fs::read_dir(witnesses)? {
            let name = witness?.file_name().to_string_lossy().into_owned();
            if !is_left_out(&name) {
                lines.push(format!("witness {name}"));
            }
        }
        Ok(Self { lines })
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

/// Whether only a kill leads to such a question: it may have hit what is not to be repeated.
fn is_of_a_kill(asked: &Escalation) -> bool {
    asked.escalation_type == EscalationType::Risk
}

fn answered(asked: &Escalation) -> String {
    let kind = asked.escalation_type.as_str();
    let Some(answer) = &asked.resolution else { return format!("asked, {kind}: nobody answered") };
    let (word, words) = (answer.answer.as_str(), &answer.answers);
    format!("asked, {kind}: {word} {words:?}{}", if answer.expired { ", as nobody did in time" } else { "" })
}

/// Looks whether the goal was in each phase in which a goal can be found, and in the inbox.
pub(super) fn audit_phases(history: &History, whose: &str, tally: &mut Tally) {
    let mut state = None;
    let mut seen = BTreeSet::new();
    for record in &history.events {
        if let Ok(event) = serde_json::from_str(&record.body) {
            state = evolve(state, &event, record.at_ms);
            seen.extend(state.iter().map(|state: &GoalState| state.goal.phase.as_str()));
        }
    }
    for phase in PHASES.iter().filter(|phase| !seen.contains(phase.as_str())) {
        tally.fail(format_args!("{whose}: it was never in the phase {}", phase.as_str()));
    }
}

/// Compares the witnesses with what the journal says: no effect was done more often than it is told (I5).
pub(super) fn audit_witnesses(
    state: &GoalState,
    folder: &Path,
    whose: &str,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    for item in &state.items {
        let runs = state.runs.iter().filter(|run| run.item_id == Some(item.id));
        if runs.filter(|run| run.status == RunStatus::Success).count() > 1 {
            tally.duplicated += 1;
            tally.fail(format_args!("{whose}: `{}` was done again after it was verified", item.key));
        }
    }
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
/// says that it ran it again; a tool of an agent once, as often as any agent's call was made again, and as
/// often as a person who was asked about the risk said so.
fn allowed(state: &GoalState, command: Option<&Item>) -> usize {
    let again = |run: &Run| run.continued.iter().filter(|continued| continued.ran_again).count();
    let Some(item) = command else {
        let talks = state.runs.iter().filter(|run| run.conversation.is_some());
        let asked = state.escalations.iter().filter(|asked| is_of_a_kill(asked));
        let retried = |asked: &&Escalation| {
            asked.resolution.as_ref().is_some_and(|given| given.answer == Answer::Retry)
        };
        return 1 + talks.map(again).sum::<usize>() + asked.filter(retried).count();
    };
    let runs = state.runs.iter().filter(|run| run.item_id == Some(item.id));
    match item.effect() {
        Effect::Unsafe => runs.count(),
        Effect::Pure | Effect::Idempotent => runs.map(|run| 1 + again(run)).sum(),
    }
}
