//! The link to the scheduler (`durability.md` §3): events up, a bell down. Nothing on it is counted
//! on, and nothing on it is believed: an event that is pushed says that the log has one more, and
//! what is lost here is read from the files within a second. Deltas alone are shown as they come, and
//! the events of schedulers that keep no log, where the settings allow these.
//!
//! ```text
//!   accepted -- who is it? --+-- refused, told why
//!                            +-- connect with its log ----+-- refused, told why
//!                            |                            +-- the scheduler, until it goes, is silent
//!                            |                                for a minute, or a new one comes
//!                            +-- connect without a log ---+-- refused, unless `[link] legacy_peers`
//!                                                         +-- shown live, and never asked for anything
//! ```

mod admission;
mod legacy;
mod listen;
mod peer;
mod questions;

use std::collections::BTreeMap;

use pb_protocol::ipc::{GoalDiff, GoalDiffTold, LogLevels, LogLevelsTold, SchedulerCommand};
use tokio::sync::watch;

use crate::inbox::results::Waiters;

pub(crate) use listen::listen;
use questions::Questions;

/// A scheduler that is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scheduler {
    /// Its process id.
    pub(crate) pid: u32,
    /// Its version.
    pub(crate) version: String,
    /// Whether it writes the log that we read. One that does not is of the first implementation: it
    /// keeps its goals to itself, and knows nothing of the inbox.
    pub(crate) keeps_log: bool,
}

/// The schedulers that are connected, by the number of their connection.
type Connected = BTreeMap<u64, Scheduler>;

/// The state of the link.
#[derive(Debug, Default)]
pub(crate) struct Link {
    connected: watch::Sender<Connected>,
    /// The last command: the newest wins, for it makes a scheduler look at all.
    bell: watch::Sender<Option<SchedulerCommand>>,
    /// What is asked about the scheduler's log.
    pub(crate) levels: Questions<LogLevels, LogLevelsTold>,
    /// What is asked about the folders of goals.
    pub(crate) diffs: Questions<GoalDiff, GoalDiffTold>,
    /// Callers that wait for results.
    pub(crate) waiters: Waiters,
}

impl Link {
    /// A scheduler that executes what is in the inbox, if one is connected.
    pub(crate) fn scheduler(&self) -> Option<Scheduler> {
        self.connected.borrow().values().find(|scheduler| scheduler.keeps_log).cloned()
    }

    /// How many schedulers without a log are connected.
    pub(crate) fn legacy_peers(&self) -> u64 {
        self.connected.borrow().values().filter(|scheduler| !scheduler.keeps_log).count() as u64
    }

    /// Tells whoever executes commands to look into the inbox.
    pub(crate) fn ring(&self, command: SchedulerCommand) {
        self.bell.send_replace(Some(command));
    }

    /// A connection was admitted. The lock of a log on SQLite has one holder, so what was connected for
    /// it before is over: the same process came back, or the one before it ended.
    fn arrived(&self, number: u64, scheduler: Scheduler) {
        self.connected.send_modify(|connected| {
            if scheduler.keeps_log {
                connected.retain(|_, other| !other.keeps_log);
            }
            connected.insert(number, scheduler);
        });
    }

    /// A connection ended; others stay.
    fn left(&self, number: u64) {
        self.connected.send_if_modified(|connected| connected.remove(&number).is_some());
    }
}
