//! `cost.*`: what models have cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Method, Permission};

/// Most rows of one answer.
pub const COST_ROWS_MAX: usize = 1_000;

/// `cost.summary`.
#[derive(Debug)]
pub struct Summary;

impl Method for Summary {
    const NAME: &'static str = "cost.summary";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Tells what models have cost, by goal, model or day";
    type Params = SummaryParams;
    type Result = SummaryResult;
}

/// By what costs are summed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CostBy {
    /// By goal, in the order in which they were submitted.
    Goal,
    /// By model.
    Model,
    /// By day, in the time zone in which it was counted.
    #[default]
    Day,
}

/// What to sum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SummaryParams {
    /// By what; by day if absent.
    pub by: CostBy,
    /// Only one goal.
    #[serde(rename = "goalId", skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<String>,
    /// At most so many rows, the last ones; 1,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Sums of costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SummaryResult {
    /// The sums; calls are counted in the row of the day on which they were promised.
    pub rows: Vec<CostRow>,
    /// All of them together, also those that are not among the rows.
    pub total: Cost,
    /// How many rows there are in all.
    pub count: u64,
}

/// The sum of one goal, model or day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostRow {
    /// The goal's id, the model's name, or the date; empty where it is not known.
    pub key: String,
    /// The goal's title, or the time zone of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What it cost.
    #[serde(flatten)]
    pub cost: Cost,
}

/// What calls of models cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Calls that were charged.
    pub calls: u64,
    /// Tokens, of requests and answers.
    pub tokens: u64,
    /// Money, in US dollars.
    pub cost_usd: f64,
    /// The part of the tokens that was assumed, because nobody told what a call used.
    pub assumed_tokens: u64,
    /// The part of the money that was assumed.
    pub assumed_cost_usd: f64,
    /// Whether a call has no known price: the money is not all of it.
    pub unpriced: bool,
}
