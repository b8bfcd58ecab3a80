//! What waits for the socket: lines, written where they arise, sent together.
//!
//! Three queues, so that one that is full costs no other its place. Nobody waits for room: what does not fit is
//! refused. While there is no connection everything is let go of, for the gateway reads the files.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What a queue and a write may go on holding while nothing waits, in bytes.
const KEPT_BYTES: usize = 64 * 1024;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queue {
    /// Committed events, and commands that were executed.
    Facts,
    /// What models say and tools print.
    Deltas,
    /// Debug events that stand in the trace.
    Debug,
}

impl Queue {
    /// With so many bytes in it, a queue takes no further line.
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
    queues: Mutex<Queues>,
    /// Rings when something waits and nothing did.
    came: Notify,
    /// Rings when what waited was taken.
    #[cfg(feature = "bench")]
    taken: Notify,
}

#[derive(Debug, Default)]
struct Queues {
    is_open: bool,
    facts: Vec<u8>,
    deltas: Vec<u8>,
    debug: Vec<u8>,
}

impl Queues {
    fn each(&mut self) -> [&mut Vec<u8>; 3] {
        [&mut self.facts, &mut self.deltas, &mut self.debug]
    }

    fn of(&mut self, queue: Queue) -> &mut Vec<u8> {
        match queue {
            Queue::Facts => &mut self.facts,
            Queue::Deltas => &mut self.deltas,
            Queue::Debug => &mut self.debug,
        }
    }
}

impl Outbox {
    /// Has `write` append lines, if there is a connection. False when the queue is full: then nothing is
    /// written.
    pub(crate) fn push(&self, queue: Queue, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut queues = self.queues();
        if !queues.is_open {
            return true;
        }
        if queues.of(queue).len() >= queue.bytes_max() {
            return false;
        }
        let was_empty = queues.each().iter().all(|queue| queue.is_empty());
        write(queues.of(queue));
        drop(queues);
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
        let mut queues = self.queues();
        queues.each().into_iter().for_each(|queue| out.append(queue));
        if out.len() == before {
            queues.each().into_iter().for_each(|queue| queue.shrink_to(KEPT_BYTES));
            return false;
        }
        #[cfg(feature = "bench")]
        self.taken.notify_one();
        true
    }

    /// There is a connection from here on.
    pub(crate) fn open(&self) {
        self.queues().is_open = true;
    }

    /// There is none any more: what waits is let go of.
    pub(crate) fn close(&self) {
        *self.queues() = Queues::default();
    }

    /// Whether there is a connection.
    #[cfg(feature = "bench")]
    pub(crate) fn is_open(&self) -> bool {
        self.queues().is_open
    }

    /// Waits until what waits is taken; for one that found a queue full.
    #[cfg(feature = "bench")]
    pub(crate) async fn taken(&self) {
        self.taken.notified().await;
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert!(outbox.push(Queue::Facts, line("lost")));
        outbox.open();
        for (queue, text) in
            [(Queue::Debug, "4"), (Queue::Deltas, "3"), (Queue::Facts, "1"), (Queue::Facts, "2")]
        {
            assert!(outbox.push(queue, line(text)));
        }
        let mut out = b"0".to_vec();
        outbox.next(&mut out).await;
        assert_eq!(out, b"01234");
        assert!(!outbox.take(&mut out));
        outbox.push(Queue::Facts, line("lost"));
        outbox.close();
        outbox.open();
        assert!(!outbox.take(&mut out));
        assert!(outbox.push(Queue::Debug, line("5")));
        outbox.next(&mut out).await;
        assert_eq!(out, b"012345");
    }

    #[test]
    fn a_lane_that_is_full_refuses_and_the_others_do_not() {
        let outbox = Outbox::default();
        outbox.open();
        let text = "x".repeat(Queue::Deltas.bytes_max() / 4);
        let taken = (0..9).filter(|_| outbox.push(Queue::Deltas, line(&text))).count();
        assert_eq!(taken, 4);
        assert!(outbox.push(Queue::Facts, line("y")));
        assert!(outbox.take(&mut Vec::new()));
        assert!(outbox.push(Queue::Deltas, line(&text)));
    }
}
