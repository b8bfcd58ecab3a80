//! Caps: what may be spent at most, on each level.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spending::{Amount, MicroUsd, micro_usd};
use crate::spec::{AgentSpec, GoalSpec};

/// A cap, in words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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
    /// The item's share of the goal's tokens or money, or its own caps.
    Share,
    /// How long the item's models and tools may run.
    ItemTime,
    /// What one call may cost.
    Call,
    /// What all goals may spend in a day.
    Day,
    /// The goal's deadline.
    Deadline,
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
            Self::ItemTime => "item's time limit",
            Self::Call => "budget of one call",
            Self::Day => "budget of the day",
            Self::Deadline => "time until the deadline",
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
            Self::Share => "budget_percent, budget_tokens or budget_usd",
            Self::ItemTime => "time_limit",
            Self::Call => "budget.call_tokens or budget.call_usd",
            Self::Day => "budget.day_tokens or budget.day_usd",
            Self::Deadline => "deadline",
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

    /// The caps on one call of a goal.
    pub fn of_a_call(spec: &GoalSpec) -> Self {
        Self { tokens: spec.budget_call_tokens, micro_usd: spec.budget_call_usd.map(micro_usd) }
    }

    /// The caps that an item was given as amounts.
    pub(super) fn of_item(agent: &AgentSpec) -> Self {
        Self { tokens: agent.budget_tokens, micro_usd: agent.budget_usd.map(|usd| usd.0) }
    }

    /// Whether there is none.
    pub fn is_none(self) -> bool {
        self.tokens.is_none() && self.micro_usd.is_none()
    }

    /// Whether `amount` is above one of them.
    pub fn broken_by(self, amount: Amount) -> bool {
        self.tokens.is_some_and(|cap| amount.tokens > cap)
            || self.micro_usd.is_some_and(|cap| amount.micro_usd > cap)
    }

    /// A part of them, in percent, rounded down.
    pub(super) fn percent(self, percent: u8) -> Self {
        let part = |cap: u64| u64::try_from(u128::from(cap) * u128::from(percent) / 100).unwrap_or(cap);
        Self { tokens: self.tokens.map(part), micro_usd: self.micro_usd.map(part) }
    }

    /// What is left of them when so much is used.
    pub fn left(self, used: Amount) -> Self {
        Self {
            tokens: self.tokens.map(|cap| cap.saturating_sub(used.tokens)),
            micro_usd: self.micro_usd.map(|cap| cap.saturating_sub(used.micro_usd)),
        }
    }

    /// The lower of each.
    pub fn lower(self, other: Self) -> Self {
        let min = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { tokens: min(self.tokens, other.tokens), micro_usd: min(self.micro_usd, other.micro_usd) }
    }
}
