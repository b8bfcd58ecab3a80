//! What is told of a run: a line for each fault and each planted bug, and all of it as JSON.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::{Fault, PlantedBug, Size, Tally};

/// What a whole run came to.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The faults, in the order in which they were done.
    pub faults: Vec<FaultLine>,
    /// The planted bugs.
    pub bugs: Vec<BugLine>,
}

impl Report {
    /// Whether each fault was survived and each planted bug was seen.
    pub fn passed(&self) -> bool {
        self.faults.iter().all(|line| line.passed) && self.bugs.iter().all(|line| line.caught)
    }
}

/// What a fault came to, with how to do it again.
#[derive(Debug, Serialize)]
pub struct FaultLine {
    fault: &'static str,
    what: &'static str,
    size: Size,
    passed: bool,
    seed: u64,
    seconds: f64,
    #[serde(flatten)]
    tally: Tally,
}

impl FaultLine {
    /// What `fault` came to.
    pub fn new(fault: &Fault, (size, seed): (Size, u64), took: Duration, tally: Tally) -> Self {
        let passed = tally.passed();
        Self { fault: fault.id, what: fault.what, size, passed, seed, seconds: took.as_secs_f64(), tally }
    }
}

impl fmt::Display for FaultLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { cases, lost, duplicated, reordered, failures, failures_untold, counts } = &self.tally;
        let verdict = if self.passed { "ok  " } else { "FAIL" };
        write!(
            f,
            "{verdict} {:<4} {:<44} cases {cases}, lost {lost}, duplicated {duplicated}, reordered {reordered}",
            self.fault, self.what
        )?;
        for (name, number) in counts {
            write!(f, ", {name} {number}")?;
        }
        write!(f, ", {} size, seed {}, {:.1} s", self.size, self.seed, self.seconds)?;
        for failure in failures {
            write!(f, "\n     {failure}")?;
        }
        if *failures_untold > 0 {
            write!(f, "\n     and {failures_untold} more")?;
        }
        Ok(())
    }
}

/// Whether a planted bug was seen.
#[derive(Debug, Serialize)]
pub struct BugLine {
    bug: &'static str,
    fault: &'static str,
    how: &'static str,
    caught: bool,
    seed: u64,
    seconds: f64,
    #[serde(flatten)]
    tally: Tally,
}

impl BugLine {
    /// What the fault of `planted` came to with the bug.
    pub fn new(planted: &PlantedBug, seed: u64, took: Duration, tally: Tally) -> Self {
        Self {
            bug: planted.bug.as_str(),
            fault: planted.fault,
            how: planted.how,
            caught: !tally.clean(),
            seed,
            seconds: took.as_secs_f64(),
            tally,
        }
    }
}

impl fmt::Display for BugLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { cases, lost, duplicated, reordered, failures, .. } = &self.tally;
        let (verdict, caught) = if self.caught { ("ok  ", "caught by") } else { ("FAIL", "not seen by") };
        write!(f, "{verdict} bug {:<22} {caught} {}: {}", self.bug, self.fault, self.how)?;
        write!(f, " (cases {cases}, lost {lost}, duplicated {duplicated}, reordered {reordered}")?;
        write!(f, ", seed {}, {:.1} s)", self.seed, self.seconds)?;
        match failures.first() {
            Some(first) => write!(f, "\n     {first}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use pb_runtime::faultpoints::Bug;

    use super::*;

    const PLANTED: PlantedBug = PlantedBug { bug: Bug::SyncOff, fault: "F3", how: "it shows" };

    #[test]
    fn a_bug_that_nobody_saw_fails_the_run() {
        let line = |tally| BugLine::new(&PLANTED, 7, Duration::from_secs(1), tally);
        let unseen = line(Tally { cases: 9, ..Tally::default() });
        assert_eq!(
            unseen.to_string(),
            "FAIL bug sync-off               not seen by F3: it shows \
             (cases 9, lost 0, duplicated 0, reordered 0, seed 7, 1.0 s)"
        );
        assert!(!Report { faults: Vec::new(), bugs: vec![unseen] }.passed());
        let seen = line(Tally { cases: 9, lost: 1, ..Tally::default() });
        assert_eq!(
            seen.to_string(),
            "ok   bug sync-off               caught by F3: it shows \
             (cases 9, lost 1, duplicated 0, reordered 0, seed 7, 1.0 s)"
        );
        assert!(Report { faults: Vec::new(), bugs: vec![seen] }.passed());
    }
}
