//! What a fault came to.

use std::fmt;

use serde::Serialize;

/// Most failures that are told one by one.
const FAILURES_TOLD_MAX: usize = 20;

/// What was done and what went wrong.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Tally {
    /// How often it was done.
    pub cases: u64,
    /// Facts that were answered or committed and are not there.
    pub lost: u64,
    /// Facts that are there, or came, more than once.
    pub duplicated: u64,
    /// Facts that came in another order than they were committed in.
    pub reordered: u64,
    /// Anything else that must not be: a panic, a memory bound, a hang. Each says how to do it again.
    pub failures: Vec<String>,
    /// Further failures that are not told.
    pub failures_untold: u64,
    /// What else was counted, by name, such as `kills` or `peak_rss_kib`.
    pub counts: Vec<(String, u64)>,
}

impl Tally {
    /// Notes something that must not be.
    pub fn fail(&mut self, what: impl fmt::Display) {
        if self.failures.len() < FAILURES_TOLD_MAX {
            self.failures.push(what.to_string());
        } else {
            self.failures_untold += 1;
        }
    }

    /// Notes a number that says how much was done.
    pub fn count(&mut self, name: &str, number: u64) {
        match self.counts.iter_mut().find(|(known, _)| known == name) {
            Some((_, sum)) => *sum += number,
            None => self.counts.push((name.to_owned(), number)),
        }
    }

    /// Adds what another part of the same fault came to.
    pub fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.failures_untold += other.failures_untold;
        for failure in other.failures {
            self.fail(failure);
        }
        for (name, number) in other.counts {
            self.count(&name, number);
        }
    }

    /// Whether nothing went wrong, and something was done at all.
    pub fn passed(&self) -> bool {
        self.cases > 0 && self.clean()
    }

    /// Whether nothing went wrong so far.
    pub fn clean(&self) -> bool {
        self.lost == 0
            && self.duplicated == 0
            && self.reordered == 0
            && self.failures.is_empty()
            && self.failures_untold == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_done_is_nothing_passed_and_any_fault_counts() {
        assert!(!Tally::default().passed());
        let done = Tally { cases: 1, ..Tally::default() };
        assert!(done.passed());
        for bad in [
            Tally { lost: 1, ..done.clone() },
            Tally { duplicated: 1, ..done.clone() },
            Tally { reordered: 1, ..done.clone() },
            Tally { failures: vec!["it hung".to_owned()], ..done.clone() },
        ] {
            assert!(!bad.passed(), "{bad:?}");
            let mut sum = done.clone();
            sum.add(bad);
            assert!(!sum.passed(), "{sum:?}");
        }
    }
}
