//! The other end of [`crate::control`]: reads a question, has the loop answer it.

use std::sync::Arc;
use std::time::Duration;

use pb_runtime::Tasks;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::Sender;
use tokio::sync::{Semaphore, oneshot};

use crate::control::LINE_BYTES_MAX;
use crate::run::Input;

/// Most that ask at once.
pub(crate) const ASKING_MAX: usize = 16;
/// How long somebody may take to ask.
const QUESTION_MAX: Duration = Duration::from_secs(5);
/// Pause after a connection that could not be taken: descriptors may be short.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Answers until cancelled.
pub(crate) async fn serve(
    listener: UnixListener,
    places: Arc<Semaphore>,
    tasks: Tasks,
    inputs: Sender<Input>,
) {
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((socket, _)) => {
                let inputs = inputs.clone();
                tasks.spawn("asked", async move {
                    if let Err(error) = answer(socket, inputs).await {
                        tracing::warn!(%error, "a question was not answered");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot be asked");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

async fn answer(socket: UnixStream, inputs: Sender<Input>) -> std::io::Result<()> {
    let (read, mut write) = socket.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(read.take(LINE_BYTES_MAX));
    tokio::time::timeout(QUESTION_MAX, reader.read_line(&mut line)).await??;
    let ask = serde_json::from_str(&line)?;
    let (sender, receiver) = oneshot::channel();
    if inputs.send(Input::Asked(ask, sender)).await.is_err() {
        return Ok(());
    }
    // Where the supervisor ends meanwhile there is no answer, which is one.
    let Ok(report) = receiver.await else { return Ok(()) };
    let mut line = serde_json::to_string(&report)?;
    line.push('\n');
    write.write_all(line.as_bytes()).await
}
