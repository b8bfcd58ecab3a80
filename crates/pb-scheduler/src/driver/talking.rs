//! Performing what conversations want, beside what goals want.

use std::sync::Arc;

use pb_model::goal::{AfterFailure, Hindrance};
use pb_model::session::{Heard, SessionThought, SessionWant};
use pb_model::{Millis, SessionId};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{Driver, Input};
use crate::effects::AskedInTalk;
use crate::session::Talked;

impl Driver {
    /// Stops what no conversation wants any more.
    pub(super) fn stop_talking(&self, now: Millis) {
        for (key, token) in &self.talking {
            if !self.goals.sessions().wants(now).any(|wanted| wanted == *key) {
                token.cancel();
            }
        }
    }

    /// Starts what conversations want and nobody does.
    pub(super) fn talk(&mut self, now: Millis) {
        let wanted: Vec<(SessionId, SessionWant)> = self.goals.sessions().wants(now).collect();
        for key in wanted {
            if !self.talking.contains_key(&key) {
                self.converse(key);
            }
        }
    }

    fn converse(&mut self, key: (SessionId, SessionWant)) {
        let (id, want) = key;
        let Some(session) = self.goals.sessions().get(id).cloned() else { return };
        let goals = session.goals.iter().filter_map(|goal| self.goals.get(goal.id).cloned()).collect();
        let cancel = CancellationToken::new();
        self.talking.insert(key, cancel.clone());
        let machine = Arc::clone(&self.machine);
        let lost = self.lost(id, want);
        let (answer, answered) = oneshot::channel();
        self.tasks.spawn("answer", async move {
            let around = tracing::error_span!("conversation", session = %id);
            let talked =
                machine.converse(AskedInTalk { session, want, goals, cancel }).instrument(around).await;
            let _ = answer.send(talked); // The loop has ended; the log tells the next one.
        });
        let sender = self.sender.clone();
        self.tasks.spawn("answer's end", async move {
            // Stopped: what it was about has ended, so whatever is told is too late, and ends it here.
            let talked = answered.await.ok().flatten().unwrap_or(lost);
            let _ = sender.send(Input::Talked(Box::new(talked))).await; // As above.
        });
    }

    /// How it ended if the work died with a panic.
    fn lost(&self, session: SessionId, want: SessionWant) -> Talked {
        let epoch = self.context.epoch;
        let why = "it broke off; see the scheduler's log".to_owned();
        match want {
            SessionWant::Compose => Talked::Composed { session, epoch, next: Err(Hindrance::Host { why }) },
            SessionWant::Think(n) => {
                let heard =
                    Heard::Failed { error: why, then: AfterFailure::Again { after_ms: None }, charged: true };
                let thought = Box::new(SessionThought { model: String::new(), used: None, heard });
                Talked::Thought { session, epoch, n, thought }
            }
        }
    }
}
