//! What a goal may spend, has spent and has promised to spend (`durability.md` I8).
//!
//! Before a model is called an upper bound of what the call may cost is reserved; when it ends the
//! reservation is settled with what it did cost. At every committed state settled + reserved stays
//! at or below each cap, but for a call that was reported above its reservation: that is an
//! *overrun*, charged in full.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cap::Cap;
use super::conversation::Used;
use super::day::LocalDay;
use crate::RunId;

/// Millionths of a US dollar.
pub type MicroUsd = u64;

/// US dollars, counted in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "f64", into = "f64")]
#[schemars(with = "f64")]
pub struct Usd(pub MicroUsd);

impl From<f64> for Usd {
    fn from(usd: f64) -> Self {
        Self(micro_usd(usd))
    }
}

impl From<Usd> for f64 {
    #[expect(clippy::cast_precision_loss, reason = "exact below nine billion dollars")]
    fn from(usd: Usd) -> Self {
        usd.0 as Self / 1_000_000.0
    }
}

/// US dollars as millionths, rounded down: a cap is never widened. What a float only misses of a whole
/// millionth by its own inexactness is not cut off.
pub fn micro_usd(usd: f64) -> MicroUsd {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates; validation refuses what is not above zero"
    )]
    let micro = (usd * 1_000_000.0 + 1e-3).floor() as u64;
    micro
}

/// Tokens and money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Tokens, of requests and answers.
    pub tokens: u64,
    /// Money, in millionths of a US dollar.
    pub micro_usd: MicroUsd,
}

impl Amount {
    /// Both sums.
    pub fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            micro_usd: self.micro_usd.saturating_add(other.micro_usd),
        }
    }

    /// Whether either is above the other's.
    pub fn exceeds(self, other: Self) -> bool {
        self.tokens > other.tokens || self.micro_usd > other.micro_usd
    }
}

/// What a call may cost at most, put aside while it is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The run that calls.
    pub run: RunId,
    /// The call's place in the run's journal.
    pub n: u32,
    /// The upper bound.
    pub amount: Amount,
    /// Nobody has said what the call costs, so the money in it is not all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
    /// Most tokens of the answer; always sent with the call, for they are part of the bound.
    pub output_tokens: u32,
    /// The day whose budget it is of, whenever the call ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<LocalDay>,
}

/// What a call did cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Tokens and money.
    pub amount: Amount,
    /// Nobody told what it cost, so the whole reservation is charged: its end was not seen, or the
    /// provider reports no usage.
    pub assumed: bool,
    /// It cost more than was reserved.
    pub overrun: bool,
    /// Nobody has said what it costs, so its money is unknown, which is not zero.
    #[serde(default)]
    pub unpriced: bool,
}

impl Charge {
    /// What a call is charged with: what it used, or, when nobody knows, all that was put aside for it.
    pub fn of(held: Option<&Reservation>, used: Option<Used>) -> Self {
        let reserved = held.map_or_else(Amount::default, |held| held.amount);
        let Some(used) = used else {
            let unpriced = held.is_some_and(|held| held.unpriced);
            return Self { amount: reserved, assumed: true, overrun: false, unpriced };
        };
        let tokens = used.input_tokens.saturating_add(used.output_tokens);
        let amount = Amount { tokens, micro_usd: used.micro_usd };
        Self { amount, assumed: false, overrun: amount.exceeds(reserved), unpriced: used.unpriced }
    }
}

/// What a goal has spent and promised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spending {
    /// Settled calls.
    pub settled: Amount,
    /// The part of it that was assumed.
    pub assumed: Amount,
    /// Answers of models.
    pub turns: u32,
    /// Calls under way.
    pub reserved: Vec<Reservation>,
    /// Whether a call cost more than was reserved for it.
    pub overrun: bool,
    /// Whether a settled call has no price: the goal has cost more than the sum says.
    pub unpriced: bool,
    /// What was settled, by day and model.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<CostLine>,
    /// The highest of [`WARN_PERCENT`] that was told of each cap.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub warned: BTreeMap<Cap, u8>,
}

/// What calls of one model cost on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostLine {
    /// The day of the reservations; none for calls of before days were noted.
    pub day: Option<LocalDay>,
    /// The model that answered, or was asked; empty where that is not known.
    pub model: String,
    /// Calls that were charged.
    pub calls: u32,
    /// Those of them that were answered.
    #[serde(default)]
    pub turns: u32,
    /// What they cost.
    pub amount: Amount,
    /// The part of it that was assumed.
    #[serde(default)]
    pub assumed: Amount,
    /// Whether one of them has no price.
    #[serde(default)]
    pub unpriced: bool,
}

impl CostLine {
    fn add(&mut self, charge: Charge, answered: bool) {
        self.calls += 1;
        self.turns += u32::from(answered);
        self.amount = self.amount.plus(charge.amount);
        if charge.assumed {
            self.assumed = self.assumed.plus(charge.amount);
        }
        self.unpriced |= charge.unpriced;
    }
}

/// Parts of a cap at which people are warned, once each, in percent: `warning` and `critical`.
pub const WARN_PERCENT: [u8; 2] = [70, 90];

impl Spending {
    /// Settled and promised.
    pub fn committed(&self) -> Amount {
        self.reserved.iter().fold(self.settled, |sum, reservation| sum.plus(reservation.amount))
    }

    /// The reservation of a call.
    pub fn reservation(&self, run: RunId, n: u32) -> Option<&Reservation> {
        self.reserved.iter().find(|held| held.run == run && held.n == n)
    }

    pub(crate) fn reserve(&mut self, reservation: Reservation) {
        self.reserved.push(reservation);
    }

    pub(crate) fn settle(&mut self, (run, n): (RunId, u32), (model, answered): (&str, bool), charge: Charge) {
        let day = self.reservation(run, n).and_then(|held| held.day.clone());
        self.reserved.retain(|held| (held.run, held.n) != (run, n));
        self.line(day, model).add(charge, answered);
        self.settled = self.settled.plus(charge.amount);
        if charge.assumed {
            self.assumed = self.assumed.plus(charge.amount);
        }
        self.overrun |= charge.overrun;
        self.unpriced |= charge.unpriced;
    }

    fn line(&mut self, day: Option<LocalDay>, model: &str) -> &mut CostLine {
        let place = self.lines.iter().position(|line| line.day == day && line.model == model);
        let place = place.unwrap_or_else(|| {
            self.lines.push(CostLine { day, model: model.to_owned(), ..CostLine::default() });
            self.lines.len() - 1
        });
        &mut self.lines[place]
    }
}
