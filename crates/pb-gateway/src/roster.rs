//! Who is connected, for who asks: one row a session, gone with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pb_protocol::methods::debug_overview::SessionView;

use crate::methods::Caller;

/// The sessions, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Roster(Mutex<Rows>);

#[derive(Debug, Default)]
struct Rows {
    came: u64,
    sessions: BTreeMap<u64, Row>,
}

#[derive(Debug)]
struct Row {
    caller: Arc<Caller>,
    connected_at_ms: u64,
}

/// The row of one session; gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    number: u64,
    roster: Arc<Roster>,
}

impl Roster {
    /// A row for a session that begins.
    pub(crate) fn enter(self: &Arc<Self>, caller: Arc<Caller>, now_ms: u64) -> Entry {
        let mut rows = self.rows();
        rows.came += 1;
        let number = rows.came;
        rows.sessions.insert(number, Row { caller, connected_at_ms: now_ms });
        Entry { number, roster: Arc::clone(self) }
    }

    /// Those that have said who they are, at most so many.
    pub(crate) fn list(&self, limit: usize) -> Vec<SessionView> {
        let rows = self.rows();
        let admitted = rows.sessions.values().filter(|row| !row.caller.is_pending());
        let shown = admitted.take(limit).map(|row| SessionView {
            id: row.caller.session_id.clone(),
            public_key: row.caller.actor().to_owned(),
            permissions: row.caller.permissions().words().into_iter().map(str::to_owned).collect(),
            subscribed_goals: row.caller.named.list(),
            connected_at: row.connected_at_ms,
        });
        shown.collect()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// The session has proved to be another caller.
    pub(crate) fn is_now(&self, caller: Arc<Caller>) {
        if let Some(row) = self.roster.rows().sessions.get_mut(&self.number) {
            row.caller = caller;
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.roster.rows().sessions.remove(&self.number);
    }
}
