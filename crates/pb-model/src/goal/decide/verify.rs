//! Verification and evaluation: what the gates' evidence means for the item.

use super::evaluate::GATE_FAILED;
use super::{Decision, approve, review, run};
use crate::freshness::QuietRound;
use crate::goal::command::Rejection;
use crate::goal::event::Event;
use crate::goal::failure::{ErrorClass, Failure};
use crate::goal::state::{GateResult, Item, Run, RunStage, RunStatus};
use crate::spec::Effect;
use crate::{Epoch, ItemId, RunId, Verdict};

pub(super) fn finish(
    decision: &mut Decision,
    (run, epoch): (RunId, Epoch),
    results: Vec<GateResult>,
    round: Option<QuietRound>,
) -> Result<(), Rejection> {
    let (item, run) = decision.held(run, epoch)?;
    if !matches!(run.stage, RunStage::Verifying | RunStage::Probing) {
        return Err(Rejection::NotNow("the run is not being verified"));
    }
    if decision.state.review_of(run.id).is_some() {
        return Err(Rejection::NotNow("its gates have run, and it is being reviewed"));
    }
    record(decision, (item.id, run.id), results, round, false);
    if decision.state.goal.cancel.is_some() {
        run::abort(decision, &item, run.id);
        return Ok(());
    }
    conclude(decision, &item, &run, epoch);
    Ok(())
}

/// What the gates that ran say; where they hold, a model may have to look too.
pub(super) fn conclude(decision: &mut Decision, item: &Item, run: &Run, epoch: Epoch) {
    let standing = decision.state.standing_gates(run.id);
    let ran = |n: u32| standing.iter().any(|gate| gate.gate == n);
    let mut gates = item.gates.iter().zip(0..);
    // A gate that did not run has not passed.
    let all_ran = gates.clone().all(|(gate, n)| gate.check.is_review() || ran(n));
    let verdict = if all_ran { run::verdict_of(decision, run.id) } else { Verdict::Failed };
    let review = gates.find(|(gate, n)| gate.check.is_review() && !ran(*n)).map(|(_, n)| n);
    if let Some(gate) = review.filter(|_| verdict != Verdict::Failed) {
        review::begin(decision, run, gate, epoch);
        return;
    }
    if run.stage == RunStage::Probing {
        let passed = matches!(verdict, Verdict::Verified | Verdict::Partial);
        run::probed(decision, item, run, epoch, passed);
        return;
    }
    if verdict == Verdict::Failed {
        let message = failed_gates(decision, run.id);
        // The command said it was done; an unsafe effect that is done is not done again.
        let error = match item.effect() {
            Effect::Unsafe => Failure::new(ErrorClass::Permanent, GATE_FAILED, message),
            Effect::Pure | Effect::Idempotent => Failure::new(ErrorClass::Transient, GATE_FAILED, message),
        };
        run::fail(decision, item, run.id, RunStatus::Failure, error);
    } else {
        approve::settle(decision, item, run.id, verdict);
    }
}

/// Records gate results and their sum.
pub(super) fn record(
    decision: &mut Decision,
    (item, run): (ItemId, RunId),
    results: Vec<GateResult>,
    round: Option<QuietRound>,
    recheck: bool,
) {
    for result in results {
        decision.emit(Event::GateCompleted { result: Box::new(result) });
    }
    let verdict = run::verdict_of(decision, run);
    let standing = decision.state.standing_gates(run);
    let passed = standing.iter().filter(|gate| gate.passed).count();
    let summary = format!("{passed} of {} gate(s) passed", standing.len());
    decision.emit(Event::VerificationCompleted {
        item,
        run,
        passed: verdict != Verdict::Failed,
        verdict,
        summary,
        round,
        recheck,
    });
}

/// The required gates that failed, in words.
pub(super) fn failed_gates(decision: &Decision, run: RunId) -> String {
    let gates = decision.state.standing_gates(run);
    let failed = gates.iter().filter(|gate| gate.required && !gate.passed);
    failed.map(|gate| format!("gate \"{}\": {}", gate.name, gate.found)).collect::<Vec<_>>().join("; ")
}
