//! Holding the socket: connect, say who we are, carry frames, come back after a silence.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pb_protocol::ipc::{self, Connect, Disconnect, Frame, PING_INTERVAL_MS, SILENCE_MAX_MS};
use pb_protocol::line::{BadLine, LineReader};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::{LinkTask, diff, levels};

/// How long the gateway may leave unread what is written. Meanwhile nothing of it is read either.
const WRITE_MAX: Duration = Duration::from_millis(SILENCE_MAX_MS);
/// How often a new socket file is looked for while waiting.
const SOCKET_LOOK: Duration = Duration::from_millis(100);

/// How a connection ended.
enum End {
    /// The gateway is gone, or never was there.
    Lost,
    /// The gateway does not want us.
    Refused,
    /// We are stopping.
    Stopping,
}

/// Keeps the link up until `stop`.
pub(crate) async fn run(task: LinkTask, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    let path = task.config.socket.clone();
    loop {
        let socket = file_id(&path);
        let end = match UnixStream::connect(&path).await {
            Ok(stream) if !is_ours(&stream) => End::Refused,
            Ok(stream) => {
                task.outbox.open();
                let end = carry(&task, stream, &stop).await;
                task.outbox.close();
                if matches!(end, End::Lost) {
                    tracing::info!("the gateway is gone; going on without it");
                    backoff.reset();
                }
                end
            }
            Err(_) => End::Lost,
        };
        if matches!(end, End::Stopping) || stop.is_cancelled() {
            return;
        }
        let delay = backoff.wait(task.config.ids.number());
        tokio::select! {
            is_new = wait(&path, socket, delay) => if is_new {
                // It may not listen yet: the file comes first.
                backoff.reset();
            },
            () = stop.cancelled() => return,
        }
    }
}

/// Whether our own user listens there. Anybody else is told nothing.
fn is_ours(stream: &UnixStream) -> bool {
    let ours = rustix::process::geteuid().as_raw();
    let is_ours = stream.peer_cred().is_ok_and(|peer| peer.uid() == ours);
    if !is_ours {
        tracing::error!("another user listens on the gateway's socket; nothing is said to them");
    }
    is_ours
}

/// Waits for `delay`, or until another socket file is there; whether there is one.
async fn wait(path: &Path, before: Option<(u64, i64, i64)>, delay: Duration) -> bool {
    let deadline = tokio::time::Instant::now() + delay;
    while tokio::time::Instant::now() < deadline {
        tokio::time::sleep(SOCKET_LOOK).await;
        let now = file_id(path);
        if now.is_some() && now != before {
            return true;
        }
    }
    false
}

async fn carry(task: &LinkTask, stream: UnixStream, stop: &CancellationToken) -> End {
    let (read, mut write) = stream.into_split();
    let mut lines = LineReader::new(read);
    if let Some(end) = introduce(task, &mut lines, &mut write).await {
        return end;
    }
    tracing::info!("connected to the gateway");
    // Something may have come into the inbox while nobody could ring.
    task.bell.ring();
    let mut waiting = Vec::new();
    // Answers that take a while; they end with the connection.
    let mut telling = JoinSet::new();
    let silence = tokio::time::sleep(Duration::from_millis(SILENCE_MAX_MS + PING_INTERVAL_MS));
    let mut silence = std::pin::pin!(silence);
    loop {
        tokio::select! {
            line = lines.next() => {
                let Ok(Some(line)) = line else { return End::Lost };
                silence.as_mut().reset(tokio::time::Instant::now() + Duration::from_millis(SILENCE_MAX_MS));
                if let Some(end) = hear(task, &mut write, line, &mut telling).await {
                    return end;
                }
            }
            () = task.outbox.next(&mut waiting) => {
                if write_all(&mut write, &waiting).await.is_err() {
                    return End::Lost;
                }
                waiting.clear();
                tell_dropped(task);
            }
            Some(Ok(told)) = telling.join_next() => {
                if send(task, &mut write, &told).await.is_err() {
                    return End::Lost;
                }
            }
            () = &mut silence => {
                tracing::warn!("the gateway has been silent for {} s", SILENCE_MAX_MS / 1000);
                return End::Lost;
            }
            () = stop.cancelled() => return goodbye(task, &mut write).await,
        }
    }
}

