//! Telling the one who watches over this process how it is: `sd_notify(3)`, as systemd and our own supervisor
//! understand it. Where nobody watches, nothing is told.

use std::future::Future;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::spawn_blocking;

/// The variable that names the socket on which somebody listens.
pub const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";
/// The variable that says how often they must hear from this process, in microseconds.
pub const WATCHDOG_USEC: &str = "WATCHDOG_USEC";

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It serves.
    Ready,
    /// It is about to end.
    Stopping,
    /// One line for people.
    Status(String),
    /// It is alive.
    Alive,
}

/// Whether what counts in a process still moves.
pub trait Heartbeat: Send + 'static {
    /// Returns when it does. One that hangs never does.
    fn beat(&mut self) -> impl Future<Output = ()> + Send;
}

/// Whether anybody listens.
pub fn is_watched() -> bool {
    crate::environment::path(NOTIFY_SOCKET).is_some()
}

/// Tells it. Who listens may be gone, or read slowly: it waits on a thread of its own, and what is not heard is
/// no reason to end.
pub async fn tell(told: Told) {
    if !is_watched() {
        return;
    }
    let tell = move || match &told {
        Told::Ready => sd_notify::notify(&[NotifyState::Ready]),
        Told::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
        Told::Status(line) => sd_notify::notify(&[NotifyState::Status(line)]),
        Told::Alive => sd_notify::notify(&[NotifyState::Watchdog]),
    };
    match spawn_blocking(tell).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "who watches over this process does not listen"),
        Err(error) => tracing::debug!(%error, "who watches over this process was not told"),
    }
}

/// How often whoever watches must hear from this process; `None` where they need not.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|every| is_watched() && !every.is_zero())
}

/// How often a process that starts says that it is still at it.
const STARTING_EVERY: Duration = Duration::from_secs(3);

/// Tells that this process is alive while it starts, which may take long: a large log may have to be brought forward.
pub async fn keep_telling_start() {
    if watchdog().is_none() {
        return;
    }
    let mut clock = tokio::time::interval(STARTING_EVERY);
    loop {
        clock.tick().await;
        tell(Told::Alive).await;
    }
}

/// Tells that this process is alive for as long as its heart beats, three times as often as it must. Returns
/// where nobody asked for it.
pub async fn keep_telling(mut heart: impl Heartbeat) {
    let Some(limit) = watchdog() else { return };
    let mut clock = tokio::time::interval(limit / 3);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        heart.beat().await;
        tell(Told::Alive).await;
    }
}
