//! What waits for the socket: lines, written where they arise, sent together.
//!
//! Three lanes, so that one that is full costs no other its place. Nobody waits for room: what does not fit is
//! refused. While there is no connection everything is let go of, for the gateway reads the files.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What a lane and a write may go on holding while nothing waits, in bytes.
const KEPT_BYTES: usize = 64 * 1024;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Committed events, and commands that were executed.
    Facts,
    /// What models say and tools print.
    Deltas,
    /// Debug events that stand in the trace.
    Debug,
}

impl Lane {
    /// With so many bytes in it, a lane takes no further line.
    pub(crate) const fn bytes_max(self) -> usize {
        match self {
            Self::Facts | Self::Deltas => 512 * 1024,
            Self::Debug => 256 * 1024,
        }
    }
}

/// Where lines wait, each at most as long as the link allows.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    lanes: Mutex<Lanes>,
    /// Rings when something waits and nothing did.
    came: Notify,
    /// Rings when what waited was taken.
    #[cfg(feature = "bench")]
    taken: Notify,
}

#[derive(Debug, Default)]
struct Lanes {
    is_open: bool,
    facts: Vec<u8>,
    deltas: Vec<u8>,
    debug: Vec<u8>,
}

impl Lanes {
    fn each(&mut self) -> [&mut Vec<u8>; 3] {
        [&mut self.facts, &mut self.deltas, &mut self.debug]
    }

    fn of(&mut self, lane: Lane) -> &mut Vec<u8> {
        match lane {
            Lane::Facts => &mut self.facts,
            Lane::Deltas => &mut self.deltas,
            Lane::Debug => &mut self.debug,
        }
    }
}

impl Outbox {
    /// Has `write` append lines, if there is a connection. False when the lane is full: then nothing is
    /// written.
    pub(crate) fn push(&self, lane: Lane, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut lanes = self.lanes();
        if !lanes.is_open {
            return true;
        }
        if lanes.of(lane).len() >= lane.bytes_max() {
            return false;
        }
        let was_empty = lanes.each().iter().all(|lane| lane.is_empty());
        write(lanes.of(lane));
        drop(lanes);
        if was_empty {
            self.came.notify_one();
        }
        true
    }

    /// Moves what waits into `out`, as soon as there is something. Dropping the future loses nothing.
    pub(crate) async fn next(&self, out: &mut Vec<u8>) {
        loop {
            if self.take(out) {
                return;
            }
            out.shrink_to(KEPT_BYTES);
            self.came.notified().await;
        }
    }

    /// Moves what waits into `out`; whether there was anything.
    pub(crate) fn take(&self, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        let mut lanes = self.lanes();
        lanes.each().into_iter().for_each(|lane| out.append(lane));
        if out.len() == before {
            lanes.each().into_iter().for_each(|lane| lane.shrink_to(KEPT_BYTES));
            return false;
        }
        #[cfg(feature = "bench")]
        self.taken.notify_one();
        true
    }

    /// There is a connection from here on.
    pub(crate) fn open(&self) {
        self.lanes().is_open = true;
    }

    /// There is none any more: what waits is let go of.
    pub(crate) fn close(&self) {
        *self.lanes() = Lanes::default();
    }

    /// Whether there is a connection.
    #[cfg(feature = "bench")]
    pub(crate) fn is_open(&self) -> bool {
        self.lanes().is_open
    }

    /// Waits until what waits is taken; for one that found a lane full.
    #[cfg(feature = "bench")]
    pub(crate) async fn taken(&self) {
        self.taken.notified().await;
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> impl FnOnce(&mut Vec<u8>) {
        move |out| out.extend_from_slice(text.as_bytes())
    }

    #[tokio::test]
    async fn what_came_is_taken_together_and_without_a_connection_nothing_is_kept() {
        let outbox = Outbox::default();
        assert!(outbox.push(Lane::Facts, line("lost")));
        outbox.open();
        for (lane, text) in [(Lane::Debug, "4"), (Lane::Deltas, "3"), (Lane::Facts, "1"), (Lane::Facts, "2")]
        {
            assert!(outbox.push(lane, line(text)));
        }
        let mut out = b"0".to_vec();
        outbox.next(&mut out).await;
        assert_eq!(out, b"01234");
        assert!(!outbox.take(&mut out));
        outbox.push(Lane::Facts, line("lost"));
        outbox.close();
        outbox.open();
        assert!(!outbox.take(&mut out));
        assert!(outbox.push(Lane::Debug, line("5")));
        outbox.next(&mut out).await;
        assert_eq!(out, b"012345");
    }

    #[test]
    fn a_lane_that_is_full_refuses_and_the_others_do_not() {
        let outbox = Outbox::default();
        outbox.open();
        let text = "x".repeat(Lane::Deltas.bytes_max() / 4);
        let taken = (0..9).filter(|_| outbox.push(Lane::Deltas, line(&text))).count();
        assert_eq!(taken, 4);
        assert!(outbox.push(Lane::Facts, line("y")));
        assert!(outbox.take(&mut Vec::new()));
        assert!(outbox.push(Lane::Deltas, line(&text)));
    }
}
