//! The clock, as a value, so that tests can set it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands until it is set, in milliseconds since 1970.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// Now, in milliseconds since 1970.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now_ms(&self) -> u64 {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                set_by_test(since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
            }
            Self::Manual(now) => now.load(Ordering::SeqCst),
        }
    }
}

/// How long the machine runs, its sleep included, in milliseconds. Nobody sets this clock.
pub fn since_boot_ms() -> u64 {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(since.tv_sec), u64::try_from(since.tv_nsec));
    seconds.unwrap_or_default().saturating_mul(1000).saturating_add(nanos.unwrap_or_default() / 1_000_000)
}

/// The variable that names the file that says by how many milliseconds the machine's clock is wrong. Only with the
/// features `test-clock` and `faultpoints`, which only tests of whole processes and the fault suite turn on.
pub const TEST_CLOCK: &str = "PB_TEST_CLOCK";

#[cfg(not(any(feature = "test-clock", feature = "faultpoints")))]
#[inline]
fn set_by_test(now_ms: u64) -> u64 {
    now_ms
}

#[cfg(any(feature = "test-clock", feature = "faultpoints"))]
fn set_by_test(now_ms: u64) -> u64 {
    static FILE: std::sync::OnceLock<Option<std::path::PathBuf>> = std::sync::OnceLock::new();
    let Some(file) = FILE.get_or_init(|| crate::environment::path(TEST_CLOCK)) else {
        return now_ms;
    };
    let wrong_by_ms = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
    now_ms.saturating_add_signed(wrong_by_ms.unwrap_or(0))
}
