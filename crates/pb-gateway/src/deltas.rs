//! The ephemeral lane: what models say and tools print, while they do, for whoever asked for it.
//!
//! ```text
//!   link --- offer ---> the latest deltas (at most 256, shared) --- listeners, each where it is
//! ```
//!
//! Without listeners nothing is made and nothing kept. A listener that is overtaken is told how many
//! it missed. What is kept is kept once for all of them, however many there are and however slow.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use pb_protocol::delta;
use pb_protocol::frame::{EventFrame, ServerFrame};
use pb_protocol::ipc::SchedulerDelta;
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};

use crate::sse;
use crate::websocket::text_frame;

/// Most deltas kept for listeners that are not there yet.
const DELTAS_KEPT_MAX: usize = 256;
/// How many of those an overtaken listener skips, so that it is not overtaken again by the next one.
const DELTAS_SKIPPED: usize = DELTAS_KEPT_MAX / 2;
/// Longest line of the link that is taken for a delta, in bytes. A scheduler's are a few KiB.
pub(crate) const LINE_BYTES_MAX: usize = 32 * 1024;

/// Where deltas come in.
#[derive(Debug)]
pub(crate) struct Deltas {
    latest: broadcast::Sender<Arc<Delta>>,
}

/// A delta for clients, written once for all that get it.
#[derive(Debug)]
pub(crate) struct Delta {
    pub(crate) goal: String,
    pub(crate) kind: String,
    /// Whether it is shown also to who did not ask for deltas: an event of a scheduler without a log.
    pub(crate) is_for_all: bool,
    frame: ServerFrame,
    /// As a message of the WebSocket.
    message: OnceLock<Bytes>,
    /// As Server-Sent Event.
    lines: OnceLock<Bytes>,
}

/// A place among the latest deltas.
#[derive(Debug)]
pub(crate) struct Listener {
    latest: broadcast::Receiver<Arc<Delta>>,
}

/// What a listener comes upon.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The next delta, of any goal.
    Delta(Arc<Delta>),
    /// It was overtaken: so many were missed.
    Lag(u64),
}

impl Default for Deltas {
    fn default() -> Self {
        Self { latest: broadcast::Sender::new(DELTAS_KEPT_MAX) }
    }
}

impl Deltas {
    /// Whether anybody listens.
    pub(crate) fn are_heard(&self) -> bool {
        self.latest.receiver_count() > 0
    }

    /// Offers what came at `now_ms` to whoever listens. Never waits.
    pub(crate) fn offer(&self, delta: SchedulerDelta, now_ms: u64) {
        if !self.are_heard() {
            return;
        }
        let goal = delta.goal_id.clone();
        let Some(frame) = delta::frame(delta, now_ms) else {
            tracing::warn!(goal, "a delta that is not whole is skipped");
            return;
        };
        self.send(goal, false, frame);
    }

    /// Shows an event that is in no log to whoever listens. Never waits.
    pub(crate) fn show(&self, goal: String, frame: EventFrame) {
        self.send(goal, true, frame);
    }

    fn send(&self, goal: String, is_for_all: bool, frame: EventFrame) {
        let kind = frame.event.clone();
        let frame = ServerFrame::Event(frame);
        let delta = Delta { goal, kind, is_for_all, frame, message: OnceLock::new(), lines: OnceLock::new() };
        let _ = self.latest.send(Arc::new(delta)); // The last listener may just have left.
    }

    /// Listens from now on.
    pub(crate) fn listen(&self) -> Listener {
        Listener { latest: self.latest.subscribe() }
    }
}

impl Delta {
    pub(crate) fn message(&self) -> Bytes {
        self.message.get_or_init(|| text_frame(&self.frame)).clone()
    }

    pub(crate) fn lines(&self) -> Bytes {
        self.lines.get_or_init(|| sse::lines(&self.frame)).clone()
    }
}

impl Listener {
    /// Waits for the next delta. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Heard {
        match self.latest.recv().await {
            Ok(delta) => Heard::Delta(delta),
            Err(RecvError::Lagged(missed)) => Heard::Lag(missed + self.skip()),
            // The hub holds the other end for as long as there are connections.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }

    /// Skips the older half of what is kept; gives how many that were.
    fn skip(&mut self) -> u64 {
        let mut skipped = 0;
        for _ in 0..DELTAS_SKIPPED {
            match self.latest.try_recv() {
                Ok(_) => skipped += 1,
                Err(TryRecvError::Lagged(missed)) => skipped += missed,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        skipped
    }
}

/// What `listener` comes upon next; forever nothing without one.
pub(crate) async fn next_of(listener: &mut Option<Listener>) -> Heard {
    match listener {
        Some(listener) => listener.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use pb_protocol::ipc::DeltaKind;

    use super::*;

    fn text(index: u64) -> SchedulerDelta {
        SchedulerDelta {
            goal_id: "goal".to_owned(),
            work_item_id: None,
            run_id: "run".to_owned(),
            request_id: "request".to_owned(),
            kind: DeltaKind::Text,
            chunk: Some("春".to_owned()),
            index,
            model: None,
            tokens_used: None,
            finish_reason: None,
            tool: None,
            error: None,
        }
    }

    #[tokio::test]
    async fn what_is_kept_for_the_slow_is_bounded_and_what_they_missed_is_counted() {
        let deltas = Deltas::default();
        deltas.offer(text(0), 1); // To nobody.
        let (mut slow, mut quick) = (deltas.listen(), deltas.listen());
        let mut seen: Vec<Weak<Delta>> = Vec::new();
        for index in 0..10_000 {
            deltas.offer(text(index), 1);
            let Heard::Delta(delta) = quick.next().await else { panic!("overtaken") };
            seen.push(Arc::downgrade(&delta));
        }
        assert_eq!(seen.iter().filter(|delta| delta.strong_count() > 0).count(), DELTAS_KEPT_MAX);
        let Heard::Lag(missed) = slow.next().await else { panic!("not told") };
        assert_eq!(missed, 10_000 - (DELTAS_KEPT_MAX - DELTAS_SKIPPED) as u64);
        for index in missed..10_000 {
            let Heard::Delta(delta) = slow.next().await else { panic!("told twice") };
            let text = String::from_utf8_lossy(&delta.message()).into_owned();
            assert!(text.contains(&format!(r#""index":{index},"#)), "{text}");
        }
        assert!(seen.iter().all(|delta| delta.strong_count() == 0));
    }

    #[tokio::test]
    async fn a_delta_is_written_once_for_all() {
        let deltas = Deltas::default();
        let mut listeners = [deltas.listen(), deltas.listen()];
        deltas.offer(text(0), 1);
        let mut written = Vec::new();
        for listener in &mut listeners {
            let Heard::Delta(delta) = listener.next().await else { panic!("no delta") };
            written.push((delta.message().as_ptr(), delta.lines().as_ptr()));
        }
        assert_eq!(written.first(), written.last());
    }
}
