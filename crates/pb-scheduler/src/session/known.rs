//! The conversations that have not ended, in memory.

use std::collections::BTreeMap;

use pb_model::session::{SESSIONS_MAX, Session, SessionStatus, SessionWant};
use pb_model::{Millis, SessionId};

/// The conversations.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    known: BTreeMap<SessionId, Session>,
}

impl Sessions {
    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        self.known.get(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.known.values()
    }

    /// Keeps a session as it stands now; one that has ended is forgotten.
    pub(crate) fn put(&mut self, session: Session) {
        if session.status == SessionStatus::Ended {
            self.known.remove(&session.id);
        } else {
            self.known.insert(session.id, session);
        }
    }

    /// What is wanted now, and by which.
    pub(crate) fn wants(&self, now: Millis) -> impl Iterator<Item = (SessionId, SessionWant)> {
        self.known.values().filter_map(move |session| Some((session.id, session.want(now)?)))
    }

    /// When one of them next wants something by itself.
    pub(crate) fn next_wake(&self) -> Option<Millis> {
        self.known.values().filter_map(Session::next_wake).min()
    }

    /// The one that is to end if another is to begin: of those that are full, the one that was quiet longest.
    pub(crate) fn makes_room(&self) -> Option<SessionId> {
        if self.known.len() < SESSIONS_MAX {
            return None;
        }
        let busy =
            |session: &Session| session.status != SessionStatus::Idle || session.active_goal().is_some();
        let quietest = self.known.values().min_by_key(|session| (busy(session), session.updated_at_ms));
        quietest.map(|session| session.id)
    }
}
