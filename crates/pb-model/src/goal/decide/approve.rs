//! Gates whose judge the goal itself changed: what they say counts when a human approves it.

use super::escalate::{self, Question};
use super::{Decision, run};
use crate::goal::escalation::{Answer, EscalationType};
use crate::goal::event::Event;
use crate::goal::state::{GateResult, Item, ItemStatus, RunStatus};
use crate::{ItemId, RunId, Verdict};

/// The item is done, unless what proves it was changed by the goal: then a human is asked.
pub(super) fn settle(decision: &mut Decision, item: &Item, run: RunId, verdict: Verdict) {
    match question(decision, item.id, run) {
        None => run::succeed(decision, item, run, verdict),
        Some(question) => {
            let (item, status) = (item.id, RunStatus::Success);
            decision.emit(Event::RunCompleted { item: Some(item), run, status, error: None });
            escalate::item(decision, item, question);
        }
    }
}

/// What a human is asked about the item, if something that judges it was changed and not approved.
fn question(decision: &Decision, item: ItemId, run: RunId) -> Option<Question> {
    let item = decision.state.item(item)?;
    let flagged = flagged(decision, item, run);
    if flagged.is_empty() {
        return None;
    }
    let of_gate = |gate: &&GateResult| {
        let paths = gate.evidence.edited.paths.join(", ");
        format!("gate \"{}\" is decided by what the goal changed since its start: {paths}", gate.name)
    };
    Some(Question::new(
        EscalationType::Approval,
        format!("what judges item `{}` was changed by the goal", item.key),
        "its work is done and its gates pass",
        flagged.iter().map(of_gate).collect::<Vec<_>>().join("; "),
        &[
            (Answer::Approve, "let it count: you looked at these files, and they still prove the work"),
            (Answer::Retry, "try it again: you put these files right"),
            (Answer::Skip, "go on without it: it is not needed, and counts as not proven"),
        ],
    ))
}

/// The gates that pass by files that the goal changed, as far as nobody allowed or approved that.
fn flagged<'d>(decision: &'d Decision, item: &Item, run: RunId) -> Vec<&'d GateResult> {
    let mut gates = decision.state.standing_gates(run);
    gates.retain(|gate| {
        let edited = &gate.evidence.edited;
        let may_change = item.gates.get(gate.gate as usize).is_some_and(|gate| gate.may_change);
        gate.passed && !edited.is_none() && !may_change && !item.approved.contains(&edited.digest)
    });
    gates
}

/// A human looked: the item is done with the verdict of its gates.
pub(super) fn approve(decision: &mut Decision, item: ItemId, by: &str) {
    let Some(item) = decision.state.item(item).cloned() else { return };
    let Some(run) = decision.state.last_run(item.id).map(|run| run.id) else { return };
    let flagged = flagged(decision, &item, run);
    let mut edited: Vec<String> =
        flagged.iter().flat_map(|gate| gate.evidence.edited.paths.iter().cloned()).collect();
    edited.sort();
    edited.dedup();
    let digests = flagged.iter().map(|gate| gate.evidence.edited.digest.clone()).collect();
    decision.emit(Event::GatesApproved { item: item.id, run, by: by.to_owned(), edited, digests });
    let verdict = run::verdict_of(decision, run);
    run::done(decision, item.id, run, verdict);
}

/// At the last look: whether a human has to be asked about an item that was done.
pub(super) fn ask_again(decision: &mut Decision, item: ItemId, run: RunId) -> bool {
    let state = &decision.state;
    let is_done = state.item(item).is_some_and(|item| item.status == ItemStatus::Done)
        && state.last_run(item).is_some_and(|last| last.id == run);
    let Some(question) = question(decision, item, run).filter(|_| is_done) else { return false };
    escalate::item(decision, item, question);
    true
}