/// Takes a line of the gateway; how the connection ends, if it does.
async fn hear(
    task: &LinkTask,
    write: &mut OwnedWriteHalf,
    line: Result<&str, BadLine>,
    telling: &mut JoinSet<Frame>,
) -> Option<End> {
    match line.map(ipc::parse) {
        Ok(Ok(Some(frame))) => return take(task, write, frame, telling).await,
        Ok(Ok(None)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "a line of the gateway was skipped"),
        Err(error) => tracing::warn!(%error, "a line of the gateway was skipped"),
    }
    None
}

/// Says who we are; how the connection ends, if it does by that.
async fn introduce(
    task: &LinkTask,
    lines: &mut LineReader<OwnedReadHalf>,
    write: &mut OwnedWriteHalf,
) -> Option<End> {
    let connect = Frame::Connect(Connect {
        client_type: ipc::CLIENT_TYPE.to_owned(),
        version: pb_runtime::VERSION.to_owned(),
        pid: std::process::id(),
        caps: vec![ipc::LOG_CAPABILITY.to_owned()],
        log: Some(task.log.clone()),
    });
    if send(task, write, &connect).await.is_ok() {
        return None;
    }
    // A gateway that does not want us may have said so and closed before we spoke.
    Some(match lines.next().await {
        Ok(Some(line)) => hear(task, write, line, &mut JoinSet::new()).await.unwrap_or(End::Lost),
        Ok(None) | Err(_) => End::Lost,
    })
}

/// Says what is left, and that we close on purpose.
async fn goodbye(task: &LinkTask, write: &mut OwnedWriteHalf) -> End {
    let mut last = Vec::new();
    task.outbox.take(&mut last);
    let reason = Some("client_shutdown".to_owned());
    let goodbye = ipc::line(&Frame::Disconnect(Disconnect { reason }), task.config.clock.now_ms());
    last.extend_from_slice(goodbye.as_bytes());
    // A gateway that is gone need not be told.
    let _ = write_all(write, &last).await;
    End::Stopping
}

/// Takes a frame of the gateway; how the connection ends, if it does.
async fn take(
    task: &LinkTask,
    write: &mut OwnedWriteHalf,
    frame: Frame,
    telling: &mut JoinSet<Frame>,
) -> Option<End> {
    match frame {
        Frame::Ping => send(task, write, &Frame::Pong).await.err().map(|_| End::Lost),
        Frame::SchedulerCommand(_) => {
            task.bell.ring();
            None
        }
        Frame::LogLevels(asked) => {
            let told = Frame::LogLevelsTold(Box::new(levels::answer(asked)));
            send(task, write, &told).await.err().map(|_| End::Lost)
        }
        Frame::GoalDiff(asked) if telling.len() >= diff::AT_ONCE_MAX => {
            send(task, write, &diff::busy(asked)).await.err().map(|_| End::Lost)
        }
        Frame::GoalDiff(asked) => {
            telling.spawn(diff::answer(task.config.clone(), asked));
            None
        }
        Frame::Refused(refused) => {
            tracing::error!(error = refused.error, "the gateway refuses this scheduler");
            Some(End::Refused)
        }
        Frame::Connect(_)
        | Frame::Disconnect(_)
        | Frame::Pong
        | Frame::SchedulerEvent(_)
        | Frame::SchedulerDelta(_)
        | Frame::DebugEvent(_)
        | Frame::SchedulerCommandResult(_)
        | Frame::LogLevelsTold(_)
        | Frame::GoalDiffTold(_) => None,
    }
}

fn tell_dropped(task: &LinkTask) {
    let dropped = task.dropped.swap(0, Ordering::Relaxed);
    if dropped > 0 {
        tracing::debug!(dropped, "deltas were dropped: they came faster than they can be sent");
    }
}

async fn send(task: &LinkTask, write: &mut OwnedWriteHalf, frame: &Frame) -> std::io::Result<()> {
    write_all(write, ipc::line(frame, task.config.clock.now_ms()).as_bytes()).await
}

async fn write_all(write: &mut OwnedWriteHalf, bytes: &[u8]) -> std::io::Result<()> {
    tokio::time::timeout(WRITE_MAX, write.write_all(bytes)).await?
}

fn file_id(path: &Path) -> Option<(u64, i64, i64)> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    Some((meta.ino(), meta.ctime(), meta.ctime_nsec()))
}

#[cfg(test)]
mod tests;
