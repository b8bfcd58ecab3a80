//! How often the log's end is looked at.
//!
//! One write to a socket costs about 5 us, however much it carries. So where many events go to many
//! followers it pays to let some gather, and where few do it does not.

use std::time::Duration;

use tokio::time::Instant;

/// Frames a second (events times followers) up to which nothing is let gather.
const FRAMES_FREE: f64 = 40_000.0;
/// Frames a second from which the window is as long as it gets.
const FRAMES_FULL: f64 = 400_000.0;
/// Longest time that an event waits for others, where followers are few.
const WINDOW_MAX: Duration = Duration::from_millis(6);
/// What each follower adds from where a round of all of them would fill the window: a round then takes less than half
/// of the time between two, and the last ones of a round do not wait for the next round as well.
const WINDOW_A_FOLLOWER: Duration = Duration::from_micros(30);
/// The same, however many they are.
const WINDOW_LONGEST: Duration = Duration::from_millis(18);
/// Bytes of events for which nobody waits any longer: what the kernel takes of one client at once.
const WINDOW_BYTES: f64 = 32.0 * 1024.0;
/// Over how long the rate is told.
const RATE_TIME: Duration = Duration::from_millis(50);

/// When to look next.
#[derive(Debug)]
pub(super) struct Pace {
    looked: Instant,
    window: Duration,
    /// Events and bytes a second, of late.
    events: f64,
    bytes: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { looked: Instant::now(), window: Duration::ZERO, events: 0.0, bytes: 0.0 }
    }
}

impl Pace {
    /// When to look next.
    pub(super) fn next(&self) -> Instant {
        self.looked + self.window
    }

    /// A look that began at `now` found so many events and bytes, for so many followers.
    pub(super) fn looked(&mut self, now: Instant, (events, bytes): (u32, u32), followers: u32) {
        let passed = (now - self.looked).max(Duration::from_micros(1));
        self.looked = now;
        // The longer ago the last look was, the less it counts.
        let weight = 1.0 - (-passed.as_secs_f64() / RATE_TIME.as_secs_f64()).exp();
        let rate = |count: u32| f64::from(count) / passed.as_secs_f64();
        self.events += (rate(events) - self.events) * weight;
        self.bytes += (rate(bytes) - self.bytes) * weight;
        self.window = window(self.events, self.bytes, followers);
    }
}

/// How long to let events gather, at so many events and bytes a second for so many followers.
fn window(events: f64, bytes: f64, followers: u32) -> Duration {
    let frames = events * f64::from(followers);
    let share = ((frames - FRAMES_FREE) / (FRAMES_FULL - FRAMES_FREE)).clamp(0.0, 1.0);
    let longest = (WINDOW_A_FOLLOWER * followers).clamp(WINDOW_MAX, WINDOW_LONGEST);
    let window = longest.mul_f64(share);
    let enough = if bytes > 0.0 { Duration::from_secs_f64(WINDOW_BYTES / bytes) } else { longest };
    window.min(enough)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_follows_the_load() {
        assert_eq!(window(0.0, 0.0, 0), Duration::ZERO);
        assert_eq!(window(400.0, 400.0 * 400.0, 100), Duration::ZERO);
        let middle = window(2_200.0, 1000.0, 100);
        assert!(middle > WINDOW_MAX / 3 && middle < WINDOW_MAX, "{middle:?}");
        assert_eq!(window(1e7, 1000.0, 100), WINDOW_MAX);
        assert_eq!(window(1e6, 1000.0, 500), WINDOW_A_FOLLOWER * 500);
        assert_eq!(window(1e6, 1000.0, 10_000), WINDOW_LONGEST);
        // 32 KiB at 32 MiB a second.
        assert_eq!(window(1e7, 32.0 * 1024.0 * 1024.0, 100).as_micros(), 976);
    }

    #[tokio::test(start_paused = true)]
    async fn one_event_now_and_then_waits_for_nobody_and_a_flood_does() {
        let mut pace = Pace::default();
        let mut now = Instant::now();
        for _ in 0..1000 {
            now += Duration::from_millis(1);
            pace.looked(now, (1, 400), 1);
        }
        assert_eq!(pace.next(), now);
        for _ in 0..1000 {
            now += Duration::from_millis(1);
            pace.looked(now, (10, 4000), 100);
        }
        assert_eq!(pace.next(), now + WINDOW_MAX);
        now += Duration::from_mins(1);
        pace.looked(now, (1, 400), 100);
        assert_eq!(pace.next(), now);
    }
}
