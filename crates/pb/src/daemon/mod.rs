//! The background processes, from outside: are they there, start them, stop them.
//!
//! A process is known by the lock that it holds, never by a name or a port (`durability.md` §5). The supervisor
//! keeps both running; each of them runs without it too.

mod background;
mod ensure;
mod foreground;
mod halt;
mod revive;
mod settings;
mod stop;
mod supervise;
mod supervised;

use pb_runtime::LockHolder;
use pb_runtime::lock::LockError;

pub(crate) use background::start;
pub(crate) use ensure::{ensure_both, start_both, started_line};
pub(crate) use foreground::{Ground, Serving, serve};
pub(crate) use halt::all as stop_all;
pub(crate) use pb_supervisor::Daemon;
pub(crate) use settings::check_settings;
pub(crate) use stop::{stop, stop_both};
pub(crate) use supervise::{NAME as SUPERVISOR, Supervising, supervise};
pub(crate) use supervised::{report, restart_both, restart_one, start_one, stop_one};

use crate::exit::Exit;
use crate::failure::Failure;

/// What a second one is told.
pub(crate) fn already_running(daemon: Daemon, holder: Option<&LockHolder>) -> Failure {
    let name = daemon.name();
    let pid = holder.map(|holder| format!(" (pid {})", holder.pid)).unwrap_or_default();
    Failure::new(Exit::Busy, format!("the {name} is already running{pid}"))
        .hint(format!("to start it anew: pb {name} restart"))
}

/// Why a daemon does not start. That another one runs is said the same way wherever it is noticed.
pub(crate) fn not_started(daemon: Daemon, error: anyhow::Error) -> Failure {
    let held = error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(LockError::Held { holder }) => Some(holder.clone()),
        Some(LockError::Io { .. }) | None => None,
    });
    match held {
        Some(holder) => already_running(daemon, holder.as_ref()),
        None => error.into(),
    }
}
