//! How long to wait before connecting to the gateway again (`wire.md` §1.4): 1, 2, 4, 8, 16, 30, 30 ... s,
//! each up to a quarter shorter, so that several schedulers do not come back in the same moment.

use std::time::Duration;

/// First wait.
const FIRST: Duration = Duration::from_secs(1);
/// Longest wait.
const LONGEST: Duration = Duration::from_secs(30);

/// The waits between attempts.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// The next wait; `random` is any number.
    pub(super) fn wait(&mut self, random: u64) -> Duration {
        let longest = self.next;
        self.next = LONGEST.min(longest * 2);
        let quarter_ms = u64::try_from(longest.as_millis() / 4).unwrap_or(u64::MAX);
        longest.saturating_sub(Duration::from_millis(random % (quarter_ms + 1)))
    }

    /// Begins anew: there was a gateway, or there is a new one.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_30_s_and_are_up_to_a_quarter_shorter() {
        let waits = |random| {
            let mut backoff = Backoff::default();
            (0..7).map(|_| backoff.wait(random).as_millis()).collect::<Vec<_>>()
        };
        assert_eq!(waits(0), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        for random in (0..1_000).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) {
            for (wait, longest) in waits(random).into_iter().zip(waits(0)) {
                assert!(wait <= longest && wait >= longest * 3 / 4, "{wait}");
            }
        }
        let mut backoff = Backoff::default();
        backoff.wait(0);
        backoff.reset();
        assert_eq!(backoff.wait(0), FIRST);
    }
}
