//! Reading sessions.

use pb_model::SessionId;
use pb_model::goal::CostLine;
use pb_model::session::Session;

use crate::contract::Error;
use crate::log::LogReader;
use crate::places::SessionPlace;
use crate::sqlite::sessions;

/// Which sessions to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Also those that have ended.
    pub ended: bool,
    /// Only those that come after this place.
    pub after: Option<SessionPlace>,
    /// At most this many.
    pub limit: usize,
    /// After this many.
    pub offset: usize,
}

/// What a session has spent on models, by day and model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCost {
    /// The session.
    pub session: SessionId,
    /// What it has spent.
    pub lines: Vec<CostLine>,
}

impl LogReader {
    /// A page of sessions, the one that changed last first, and how many there are in all.
    pub async fn sessions(&self, filter: SessionFilter) -> Result<(Vec<Session>, u64), Error> {
        self.connection.call(move |connection| sessions::page(connection, filter)).await
    }

    /// Every session that has not ended, the one that was quiet longest first.
    pub async fn live_sessions(&self) -> Result<Vec<Session>, Error> {
        self.connection.call(|connection| sessions::live(connection)).await
    }

    /// A session.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, Error> {
        self.connection.call(move |connection| sessions::one(connection, &id.to_string())).await
    }

    /// What each session has spent on models; those that spent nothing are left out.
    pub async fn session_costs(&self) -> Result<Vec<SessionCost>, Error> {
        self.connection.call(|connection| sessions::costs(connection)).await
    }
}
