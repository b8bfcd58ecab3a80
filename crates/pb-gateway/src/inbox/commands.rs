//! A command: what makes it the same as another, and how it is handed over.

use std::sync::atomic::Ordering;
use std::time::Duration;

use pb_protocol::ipc::SchedulerCommand;
use pb_protocol::{ErrorCode, RpcError};
use pb_store::{InboxRow, NewCommand};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{end_if_broken, results};
use crate::hub::Hub;

/// Longest idempotency key, in bytes.
const KEY_BYTES_MAX: usize = 256;
/// Most commands that may wait for a scheduler.
const WAITING_MAX: u64 = 10_000;
/// How long a caller waits for a connected scheduler.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// What came of a command.
#[derive(Debug)]
pub(crate) enum Settled<T> {
    /// The scheduler executed it.
    Done(T),
    /// It waits in the inbox.
    Waiting(Box<InboxRow>),
}

/// The command's id: the same for the same actor, method and key; random without a key.
pub(crate) fn id(hub: &Hub, actor: &str, method: &str, key: Option<&str>) -> Result<String, RpcError> {
    let Some(key) = key else {
        return Ok(hub.ids.uuid().simple().to_string());
    };
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(RpcError::invalid_params(format!(
            "idempotencyKey: a key has 1 to {KEY_BYTES_MAX} bytes"
        )));
    }
    let mut hasher = blake3::Hasher::new();
    for part in [actor, method, key] {
        // Lengths first, so that no two lists of parts are the same bytes.
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Digest of what is asked: the same for the same values, however they were written.
pub(crate) fn digest<T: Serialize>(params: &T) -> Result<String, RpcError> {
    // Objects of `serde_json::Value` are sorted by key.
    let canonical = serde_json::to_value(params).map_err(RpcError::internal)?;
    Ok(blake3::hash(canonical.to_string().as_bytes()).to_hex().to_string())
}

/// Makes the command durable, rings, and waits a while for a scheduler that is there.
pub(crate) async fn hand_over<T: DeserializeOwned>(
    hub: &Hub,
    command: NewCommand,
    bell: SchedulerCommand,
) -> Result<Settled<T>, RpcError> {
    let (id, digest) = (command.id.clone(), command.params_digest.clone());
    // Registered before the first look, so that no result falls in between.
    let waiter = hub.link.waiters.wait_for(&id);
    if let Some(result) = results::stored(hub, &id, &digest).await? {
        return Ok(Settled::Done(result));
    }
    if hub.waiting_commands.load(Ordering::Relaxed) >= WAITING_MAX {
        let message = format!("{WAITING_MAX} commands wait for a scheduler already");
        return Err(
            RpcError::new(ErrorCode::RateLimited, message).hint("start the scheduler: pb scheduler start")
        );
    }
    let put = hub
        .inbox
        .put(command)
        .await
        .inspect_err(|error| end_if_broken(error))
        .map_err(|error| RpcError::internal(error).hint("nothing was accepted; see the gateway's log"))?;
    if put.row.command.params_digest != digest {
        return Err(other_params());
    }
    let kept = &put.row.command;
    let (command, goal) = (kept.logged_id(), kept.logged_goal());
    tracing::debug!(command, goal, repeated = put.repeated, "a command is kept for the scheduler");
    if !put.repeated {
        hub.waiting_commands.fetch_add(1, Ordering::Relaxed);
    }
    hub.link.ring(SchedulerCommand { goal_id: put.row.command.goal.clone(), ..bell });
    let patience = match hub.link.scheduler() {
        Some(_) => ANSWER_WAIT,
        None => Duration::ZERO,
    };
    Ok(match results::within(hub, &waiter, &digest, patience).await? {
        Some(result) => {
            // What came of it is told before it is answered. A log that cannot be read is told by others.
            let _ = hub.feed.look().await;
            Settled::Done(result)
        }
        None => Settled::Waiting(Box::new(put.row)),
    })
}

/// A key that was used for something else.
pub(crate) fn other_params() -> RpcError {
    RpcError::new(ErrorCode::InvalidParams, "the idempotency key was used with other parameters")
        .hint("give a new key for a new request")
}
