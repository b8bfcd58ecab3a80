//! The link to the scheduler (`durability.md` §3): events up, a bell down. Nothing on it is counted
//! on, and nothing on it is believed: an event that is pushed says that the log has one more, and
//! what is lost here is read from the files within a second. Deltas alone are shown as they come.
//!
//! ```text
//!   accepted -- who is it? --+-- refused, told why
//!                            +-- connect with its log --+-- refused, told why
//!                                                       +-- the scheduler, until it goes, is silent
//!                                                           for a minute, or a new one comes
//! ```

mod admission;
mod listen;
mod peer;

use pb_protocol::ipc::SchedulerCommand;
use tokio::sync::watch;

use crate::inbox::results::Waiters;

pub(crate) use listen::listen;

/// The scheduler that is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scheduler {
    /// Tells one connection from the next.
    number: u64,
    /// Its process id.
    pub(crate) pid: u32,
    /// Its version.
    pub(crate) version: String,
}

/// The state of the link.
#[derive(Debug, Default)]
pub(crate) struct Link {
    scheduler: watch::Sender<Option<Scheduler>>,
    /// The last command: the newest wins, for it makes the scheduler look at all.
    bell: watch::Sender<Option<SchedulerCommand>>,
    /// Callers that wait for results.
    pub(crate) waiters: Waiters,
}

impl Link {
    /// The scheduler, if one is connected.
    pub(crate) fn scheduler(&self) -> Option<Scheduler> {
        self.scheduler.borrow().clone()
    }

    /// Tells the scheduler to look into the inbox.
    pub(crate) fn ring(&self, command: SchedulerCommand) {
        self.bell.send_replace(Some(command));
    }

    /// A new connection takes the place of the one before.
    fn arrived(&self, scheduler: Scheduler) {
        self.scheduler.send_replace(Some(scheduler));
    }

    /// This connection ended; a later one stays.
    fn left(&self, number: u64) {
        self.scheduler.send_if_modified(|scheduler| {
            let is_this = scheduler.as_ref().is_some_and(|one| one.number == number);
            if is_this {
                *scheduler = None;
            }
            is_this
        });
    }
}
