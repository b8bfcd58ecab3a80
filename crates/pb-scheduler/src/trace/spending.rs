//! What the facts about calls of models tell: what was put aside, what was spent, what is tried again.

use pb_model::goal::{Charge, Event, Reservation, Run};

use super::content::{Name, Text};
use super::facts::Fact;
use super::{About, What};

/// Tells what a fact about spending says.
pub(super) fn tell(fact: &Fact<'_>, about: About, put: &mut impl FnMut(About, What)) {
    let step = |n: u32| fact.run().map_or(about, |run| About::step(run, n));
    match fact.event {
        Event::ModelRequested { model, other_model, reservation, .. } => {
            put(step(reservation.n), reserved(model, other_model.as_deref(), reservation));
        }
        Event::ModelAnswered { n, model, charge, duration_ms, .. } => {
            put(step(*n), settled(model, charge, Some(*duration_ms)));
        }
        Event::ModelFailed { n, model, error, charge, not_before_ms, duration_ms, .. } => {
            put(step(*n), settled(model, charge, Some(*duration_ms)));
            if let Some(not_before) = *not_before_ms {
                let retried = What::ModelRetried {
                    model: Name::new(model),
                    failures: fact.run().map_or(0, failures),
                    delay_ms: not_before.saturating_sub(fact.at_ms),
                    not_before,
                    error: Text::new(error.as_str()),
                };
                put(step(*n), retried);
            }
        }
        Event::BudgetWarned { cap, percent } => {
            put(about, What::BudgetWarned { cap: *cap, percent: *percent });
        }
        Event::BudgetExceeded { cap, .. } => put(about, What::BudgetExceeded { cap: *cap }),
        _ => {} // `Fact::fact` hands in no other.
    }
}

/// What a call may cost at most.
pub(super) fn reserved(model: &str, other_model: Option<&str>, reservation: &Reservation) -> What {
    What::BudgetReserved {
        model: Name::new(model),
        other_model: other_model.map(Name::new),
        tokens: reservation.amount.tokens,
        micro_usd: reservation.amount.micro_usd,
        output_tokens_max: reservation.output_tokens,
        unpriced: reservation.unpriced,
    }
}

/// What a call did cost.
pub(super) fn settled(model: &str, charge: &Charge, duration_ms: Option<u64>) -> What {
    What::BudgetSettled {
        model: Name::new(model),
        tokens: charge.amount.tokens,
        micro_usd: charge.amount.micro_usd,
        assumed: charge.assumed,
        overrun: charge.overrun,
        unpriced: charge.unpriced,
        duration_ms,
    }
}

fn failures(run: &Run) -> u32 {
    run.conversation.as_ref().map_or(0, |talk| talk.failures)
}
