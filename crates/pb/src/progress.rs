//! How far something has come that takes more than a second.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::output;

/// What is over by then needs no words.
const SILENT: Duration = Duration::from_secs(1);
/// Pause between two lines.
const INTERVAL: Duration = Duration::from_secs(1);

/// Tells how far it is, now and then.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    next: Instant,
    is_on: bool,
}

impl Progress {
    /// `what` completes "42 % …".
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, next: Instant::now() + SILENT, is_on: std::io::stderr().is_terminal() }
    }

    /// So much of all is done.
    pub(crate) fn tell(&mut self, done: u64, all: u64) {
        let now = Instant::now();
        if self.is_on && now >= self.next && all > 0 {
            self.next = now + INTERVAL;
            output::note(format_args!("{} % {}", done.min(all) * 100 / all, self.what));
        }
    }
}
