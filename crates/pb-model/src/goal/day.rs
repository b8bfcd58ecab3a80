//! The budget of a day: what all goals together may spend between two midnights.
//!
//! A call belongs to the day on which it was reserved, whenever it ends: so a day that is over has
//! nothing added to what was promised on it, and one that comes again (the clock was set back) goes on
//! where it was.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::cap::Caps;
use super::spending::Amount;

/// A day, with the zone in which it begins and ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LocalDay {
    /// The date.
    pub date: Date,
    /// The zone: its name in the time zone database.
    pub zone: String,
}

/// The budget of today, as it stands when something is decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayBudget {
    /// Today; none where nobody counts days.
    pub day: Option<LocalDay>,
    /// What may be spent.
    pub caps: Caps,
    /// How many answers of models may be asked for.
    pub turns_max: Option<u32>,
    /// What calls that were reserved today have cost.
    pub settled: Amount,
    /// What is put aside today for calls under way.
    pub reserved: Amount,
    /// Answers to calls that were reserved today.
    pub turns: u32,
    /// Calls under way that were reserved today.
    pub calls: u32,
}

impl DayBudget {
    /// What is left of it.
    pub fn left(&self) -> Caps {
        self.caps.left(self.settled.plus(self.reserved))
    }

    /// Whether a call that costs `amount` would break it.
    pub fn broken_by(&self, amount: Amount) -> bool {
        let is_last = self.turns_max.is_some_and(|max| self.turns.saturating_add(self.calls) >= max);
        is_last || self.caps.broken_by(self.settled.plus(self.reserved).plus(amount))
    }

    /// How much of it is used once `more`, in so many answers, is settled beside what is: in percent of the
    /// cap that is nearest, rounded down.
    pub fn used_percent(&self, more: Amount, answers: u32) -> Option<u64> {
        let used = self.settled.plus(more);
        let percent = |used: u64, cap: Option<u64>| {
            let percent = u128::from(used) * 100 / u128::from(cap.filter(|cap| *cap > 0)?);
            Some(u64::try_from(percent).unwrap_or(u64::MAX))
        };
        let turns = u64::from(self.turns.saturating_add(answers));
        percent(used.tokens, self.caps.tokens)
            .max(percent(used.micro_usd, self.caps.micro_usd))
            .max(percent(turns, self.turns_max.map(u64::from)))
    }
}
