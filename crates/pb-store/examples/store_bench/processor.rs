//! The time that processors spent on this process.

use std::time::Duration;

/// All of it, of every thread.
pub(crate) fn time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or_default())
}
