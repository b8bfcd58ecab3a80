//! Verification and evaluation: what the gates' evidence means for the item.

use super::evaluate::GATE_FAILED;
use super::{Decision, approve, run};
use crate::freshness::QuietRound;
use crate::goal::command::Rejection;
use crate::goal::event::Event;
use crate::goal::failure::{ErrorClass, Failure};
use crate::goal::state::{GateResult, RunStage, RunStatus};
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
    record(decision, (item.id, run.id), results, round, false);
    if decision.state.goal.cancel.is_some() {
        run::abort(decision, &item, run.id);
        return Ok(());
    }
    // A gate that did not run has not passed.
    let all_ran = decision.state.standing_gates(run.id).len() == item.gates.len();
    let verdict = if all_ran { run::verdict_of(decision, run.id) } else { Verdict::Failed };
    if run.stage == RunStage::Probing {
        let passed = matches!(verdict, Verdict::Verified | Verdict::Partial);
        run::probed(decision, &item, &run, epoch, passed);
        return Ok(());
    }
    if verdict == Verdict::Failed {
        let message = failed_gates(decision, run.id);
        // The command said it was done; an unsafe effect that is done is not done again.
        let error = match item.effect() {
            Effect::Unsafe => Failure::new(ErrorClass::Permanent, GATE_FAILED, message),
            Effect::Pure | Effect::Idempotent => Failure::new(ErrorClass::Transient, GATE_FAILED, message),
        };
        run::fail(decision, &item, run.id, RunStatus::Failure, error);
    } else {
        approve::settle(decision, &item, run.id, verdict);
    }
    Ok(())
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
