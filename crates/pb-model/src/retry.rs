//! How long to wait before the next attempt: exponential, capped, with full jitter.

use crate::Millis;

/// First delay, in milliseconds.
pub const RETRY_BASE_MS: u64 = 1_000;
/// Longest delay, in milliseconds (`wire.md` §5.4).
pub const RETRY_MAX_MS: u64 = 30_000;

/// The delay before retry number `retry` (0 for the first), drawn from `0..=cap` by `seed`.
///
/// The seed is an argument so that the same run always waits the same time.
pub fn delay_ms(retry: u32, seed: u64) -> u64 {
    let cap = RETRY_BASE_MS.saturating_mul(1 << retry.min(20)).min(RETRY_MAX_MS);
    splitmix(seed) % (cap + 1)
}

/// Whether a pause that ends at `not_before` is over at `now`. One that would last longer than any pause
/// does was begun before the clock was set back: it is over too.
pub fn is_due(not_before: Millis, now: Millis) -> bool {
    not_before <= now || not_before > now.saturating_add(RETRY_MAX_MS)
}

/// One round of `SplitMix64` (Steele, Lea, Flood 2014): spreads a seed over 64 bits.
fn splitmix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_makes_no_pause_longer() {
        assert!(!is_due(1_001, 1_000) && is_due(1_000, 1_000));
        assert!(!is_due(1_000 + RETRY_MAX_MS, 1_000) && is_due(1_001 + RETRY_MAX_MS, 1_000));
    }

    #[test]
    fn delays_grow_to_the_cap_and_are_spread() {
        for (retry, cap) in [(0, 1_000), (1, 2_000), (4, 16_000), (5, 30_000), (60, 30_000)] {
            let delays: Vec<u64> = (0..500).map(|seed| delay_ms(retry, seed)).collect();
            assert!(delays.iter().all(|d| *d <= cap));
            let mean = delays.iter().sum::<u64>() / 500;
            assert!(mean > cap * 2 / 5 && mean < cap * 3 / 5, "mean {mean} of cap {cap}");
        }
    }
}
