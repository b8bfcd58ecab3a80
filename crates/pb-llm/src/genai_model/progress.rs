//! What has come of an answer, by frame: the wire's own unit, which a heartbeat is too.

use std::sync::{Mutex, MutexGuard, PoisonError};

use genai::chat::{ChatFrameSink, FrameCtx, RawFrameRef};
use serde_json::Value;
use tokio::time::Instant;

use super::Limits;
use super::error::Fault;
use crate::CallErrorKind;

/// Counts the frames of one answer.
#[derive(Debug)]
pub(super) struct Progress {
    limits: Limits,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// Those that say something: comments and web pages say nothing.
    frames: u64,
    bytes: u64,
    /// When the last frame came, a comment too; when the call began before that.
    last: Instant,
    /// Why Gemini says nothing at all, in its word.
    withheld: Option<String>,
}

impl Progress {
    pub(super) fn new(limits: Limits) -> Self {
        let seen = Seen { frames: 0, bytes: 0, last: Instant::now(), withheld: None };
        Self { limits, seen: Mutex::new(seen) }
    }

    /// When the wait for the next frame ends.
    pub(super) fn deadline(&self) -> Instant {
        let seen = self.seen();
        seen.last + if seen.frames == 0 { self.limits.first_byte } else { self.limits.silence }
    }

    pub(super) fn frames(&self) -> u64 {
        self.seen().frames
    }

    pub(super) fn bytes(&self) -> u64 {
        self.seen().bytes
    }

    /// The word for why the provider withholds the whole answer, if it does.
    pub(super) fn withheld(&self) -> Option<String> {
        self.seen().withheld.clone()
    }

    /// Nothing came for too long.
    pub(super) fn timed_out(&self) -> Fault {
        if self.frames() == 0 {
            let text = format!("nothing came within {} s", self.limits.first_byte.as_secs_f64());
            Fault::new(CallErrorKind::Unreachable, text)
        } else {
            let text = format!("nothing more came for {} s in mid-answer", self.limits.silence.as_secs_f64());
            Fault::new(CallErrorKind::Silent, text)
        }
    }

    /// More came than any model says.
    pub(super) fn too_long(&self) -> Fault {
        let text = format!("the answer is longer than {} bytes", self.limits.stream_bytes);
        Fault::new(CallErrorKind::Cut, text)
    }

    /// The stream ended, and the answer had not.
    pub(super) fn broke_off(&self) -> Fault {
        if self.frames() == 0 {
            let text = "the connection was closed without an answer; is it a model's endpoint?";
            Fault::new(CallErrorKind::Unreachable, text)
        } else {
            Fault::new(CallErrorKind::Cut, "the answer broke off before its end")
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChatFrameSink for Progress {
    fn on_frame(&self, _: &FrameCtx, frame: RawFrameRef<'_>) {
        let mut seen = self.seen();
        seen.frames += u64::from(!frame.data.is_empty());
        seen.bytes += frame.data.len() as u64;
        seen.last = Instant::now();
        // `genai` makes an error without a reason of it.
        if frame.data.contains("\"blockReason\"") {
            let data: Option<Value> = serde_json::from_str(frame.data).ok();
            let reason = data.as_ref().and_then(|data| data.pointer("/promptFeedback/blockReason"));
            seen.withheld = reason.and_then(Value::as_str).map(str::to_owned);
        }
    }
}
