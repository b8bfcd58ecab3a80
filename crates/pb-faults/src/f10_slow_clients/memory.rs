//! How much memory a process has of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pb_runtime::Tasks;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The most that a process had.
#[derive(Debug)]
pub(super) struct Memory {
    peak_kib: Arc<AtomicU64>,
}

impl Memory {
    /// Looks at the process until the tasks end.
    pub(super) fn watch(pid: u32, tasks: &Tasks) -> Self {
        let peak_kib = Arc::new(AtomicU64::new(0));
        let noted = Arc::clone(&peak_kib);
        tasks.spawn("memory", async move {
            loop {
                noted.fetch_max(private_kib(pid).unwrap_or_default(), Ordering::Relaxed);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        Self { peak_kib }
    }

    /// The most so far, in KiB.
    pub(super) fn peak_kib(&self) -> u64 {
        self.peak_kib.load(Ordering::Relaxed)
    }
}

/// What is resident and belongs to no file: no other process shares it.
fn private_kib(pid: u32) -> Option<u64> {
    Some(pb_runtime::process::memory(pid)?.anonymous_kib)
}
