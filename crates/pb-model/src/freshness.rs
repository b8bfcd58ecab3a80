//! Is a gate's verdict still about the files that are there now?
//!
//! Each round of gates records the workspace digest before and after itself. What a gate writes
//! does not make any verdict stale, so a digest counts as fresh when gates alone lead from it to
//! the present one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One round of gates that ran while nothing else wrote in the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietRound {
    /// Workspace digest before the round.
    pub before: String,
    /// Workspace digest after the round.
    pub after: String,
}

/// Whether a verdict taken at digest `taken` still holds at digest `now`, given all quiet rounds.
pub fn is_fresh(taken: &str, now: &str, rounds: &[QuietRound]) -> bool {
    let mut reached = BTreeSet::from([taken]);
    loop {
        if reached.contains(now) {
            return true;
        }
        let known = reached.len();
        for round in rounds {
            if reached.contains(round.before.as_str()) {
                reached.insert(&round.after);
            }
        }
        if reached.len() == known {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gates_may_lead_from_the_verdict_to_the_present() {
        let round =
            |before: &str, after: &str| QuietRound { before: before.to_owned(), after: after.to_owned() };
        assert!(is_fresh("a", "a", &[]));
        assert!(!is_fresh("a", "b", &[]));
        assert!(is_fresh("a", "c", &[round("b", "c"), round("a", "b")]));
        assert!(!is_fresh("a", "d", &[round("a", "b"), round("c", "d")]));
        assert!(!is_fresh("b", "a", &[round("a", "b")]));
    }
}
