//! The most memory that a process has while something is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use pb_runtime::process::private_memory_kib;

/// How often it is looked at; each look costs the kernel some work.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// It is looked at until this is dropped.
#[derive(Debug)]
pub(super) struct Peak {
    kib: Arc<AtomicU64>,
    _stop: Sender<()>,
}

impl Peak {
    pub(super) fn watch(pid: u32) -> Self {
        let (stop, stopped) = channel::<()>();
        let kib = Arc::new(AtomicU64::new(0));
        let noted = Arc::clone(&kib);
        std::thread::spawn(move || {
            loop {
                noted.fetch_max(private_memory_kib(pid).unwrap_or_default(), Ordering::Relaxed);
                if !matches!(stopped.recv_timeout(LOOK_EVERY), Err(RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        });
        Self { kib, _stop: stop }
    }

    /// The most so far, in KiB.
    pub(super) fn kib(&self) -> u64 {
        self.kib.load(Ordering::Relaxed)
    }
}
