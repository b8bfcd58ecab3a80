//! What a supervisor runs watches over the supervisor too: when that is killed, it starts another one, which goes
//! on with everything that runs. Both may try; one of the two gets the lock.

use std::process::Child;
use std::time::Duration;

use pb_runtime::{Home, LockHolder, halt};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::supervise::launch_again;

/// Pause after a supervisor that could not be started, the first; it doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Whether a supervisor started this process that is to be started again.
pub(super) fn is_asked_for() -> bool {
    pb_runtime::environment::text(pb_supervisor::SUPERVISED).is_some()
}

/// Watches until this process is asked to stop.
pub(super) async fn watch(home: Home, stop: CancellationToken) {
    let mut pause = PAUSE_FIRST;
    let mut started: Vec<Child> = Vec::new();
    loop {
        // Those of ours that have ended are let go of.
        started.retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_)) | Err(_)));
        let supervisor = LockHolder::alive(&home.supervisor_lock()).and_then(|holder| holder.process());
        if let Some(supervisor) = supervisor {
            pause = PAUSE_FIRST;
            if let Err(error) = supervisor.ended().await {
                tracing::error!(%error, "the supervisor is not watched");
                return;
            }
        }
        if stop.is_cancelled() || halt::is_set(&home) {
            return;
        }
        tracing::warn!("the supervisor is gone; starting another one");
        let home_too = home.clone();
        match spawn_blocking(move || launch_again(&home_too)).await {
            Ok(Ok(child)) => started.extend(child),
            Ok(Err(failure)) => {
                tracing::warn!(%failure, "no supervisor was started");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            Err(error) => tracing::warn!(%error, "no supervisor was started"),
        }
    }
}
