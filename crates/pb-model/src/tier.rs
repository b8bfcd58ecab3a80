//! How much a piece of work asks of a model (`wire.md` §5.5).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a piece of work asks of a model. Settings map each tier to models.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// A small change that needs no thought.
    Simple,
    /// Ordinary work.
    #[default]
    Medium,
    /// Work that needs long reasoning.
    Complex,
}

impl Tier {
    /// Every tier, from the cheapest.
    pub const ALL: [Self; 3] = [Self::Simple, Self::Medium, Self::Complex];

    /// The word used everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Medium => "medium",
            Self::Complex => "complex",
        }
    }
}
