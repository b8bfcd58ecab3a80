//! Reviews: a model that did not do the work looks at it, in a run of its own.
//!
//! ```text
//! gates of other kinds hold --> the review's run begins --> submit_review --> the gate's result --> as for any gate
//!                                                   \--> it comes to nothing: the gate has not passed
//! ```
//!
//! The run under review stays in its verification meanwhile, so nothing else writes in its turn.

use super::{Decision, run, verify};
use crate::Epoch;
use crate::goal::conversation::Reviewed;
use crate::goal::event::Event;
use crate::goal::failure::{ErrorClass, Failure};
use crate::goal::state::{Evidence, GateResult, Item, Reviews, Run, RunStatus};

/// Begins the review that decides this gate of the run's item.
pub(super) fn begin(decision: &mut Decision, of: &Run, gate: u32, epoch: Epoch) {
    let mut review = run::attempt(decision, decision.moment.run, None, epoch);
    review.reviews = Some(Reviews { run: of.id, gate });
    review.attempt = 1;
    let worker = of.conversation.as_ref().and_then(|talk| talk.model.clone());
    if let Some(talk) = &mut review.conversation {
        // Who did the work is asked only if nobody else answers.
        talk.watch.avoided.extend(worker);
    }
    decision.emit(Event::RunStarted { run: Box::new(review) });
}

/// The review is handed in.
pub(super) fn concluded(decision: &mut Decision, review: &Run, reviewed: &Reviewed) {
    end(decision, review, None);
    settle(decision, review, reviewed);
}

/// No review was made: what it would have decided is not proven.
pub(super) fn came_to_nothing(decision: &mut Decision, review: &Run, error: Failure) {
    let found = format!("no review was made: {}", error.message);
    end(decision, review, Some(error));
    settle(decision, review, &Reviewed { passed: false, found });
}

fn end(decision: &mut Decision, review: &Run, error: Option<Failure>) {
    let status = if error.is_some() { RunStatus::Failure } else { RunStatus::Success };
    decision.emit(Event::RunCompleted { item: None, run: review.id, status, error });
}

fn settle(decision: &mut Decision, review: &Run, reviewed: &Reviewed) {
    let Some((item, of, gate)) = under_review(decision, review) else { return };
    let Some(spec) = item.gates.get(gate as usize) else { return };
    let model = review.conversation.as_ref().and_then(|talk| talk.model.clone());
    let result = GateResult {
        run_id: of.id,
        item_id: item.id,
        goal_id: of.goal_id,
        step: of.steps + 1,
        gate,
        name: spec.label(),
        kind: spec.check.kind().to_owned(),
        required: spec.required,
        passed: reviewed.passed,
        found: match &model {
            Some(model) => format!("{} ({model})", reviewed.found),
            None => reviewed.found.clone(),
        },
        recheck: false,
        at_ms: decision.moment.now_ms,
        evidence: Evidence {
            output_tail: reviewed.found.clone(),
            output_digest: Some(blake3::hash(reviewed.found.as_bytes()).to_hex().to_string()),
            duration_ms: decision.moment.now_ms.saturating_sub(review.created_at_ms),
            ..Evidence::default()
        },
    };
    verify::record(decision, (item.id, of.id), vec![result], None, false);
    verify::conclude(decision, &item, &of, of.epoch);
}

fn under_review(decision: &Decision, review: &Run) -> Option<(Item, Run, u32)> {
    let Reviews { run, gate } = review.reviews?;
    let of = decision.state.run(run)?;
    let item = decision.state.item(of.item_id?)?;
    Some((item.clone(), of.clone(), gate))
}

/// A failure of a review, from words.
pub(super) fn failure(why: impl Into<String>) -> Failure {
    Failure::new(ErrorClass::Model, "NO_REVIEW", why)
}
