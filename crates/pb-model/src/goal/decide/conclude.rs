//! The end of a goal: delivered, failed, blocked or cancelled.

use super::Decision;
use super::verify;
use crate::freshness::QuietRound;
use crate::goal::command::Rejection;
use crate::goal::event::Event;
use crate::goal::failure::{ErrorClass, Failure};
use crate::goal::state::{Artifact, GateResult, GoalStatus, ItemStatus, Phase, Reason};
use crate::{RunId, Verdict};

/// After every decision: does the goal end here? Only when nothing of it runs.
pub(super) fn conclude(decision: &mut Decision) {
    let state = &decision.state;
    if state.goal.status != GoalStatus::Active || state.working().next().is_some() {
        return;
    }
    let waits = state.running().next().is_some();
    if state.goal.replan.is_some() && state.goal.cancel.is_none() && !waits {
        return;
    }
    if let Some(cancel) = state.goal.cancel.clone() {
        decision.emit(Event::GoalCancelled { cancel });
        return;
    }
    if let Some(item) = state.items.iter().find(|item| item.status == ItemStatus::Failed && !waits) {
        let cause = item.error.as_ref().map_or("it failed", |error| error.message.as_str());
        let error =
            Failure::new(ErrorClass::Permanent, "ITEM_FAILED", format!("item `{}`: {cause}", item.key));
        decision.emit(Event::GoalFailed { reason: Reason::DeadLetter, error });
        return;
    }
    let asked = state.open_escalations().next().is_some() && !state.is_done();
    let blocked = waits
        || asked
        || (state.stopped_by().is_some() && !state.is_done())
        || state.items.iter().any(|item| item.status == ItemStatus::Blocked);
    // What a pause holds back goes on when it ends.
    let can_go_on = (state.may_start_items() || state.is_paused())
        // Agent items take turns, and the one that waits has its own still.
        && state.items.iter().filter(|item| !(waits && item.is_agent())).any(|item| match item.status {
            ItemStatus::Ready => true,
            ItemStatus::Queued => item.not_before_ms.is_some(),
            ItemStatus::InProgress
            | ItemStatus::Verify
            | ItemStatus::Done
            | ItemStatus::Failed
            | ItemStatus::Blocked
            | ItemStatus::Skipped => false,
        });
    if blocked && !can_go_on {
        let escalations = state.open_escalations().map(|escalation| escalation.id).collect();
        let titles: Vec<&str> =
            state.open_escalations().map(|escalation| escalation.title.as_str()).collect();
        let summary = titles.join("; ");
        decision.emit(Event::GoalBlocked { escalations, summary });
    }
}

pub(super) fn begin_publish(decision: &mut Decision) -> Result<(), Rejection> {
    all_done(decision)?;
    if decision.state.is_paused() {
        return Err(Rejection::NotNow("the goal is paused"));
    }
    if decision.state.goal.phase == Phase::Publish {
        return Err(Rejection::NotNow("delivery has begun"));
    }
    decision.emit(Event::GoalPublishing);
    Ok(())
}

/// The last look at the gates stands, whatever they said before.
pub(super) fn finish_publish(
    decision: &mut Decision,
    rechecked: &[GateResult],
    round: Option<&QuietRound>,
    (artifacts, unlisted): (Vec<Artifact>, u64),
) -> Result<(), Rejection> {
    all_done(decision)?;
    if decision.state.goal.phase != Phase::Publish {
        return Err(Rejection::NotNow("delivery has not begun"));
    }
    let mut round = round.cloned();
    let mut runs: Vec<RunId> = Vec::new();
    for result in rechecked {
        if !runs.contains(&result.run_id) {
            runs.push(result.run_id);
        }
    }
    for run in runs {
        let results: Vec<GateResult> =
            rechecked.iter().filter(|result| result.run_id == run).cloned().collect();
        let Some(item) = results.first().map(|result| result.item_id) else {
            continue;
        };
        verify::record(decision, (item, run), results, round.take(), true);
        if decision.state.item(item).is_some_and(|item| item.verdict == Some(Verdict::Failed)) {
            let key = decision.state.item(item).map(|item| item.key.clone()).unwrap_or_default();
            let message = format!("item `{key}` no longer holds: {}", verify::failed_gates(decision, run));
            let error = Failure::new(ErrorClass::Permanent, "GATE_NO_LONGER_HOLDS", message);
            decision.emit(Event::GoalFailed { reason: Reason::GateNoLongerHolds, error });
            return Ok(());
        }
    }
    for artifact in artifacts {
        decision.emit(Event::ArtifactCreated { artifact: Box::new(artifact) });
    }
    let verdict =
        Verdict::of_items(decision.state.planned().map(|item| item.verdict.unwrap_or(Verdict::Unverified)));
    let skipped = decision.state.planned().filter(|item| item.status == ItemStatus::Skipped).count();
    let done = counted(decision.state.planned().count() - skipped, "item");
    let left = if skipped == 0 { String::new() } else { format!(", {skipped} left out") };
    let files = files(&decision.state.artifacts, unlisted);
    let summary = format!("{done} done{left}, {files}");
    decision.emit(Event::GoalCompleted { verdict, summary, unlisted });
    Ok(())
}

fn all_done(decision: &Decision) -> Result<(), Rejection> {
    let state = &decision.state;
    if state.goal.status == GoalStatus::Active && state.goal.cancel.is_none() && state.is_done() {
        Ok(())
    } else {
        Err(Rejection::NotNow("not every item is done"))
    }
}

/// `2 files delivered`, `2 files delivered, 1 removed`, `500 files delivered or removed, and 7 more`.
fn files(listed: &[Artifact], unlisted: u64) -> String {
    if unlisted > 0 {
        return format!("{} delivered or removed, and {unlisted} more", counted(listed.len(), "file"));
    }
    let removed = listed.iter().filter(|artifact| artifact.removed).count();
    let delivered = format!("{} delivered", counted(listed.len() - removed, "file"));
    if removed == 0 { delivered } else { format!("{delivered}, {removed} removed") }
}

/// `1 file`, `2 files`.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
