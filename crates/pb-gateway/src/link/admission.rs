//! Who may be the scheduler: our own user's process that `scheduler.lock` names, with the log that
//! we read.

use std::path::{Path, PathBuf};

use pb_protocol::ipc::{CLIENT_TYPE, Connect, LogAddress};
use pb_runtime::LockHolder;
use pb_store::contract::SCHEMA_VERSION;
use tokio::net::UnixStream;

use crate::hub::Hub;

/// Why a connection does not become the scheduler's.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("who is at the other end could not be found out")]
    Unknown,
    #[error("the link is for the user {ours}, not for {theirs}")]
    OtherUser { ours: u32, theirs: u32 },
    #[error("the link is for the scheduler; {} names the process {holder}, this is {peer}", .lock.display())]
    NotTheHolder { lock: PathBuf, holder: u32, peer: i32 },
    #[error("the link is for the scheduler; nobody alive holds {}", .lock.display())]
    NoHolder { lock: PathBuf },
    #[error("the first line must be `connect`, within 5 s")]
    NoConnect,
    #[error("`{0}` is not `{CLIENT_TYPE}`")]
    OtherClient(String),
    #[error("a scheduler without a log is of an old version, which this gateway does not take")]
    NoLog,
    #[error(
        "the scheduler's log has schema {theirs}, this gateway knows {SCHEMA_VERSION}; run both from one version"
    )]
    OtherSchema { theirs: u32 },
    #[error("the scheduler's log is {}, this gateway reads {}", .theirs.display(), .ours.display())]
    OtherPath { theirs: PathBuf, ours: PathBuf },
    #[error(
        "the scheduler's log is {theirs} (generation {theirs_generation}), this gateway finds {ours} in {}",
        .path.display()
    )]
    OtherLog { theirs: String, theirs_generation: u64, ours: String, path: PathBuf },
    #[error("this gateway cannot read {}: {source}", .path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: pb_store::Error,
    },
}

/// Checks who is there, as the kernel says, and gives its process id.
pub(super) fn who(hub: &Hub, stream: &UnixStream) -> Result<u32, Refusal> {
    let peer = stream.peer_cred().map_err(|_| Refusal::Unknown)?;
    let ours = rustix::process::geteuid().as_raw();
    if peer.uid() != ours {
        return Err(Refusal::OtherUser { ours, theirs: peer.uid() });
    }
    let pid = peer.pid().ok_or(Refusal::Unknown)?;
    let lock = hub.home.scheduler_lock();
    match LockHolder::alive(&lock) {
        None => Err(Refusal::NoHolder { lock }),
        Some(holder) if i32::try_from(holder.pid) == Ok(pid) => Ok(holder.pid),
        Some(holder) => Err(Refusal::NotTheHolder { lock, holder: holder.pid, peer: pid }),
    }
}

/// Checks that its log is the one that we read.
pub(super) async fn log(hub: &Hub, connect: Connect) -> Result<(), Refusal> {
    if connect.client_type != CLIENT_TYPE {
        return Err(Refusal::OtherClient(connect.client_type));
    }
    let log = connect.log.ok_or(Refusal::NoLog)?;
    if log.schema != SCHEMA_VERSION {
        return Err(Refusal::OtherSchema { theirs: log.schema });
    }
    let (theirs, ours) = (canonical(Path::new(&log.path)).await, canonical(&hub.state_db).await);
    if theirs != ours {
        return Err(Refusal::OtherPath { theirs, ours });
    }
    look(hub).await?;
    if !is_open(hub, &log) {
        // The file may have been replaced under the reader.
        hub.feed.reopen().await;
        look(hub).await?;
    }
    if is_open(hub, &log) {
        return Ok(());
    }
    Err(Refusal::OtherLog {
        theirs: log.id,
        theirs_generation: log.generation,
        ours: hub
            .feed
            .identity()
            .map_or_else(|| "none".to_owned(), |log| format!("{} (generation {})", log.id, log.generation)),
        path: ours,
    })
}

fn is_open(hub: &Hub, log: &LogAddress) -> bool {
    hub.feed.identity().is_some_and(|open| open.id == log.id && open.generation == log.generation)
}

async fn look(hub: &Hub) -> Result<(), Refusal> {
    hub.feed
        .look()
        .await
        .map(|_| ())
        .map_err(|source| Refusal::Unreadable { path: hub.state_db.clone(), source })
}

/// The path without links; as it stands if there is no such file.
async fn canonical(path: &Path) -> PathBuf {
    tokio::fs::canonicalize(path).await.unwrap_or_else(|_| path.to_owned())
}
