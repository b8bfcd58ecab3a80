//! Prices: what a million tokens cost, and what a call cost.

use serde::{Deserialize, Serialize};

use crate::Usage;

/// Millionths of a US dollar.
pub type MicroUsd = u64;

/// What a model costs, in US dollars for a million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of the request.
    pub input: f64,
    /// Of the answer.
    pub output: f64,
}

impl Price {
    /// What `usage` costs, rounded up to a millionth of a dollar.
    pub fn cost(&self, usage: Usage) -> MicroUsd {
        // Dollars for a million tokens are millionths of a dollar for one.
        #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
        let micro = self.input * usage.input_tokens as f64 + self.output * usage.output_tokens as f64;
        #[expect(clippy::cast_possible_truncation, reason = "saturates; a price is finite and not negative")]
        let micro = micro.ceil() as u64;
        micro
    }
}
