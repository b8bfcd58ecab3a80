//! The two background processes, from outside: are they there, start them, stop them.
//!
//! A process is known by the lock that it holds, never by a name or a port (`durability.md` §5).

mod background;
mod ensure;
mod foreground;
mod halt;
mod settings;
mod stop;

use std::path::PathBuf;

use pb_runtime::lock::LockError;
use pb_runtime::{Home, LockHolder};

pub(crate) use background::start;
pub(crate) use ensure::{ensure_both, started_line};
pub(crate) use foreground::{Ground, serve};
pub(crate) use halt::all as stop_all;
pub(crate) use settings::{arguments, check_settings};
pub(crate) use stop::{stop, stop_both};

use crate::exit::Exit;
use crate::failure::Failure;

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Daemon {
    /// The hub that clients talk to.
    Gateway,
    /// The one that executes goals.
    Scheduler,
}

impl Daemon {
    /// Its name, which is also the command that governs it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Scheduler => "scheduler",
        }
    }

    /// The lock that it holds for life.
    pub(crate) fn lock(self, home: &Home) -> PathBuf {
        match self {
            Self::Gateway => home.gateway_lock(),
            Self::Scheduler => home.scheduler_lock(),
        }
    }

    /// Where it prints what is in no log, when it runs in the background.
    pub(crate) fn printed(self, home: &Home) -> PathBuf {
        home.logs().join(format!("{}.out", self.name()))
    }

    /// Where it tells of its work when it runs in the background.
    pub(crate) fn log(self, home: &Home) -> PathBuf {
        home.logs().join(format!("{}.log", self.name()))
    }

    /// The running one, if one runs.
    pub(crate) fn holder(self, home: &Home) -> Option<LockHolder> {
        LockHolder::alive(&self.lock(home))
    }

    /// What a second one is told.
    pub(crate) fn already_running(self, holder: Option<&LockHolder>) -> Failure {
        let name = self.name();
        let pid = holder.map(|holder| format!(" (pid {})", holder.pid)).unwrap_or_default();
        Failure::new(Exit::Busy, format!("the {name} is already running{pid}"))
            .hint(format!("to start it anew: pb {name} restart"))
    }
}

/// Why a daemon does not start. That another one runs is said the same way wherever it is noticed.
pub(crate) fn not_started(daemon: Daemon, error: anyhow::Error) -> Failure {
    let held = error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(LockError::Held { holder }) => Some(holder.clone()),
        Some(LockError::Io { .. }) | None => None,
    });
    match held {
        Some(holder) => daemon.already_running(holder.as_ref()),
        None => error.into(),
    }
}
