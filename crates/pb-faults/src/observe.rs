//! What clients applied, compared with the log: the auditor of I3 (`durability.md` §7).

use crate::Tally;

/// Which events of a log a client has applied, each told by its position.
#[derive(Debug, Default)]
pub struct Applied {
    /// A bit for each position.
    seen: Vec<u64>,
    highest: u64,
    count: u64,
    duplicated: u64,
    reordered: u64,
}

impl Applied {
    /// Notes that the event at `pos` came.
    pub fn apply(&mut self, pos: u64) {
        let (word, bit) = place(pos);
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        if self.seen[word] & bit != 0 {
            self.duplicated += 1;
            return;
        }
        self.seen[word] |= bit;
        self.count += 1;
        if pos < self.highest {
            self.reordered += 1;
        }
        self.highest = self.highest.max(pos);
    }

    /// How many different events came.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The highest position that came.
    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// Adds what was lost of `expected`, and what came twice or out of order.
    pub fn audit(&self, expected: impl IntoIterator<Item = u64>, tally: &mut Tally) {
        let lost = expected.into_iter().filter(|pos| !self.has(*pos)).count();
        tally.lost += lost as u64;
        tally.duplicated += self.duplicated;
        tally.reordered += self.reordered;
    }

    fn has(&self, pos: u64) -> bool {
        let (word, bit) = place(pos);
        self.seen.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

fn place(pos: u64) -> (usize, u64) {
    (usize::try_from(pos / 64).unwrap_or(usize::MAX), 1 << (pos % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audited(came: &[u64]) -> (u64, u64, u64) {
        let mut applied = Applied::default();
        for pos in came {
            applied.apply(*pos);
        }
        let mut tally = Tally::default();
        applied.audit(1..=200, &mut tally);
        (tally.lost, tally.duplicated, tally.reordered)
    }

    #[test]
    fn what_is_missing_double_or_late_is_counted_exactly() {
        let all: Vec<u64> = (1..=200).collect();
        assert_eq!(audited(&all), (0, 0, 0));
        assert_eq!(audited(&[]), (200, 0, 0));
        assert_eq!(audited(&all[..130]), (70, 0, 0));
        let twice: Vec<u64> = (1..=200).chain([64, 64, 200]).collect();
        assert_eq!(audited(&twice), (0, 3, 0));
        let late: Vec<u64> = (2..=200).chain([1]).collect();
        assert_eq!(audited(&late), (0, 0, 1));
        let gap: Vec<u64> = (1..=200).filter(|pos| *pos != 63 && *pos != 128).collect();
        assert_eq!(audited(&gap), (2, 0, 0));
    }
}
