//! Evaluation: what is done about an attempt whose work or evidence was not enough.
//!
//! ```text
//! attempts are left ------------------------------> retry, with the evidence
//!   and its gates have failed twice in a row -----> retry with another model, or a higher tier
//! none is left, and a model made the plan --------> another plan, at most twice
//!   and there were two ---------------------------> a person
//! none is left, and a person made the plan -------> given up: a dead letter
//! ```
//!
//! What comes of it is decided in `decide/evaluate.rs`. What was enough needs no decision: `workitem.completed`
//! and the gates' results say why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Tier;

/// How often another plan is made without asking a person.
pub const REPLANS_MAX: u32 = 2;
/// After so many attempts in a row that failed at their gates, another model is asked.
pub const GATE_FAILURES_BEFORE_SWITCH: usize = 2;

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evaluation {
    /// Another attempt, which is told what failed.
    Retry,
    /// Another attempt, by somebody else.
    SwitchModel {
        /// Who failed, and is asked only if nobody else answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        avoid: Option<String>,
        /// What is asked of a model from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tier: Option<Tier>,
    },
    /// Another plan.
    Replan,
    /// A person decides.
    Escalate,
    /// Nothing: the item has failed.
    GiveUp,
}

impl Evaluation {
    /// The word on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::SwitchModel { .. } => "switch_model",
            Self::Replan => "replan",
            Self::Escalate => "escalate",
            Self::GiveUp => "give_up",
        }
    }
}
