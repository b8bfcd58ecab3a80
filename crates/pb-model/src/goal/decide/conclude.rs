//! The end of a goal: delivered, failed, blocked or cancelled.

use super::{Decision, approve, verify};
use crate::freshness::QuietRound;
use crate::goal::command::Rejection;
use crate::goal::event::Event;
use crate::goal::failure::{ErrorClass, Failure};
use crate::goal::state::{Artifact, GateResult, GoalStatus, Item, ItemStatus, Phase, Reason};
use crate::{ItemId, RunId, Verdict};

/// Most causes of a failure that are told whole; of more, how many there are.
const CAUSES_MAX: usize = 8;

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
    // What failed holds back nothing but what needs it. Once nothing can go on, the goal fails when what there
    // is of it was looked at: `finish_publish`.
    if state.can_go_on() || !state.waits_for_human() {
        return;
    }
    let escalations = state.open_escalations().map(|escalation| escalation.id).collect();
    let titles: Vec<&str> = state.open_escalations().map(|escalation| escalation.title.as_str()).collect();
    let summary = titles.join("; ");
    decision.emit(Event::GoalBlocked { escalations, summary });
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

/// The last look at the gates stands, whatever they said before. What a goal made that fails is kept, and not
/// delivered.
pub(super) fn finish_publish(
    decision: &mut Decision,
    rechecked: &[GateResult],
    round: Option<&QuietRound>,
    (artifacts, unlisted): (Vec<Artifact>, u64),
) -> Result<(), Rejection> {
    let is_lost = decision.state.is_lost();
    if !is_lost {
        all_done(decision)?;
        if decision.state.goal.phase != Phase::Publish {
            return Err(Rejection::NotNow("delivery has not begun"));
        }
    }
    let mut causes: Vec<String> = decision.state.items.iter().filter_map(cause).collect();
    causes.extend(recheck(decision, rechecked, round));
    let fails = !causes.is_empty();
    // Only where all still hold is a human asked about those whose judge was changed.
    if !fails && ask_about_edited(decision, rechecked) {
        return Ok(());
    }
    for artifact in artifacts {
        keep(decision, artifact, fails);
    }
    if fails {
        let (reason, code) = if is_lost {
            (Reason::DeadLetter, "ITEM_FAILED")
        } else {
            (Reason::GateNoLongerHolds, "GATE_NO_LONGER_HOLDS")
        };
        let error = Failure::new(ErrorClass::Permanent, code, told(&causes));
        decision.emit(Event::GoalFailed { reason, error });
    } else {
        complete(decision, unlisted);
    }
    Ok(())
}

/// Asks about each item whose gates ran once more and pass by what the goal changed; whether there is one.
fn ask_about_edited(decision: &mut Decision, rechecked: &[GateResult]) -> bool {
    let mut runs: Vec<(ItemId, RunId)> =
        rechecked.iter().map(|result| (result.item_id, result.run_id)).collect();
    runs.dedup();
    runs.into_iter().filter(|(item, run)| approve::ask_again(decision, *item, *run)).count() > 0
}

/// Why an item that failed did.
fn cause(item: &Item) -> Option<String> {
    let error = item.error.as_ref().map_or("it failed", |error| error.message.as_str());
    (item.status == ItemStatus::Failed).then(|| format!("item `{}`: {error}", item.key))
}

/// All causes in words, the first ones whole.
fn told(causes: &[String]) -> String {
    let mut told: Vec<String> = causes.iter().take(CAUSES_MAX).cloned().collect();
    if causes.len() > CAUSES_MAX {
        told.push(format!("and {} more", causes.len() - CAUSES_MAX));
    }
    told.join("; ")
}

/// Records gates that were run once more; what no longer holds, in words.
fn recheck(decision: &mut Decision, rechecked: &[GateResult], round: Option<&QuietRound>) -> Vec<String> {
    let mut round = round.cloned();
    let mut runs: Vec<RunId> = Vec::new();
    for result in rechecked {
        if !runs.contains(&result.run_id) {
            runs.push(result.run_id);
        }
    }
    let mut broken = Vec::new();
    for run in runs {
        let results: Vec<GateResult> =
            rechecked.iter().filter(|result| result.run_id == run).cloned().collect();
        let Some(item) = results.first().map(|result| result.item_id) else {
            continue;
        };
        verify::record(decision, (item, run), results, round.take(), true);
        if let Some(item) = decision.state.item(item).filter(|item| item.verdict == Some(Verdict::Failed)) {
            let failed = verify::failed_gates(decision, run);
            broken.push(format!("item `{}` no longer holds: {failed}", item.key));
        }
    }
    broken
}

/// Records a file; one that was recorded when the goal failed before keeps its row.
fn keep(decision: &mut Decision, mut artifact: Artifact, partial: bool) {
    let known = decision.state.artifacts.iter().find(|known| known.path == artifact.path);
    artifact.id = known.map_or(artifact.id, |known| known.id);
    artifact.partial = partial;
    decision.emit(Event::ArtifactCreated { artifact: Box::new(artifact) });
}

fn complete(decision: &mut Decision, unlisted: u64) {
    let state = &decision.state;
    let verdict = Verdict::of_items(state.planned().map(|item| item.verdict.unwrap_or(Verdict::Unverified)));
    let skipped = state.planned().filter(|item| item.status == ItemStatus::Skipped).count();
    let done = counted(state.planned().count() - skipped, "item");
    let left = if skipped == 0 { String::new() } else { format!(", {skipped} left out") };
    let files = files(&state.artifacts, unlisted);
    let summary = format!("{done} done{left}, {files}");
    decision.emit(Event::GoalCompleted { verdict, summary, unlisted });
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
fn files(all: &[Artifact], unlisted: u64) -> String {
    let listed: Vec<&Artifact> = all.iter().filter(|artifact| !artifact.partial).collect();
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
