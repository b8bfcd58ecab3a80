//! What a goal may spend, has spent and has promised to spend (`durability.md` I8).
//!
//! Before a model is called an upper bound of what the call may cost is reserved; when it ends the
//! reservation is settled with what it did cost. At every committed state settled + reserved stays
//! at or below each cap, but for a call that was reported above its reservation: that is an
//! *overrun*, charged in full.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::state::GoalState;
use crate::spec::{GoalSpec, Work};
use crate::{ItemId, Millis, RunId};

/// Millionths of a US dollar.
pub type MicroUsd = u64;

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
    /// The highest of [`WARN_PERCENT`] that was told of each cap.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub warned: BTreeMap<Cap, u8>,
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

    pub(super) fn reserve(&mut self, reservation: Reservation) {
        self.reserved.push(reservation);
    }

    pub(super) fn settle(&mut self, run: RunId, n: u32, charge: Charge) {
        self.reserved.retain(|held| (held.run, held.n) != (run, n));
        self.settled = self.settled.plus(charge.amount);
        if charge.assumed {
            self.assumed = self.assumed.plus(charge.amount);
        }
        self.overrun |= charge.overrun;
        self.unpriced |= charge.unpriced;
    }
}

/// A cap that a call would break, in words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cap {
    /// Tokens.
    Tokens,
    /// Money.
    Cost,
    /// Answers of models.
    Turns,
    /// Running time.
    Time,
    /// The item's share of the goal's tokens or money.
    Share,
    /// Room for events.
    History,
}

impl Cap {
    /// What is used up.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "token budget",
            Self::Cost => "money budget",
            Self::Turns => "turn budget",
            Self::Time => "time budget",
            Self::Share => "item's share of the budget",
            Self::History => "room for the goal's history",
        }
    }

    /// The key that raises it in a goal file.
    pub fn key(self) -> &'static str {
        match self {
            Self::Tokens => "budget.tokens",
            Self::Cost => "budget.cost_usd",
            Self::Turns => "budget.turns",
            Self::Time => "budget.time_minutes",
            Self::Share => "budget_percent",
            Self::History => "retention.goal_events",
        }
    }
}

/// A goal's caps on tokens and money; `None` without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    /// Tokens.
    pub tokens: Option<u64>,
    /// Money.
    pub micro_usd: Option<MicroUsd>,
}

impl Caps {
    /// The caps that a goal was given.
    pub fn of(spec: &GoalSpec) -> Self {
        Self { tokens: spec.budget_tokens, micro_usd: spec.budget_cost_usd.map(micro_usd) }
    }

    /// A part of them, in percent, rounded down.
    fn percent(self, percent: u8) -> Self {
        let part = |cap: u64| u64::try_from(u128::from(cap) * u128::from(percent) / 100).unwrap_or(cap);
        Self { tokens: self.tokens.map(part), micro_usd: self.micro_usd.map(part) }
    }

    fn left(self, used: Amount) -> Self {
        Self {
            tokens: self.tokens.map(|cap| cap.saturating_sub(used.tokens)),
            micro_usd: self.micro_usd.map(|cap| cap.saturating_sub(used.micro_usd)),
        }
    }

    fn lower(self, other: Self) -> Self {
        let min = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { tokens: min(self.tokens, other.tokens), micro_usd: min(self.micro_usd, other.micro_usd) }
    }
}

/// US dollars as millionths, rounded down: a cap is never widened.
pub fn micro_usd(usd: f64) -> MicroUsd {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates; validation refuses what is not above zero"
    )]
    let micro = (usd * 1_000_000.0).floor() as u64;
    micro
}

impl GoalState {
    /// What one more call for `item` may cost at most.
    pub fn left_for(&self, item: Option<ItemId>) -> Caps {
        let caps = Caps::of(&self.goal.spec);
        let left = caps.left(self.goal.spending.committed());
        match self.share(item, caps) {
            Some((share, used)) => left.lower(share.left(used)),
            None => left,
        }
    }

    /// How much of each of the goal's caps is used at `now`, in percent, rounded down.
    pub fn used_percent(&self, now: Millis) -> Vec<(Cap, u64)> {
        let (spec, spending) = (&self.goal.spec, &self.goal.spending);
        let caps = Caps::of(spec);
        let time_ms = spec.budget_time_minutes.map(|minutes| minutes.saturating_mul(60_000));
        let ran_ms = time_ms.zip(self.goal.time_left_ms(now)).map_or(0, |(all, left)| all - left.min(all));
        let used = [
            (Cap::Tokens, caps.tokens, spending.settled.tokens),
            (Cap::Cost, caps.micro_usd, spending.settled.micro_usd),
            (Cap::Turns, spec.budget_turns.map(u64::from), spending.turns.into()),
            (Cap::Time, time_ms, ran_ms),
        ];
        let percent = |(cap, of, used): (Cap, Option<u64>, u64)| {
            let percent = u128::from(used) * 100 / u128::from(of.filter(|of| *of > 0)?);
            Some((cap, u64::try_from(percent).unwrap_or(u64::MAX)))
        };
        used.into_iter().filter_map(percent).collect()
    }

    /// The cap that one more call for `item`, costing `amount`, would break.
    pub fn cap_broken_by(&self, item: Option<ItemId>, amount: Amount) -> Option<Cap> {
        let caps = Caps::of(&self.goal.spec);
        let broken = |caps: Caps, used: Amount| {
            let after = used.plus(amount);
            let tokens = caps.tokens.is_some_and(|cap| after.tokens > cap).then_some(Cap::Tokens);
            tokens.or_else(|| caps.micro_usd.is_some_and(|cap| after.micro_usd > cap).then_some(Cap::Cost))
        };
        if self.goal.spec.budget_turns.is_some_and(|turns| self.goal.spending.turns >= turns) {
            return Some(Cap::Turns);
        }
        broken(caps, self.goal.spending.committed()).or_else(|| {
            let (share, used) = self.share(item, caps)?;
            broken(share, used).map(|_| Cap::Share)
        })
    }

    /// The caps of the item's share, and what the item has used of it.
    fn share(&self, item: Option<ItemId>, caps: Caps) -> Option<(Caps, Amount)> {
        let item = self.item(item?)?;
        let Work::Agent(agent) = &item.work else { return None };
        let runs: Vec<RunId> =
            self.runs.iter().filter(|run| run.item_id == Some(item.id)).map(|run| run.id).collect();
        let reserved = self.goal.spending.reserved.iter().filter(|held| runs.contains(&held.run));
        let used = reserved.fold(item.spent, |sum, held| sum.plus(held.amount));
        Some((caps.percent(agent.budget_percent?), used))
    }
}
