//! Holding the socket: connect, say who we are, carry frames, come back after a silence.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use pb_protocol::ipc::{self, Connect, Disconnect, Frame, PING_INTERVAL_MS, SILENCE_MAX_MS};
use pb_protocol::line::LineDecoder;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;

use super::LinkTask;
use super::backoff::Backoff;

/// How long the gateway may leave unread what is written. Meanwhile nothing of it is read either.
const WRITE_MAX: Duration = Duration::from_millis(SILENCE_MAX_MS);
/// How often a new socket file is looked for while waiting.
const SOCKET_LOOK: Duration = Duration::from_millis(100);
/// Most frames written at once.
const WRITE_BATCH: usize = 256;

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
pub(crate) async fn run(mut task: LinkTask, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    let path = task.config.socket.clone();
    loop {
        let socket = file_id(&path);
        let end = match UnixStream::connect(&path).await {
            Ok(stream) if !is_ours(&stream) => End::Refused,
            Ok(stream) => {
                let end = carry(&mut task, stream, &stop).await;
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
            () = drain(&mut task) => {}
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

/// Frames for a gateway that is not there are let go: it will read the log and the trace, and of deltas
/// those that come.
async fn drain(task: &mut LinkTask) {
    let (frames, deltas, debug) = (&mut task.frames, &mut task.deltas, &mut task.debug);
    tokio::join!(
        async { while frames.recv().await.is_some() {} },
        async { while deltas.recv().await.is_some() {} },
        async { while debug.recv().await.is_some() {} }
    );
}

async fn carry(task: &mut LinkTask, stream: UnixStream, stop: &CancellationToken) -> End {
    let (read, mut write) = stream.into_split();
    let mut lines = FramedRead::new(read, LineDecoder::default());
    if let Some(end) = introduce(task, &mut lines, &mut write).await {
        return end;
    }
    tracing::info!("connected to the gateway");
    // Something may have come into the inbox while nobody could ring.
    task.bell.ring();
    let (mut waiting, mut said, mut told) = (Vec::new(), Vec::new(), Vec::new());
    let silence = tokio::time::sleep(Duration::from_millis(SILENCE_MAX_MS + PING_INTERVAL_MS));
    let mut silence = std::pin::pin!(silence);
    loop {
        tokio::select! {
            line = lines.next() => {
                let Some(Ok(line)) = line else { return End::Lost };
                silence.as_mut().reset(tokio::time::Instant::now() + Duration::from_millis(SILENCE_MAX_MS));
                match line.map(|line| ipc::parse(&line)) {
                    Ok(Ok(Some(frame))) => {
                        if let Some(end) = take(task, &mut write, frame).await {
                            return end;
                        }
                    }
                    Ok(Ok(None)) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "a line of the gateway was skipped"),
                    Err(error) => tracing::warn!(%error, "a line of the gateway was skipped"),
                }
            }
            count = task.frames.recv_many(&mut waiting, WRITE_BATCH) => {
                let frames = std::mem::take(&mut waiting);
                if count == 0 {
                    return goodbye(task, &mut write).await; // Nobody is left who could say anything.
                }
                if send(task, &mut write, frames).await.is_err() {
                    return End::Lost;
                }
            }
            count = task.deltas.recv_many(&mut said, WRITE_BATCH) => {
                let frames = said.drain(..).map(|delta| Frame::SchedulerDelta(Box::new(delta))).collect();
                if count == 0 {
                    return goodbye(task, &mut write).await;
                }
                if send(task, &mut write, frames).await.is_err() {
                    return End::Lost;
                }
                tell_dropped(task);
            }
            count = task.debug.recv_many(&mut told, WRITE_BATCH) => {
                let frames = told.drain(..).map(|event| Frame::DebugEvent(Box::new(event))).collect();
                if count == 0 || send(task, &mut write, frames).await.is_err() {
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

/// Says who we are; how the connection ends, if it does by that.
async fn introduce(
    task: &LinkTask,
    lines: &mut FramedRead<OwnedReadHalf, LineDecoder>,
    write: &mut OwnedWriteHalf,
) -> Option<End> {
    let connect = Frame::Connect(Connect {
        client_type: ipc::CLIENT_TYPE.to_owned(),
        version: pb_runtime::VERSION.to_owned(),
        pid: std::process::id(),
        caps: vec![ipc::LOG_CAPABILITY.to_owned()],
        log: Some(task.log.clone()),
    });
    if send(task, write, vec![connect]).await.is_ok() {
        return None;
    }
    // A gateway that does not want us may have said so and closed before we spoke.
    Some(match lines.next().await {
        Some(Ok(Ok(line))) => match ipc::parse(&line) {
            Ok(Some(frame)) => take(task, write, frame).await.unwrap_or(End::Lost),
            Ok(None) | Err(_) => End::Lost,
        },
        _ => End::Lost,
    })
}

/// Says that we close on purpose.
async fn goodbye(task: &LinkTask, write: &mut OwnedWriteHalf) -> End {
    let reason = Some("client_shutdown".to_owned());
    // A gateway that is gone need not be told.
    let _ = send(task, write, vec![Frame::Disconnect(Disconnect { reason })]).await;
    End::Stopping
}

/// Takes a frame of the gateway; how the connection ends, if it does.
async fn take(task: &LinkTask, write: &mut OwnedWriteHalf, frame: Frame) -> Option<End> {
    match frame {
        Frame::Ping => send(task, write, vec![Frame::Pong]).await.err().map(|_| End::Lost),
        Frame::SchedulerCommand(_) => {
            task.bell.ring();
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
        | Frame::SchedulerCommandResult(_) => None,
    }
}

fn tell_dropped(task: &LinkTask) {
    let dropped = task.dropped.swap(0, Ordering::Relaxed);
    if dropped > 0 {
        tracing::debug!(dropped, "deltas were dropped: they came faster than they can be sent");
    }
}

async fn send(task: &LinkTask, write: &mut OwnedWriteHalf, frames: Vec<Frame>) -> std::io::Result<()> {
    let now = task.config.clock.now_ms();
    let text: String = frames.iter().map(|frame| ipc::line(frame, now)).collect();
    tokio::time::timeout(WRITE_MAX, write.write_all(text.as_bytes())).await?
}

fn file_id(path: &Path) -> Option<(u64, i64, i64)> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    Some((meta.ino(), meta.ctime(), meta.ctime_nsec()))
}

#[cfg(test)]
mod tests;
