//! Verdicts: how well "done" is proven.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How well an item or a goal is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every gate passed, and there was at least one.
    Verified,
    /// Some of it is proven: an optional gate failed, or some items have no gate.
    Partial,
    /// Nothing proves it.
    Unverified,
    /// A required gate or the work itself failed.
    Failed,
}

impl Verdict {
    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Partial => "partial",
            Self::Unverified => "unverified",
            Self::Failed => "failed",
        }
    }

    /// The verdict on an item from its gates, each `(required, passed)`.
    pub fn of_gates(gates: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let (mut passed, mut optional_failed) = (0, 0);
        for (required, ok) in gates {
            match (required, ok) {
                (true, false) => return Self::Failed,
                (false, false) => optional_failed += 1,
                (_, true) => passed += 1,
            }
        }
        match (passed, optional_failed) {
            (0, _) => Self::Unverified,
            (_, 0) => Self::Verified,
            _ => Self::Partial,
        }
    }

    /// The verdict on a goal from those on its items.
    pub fn of_items(items: impl IntoIterator<Item = Self>) -> Self {
        let mut all = None;
        for verdict in items {
            all = Some(match (all, verdict) {
                (_, Self::Failed) => return Self::Failed,
                (None, verdict) => verdict,
                (Some(before), verdict) if before == verdict => verdict,
                (Some(_), _) => Self::Partial,
            });
        }
        all.unwrap_or(Self::Unverified)
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{self, Failed, Partial, Unverified, Verified};

    #[test]
    fn security_29_nothing_checked_is_never_verified() {
        assert_eq!(Verdict::of_gates([]), Unverified);
        assert_eq!(Verdict::of_gates([(false, false)]), Unverified);
        assert_eq!(Verdict::of_gates([(true, true), (false, true)]), Verified);
        assert_eq!(Verdict::of_gates([(true, true), (false, false)]), Partial);
        assert_eq!(Verdict::of_gates([(true, true), (true, false)]), Failed);
        assert_eq!(Verdict::of_items([]), Unverified);
        assert_eq!(Verdict::of_items([Verified, Verified]), Verified);
        assert_eq!(Verdict::of_items([Verified, Unverified]), Partial);
        assert_eq!(Verdict::of_items([Unverified, Unverified]), Unverified);
        assert_eq!(Verdict::of_items([Verified, Failed, Partial]), Failed);
    }
}
