//! Gateways that are silent, deaf, old or late. The clock is the test's, so a minute is no time.

use std::path::PathBuf;
use std::time::Duration;

use pb_protocol::ipc::{self, Frame};
use pb_protocol::line::LineReader;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::super::outbox::Queue;
use super::super::tests::at;
use super::super::{Link, LinkTask};
use super::run;
use crate::turn::Executed;

/// Longest that anything here may take, on the test's clock.
const LIMIT: Duration = Duration::from_mins(10);

/// A scheduler's link that runs in this task beside `gateway`, to its end.
async fn beside<T>(task: LinkTask, gateway: impl Future<Output = T>) -> T {
    let stop = CancellationToken::new();
    let gateway = async {
        let told = timeout(LIMIT, gateway).await.unwrap();
        stop.cancel();
        told
    };
    let ((), told) = tokio::join!(run(task, stop.clone()), gateway);
    told
}

fn folder() -> (TempDir, PathBuf, Link, LinkTask) {
    let folder = tempfile::Builder::new().prefix("pb").tempdir_in("/tmp").unwrap();
    let (link, task) = at(folder.path());
    let socket = task.config.socket.clone();
    (folder, socket, link, task)
}

async fn accept(listener: &UnixListener) -> UnixStream {
    listener.accept().await.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn a_silent_gateway_is_given_up_and_sought_again() {
    let (_folder, socket, _link, task) = folder();
    let listener = UnixListener::bind(socket).unwrap();
    let (silent_for, away_for) = beside(task, async {
        let mut stream = accept(&listener).await;
        let connected = Instant::now();
        stream.read_to_string(&mut String::new()).await.unwrap();
        let given_up = Instant::now();
        accept(&listener).await;
        (given_up.duration_since(connected), given_up.elapsed())
    })
    .await;
    // Its first ping may take half a minute.
    assert!((60..=91).contains(&silent_for.as_secs()), "{silent_for:?}");
    assert!(away_for <= Duration::from_millis(1_100), "{away_for:?}");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_only_pings_is_kept_and_answered() {
    let (_folder, socket, _link, task) = folder();
    let listener = UnixListener::bind(socket).unwrap();
    beside(task, async {
        let (read, mut write) = accept(&listener).await.into_split();
        let mut lines = LineReader::new(read);
        let hello = lines.next().await.unwrap().unwrap().unwrap();
        assert!(hello.starts_with(r#"{"type":"connect","timestamp":"#), "{hello}");
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(30)).await;
            // Frames of later versions, and lines that are none, change nothing.
            for line in ["{\"type\":\"ping\",\"timestamp\":1}\n", "{\"type\":\"later\"}\n", "?\n"] {
                write.write_all(line.as_bytes()).await.unwrap();
            }
            let answer = lines.next().await.unwrap().unwrap().unwrap();
            assert!(matches!(ipc::parse(answer), Ok(Some(Frame::Pong))), "{answer}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_reads_nothing_is_given_up_and_costs_nothing_meanwhile() {
    let (_folder, socket, link, task) = folder();
    let listener = UnixListener::bind(socket).unwrap();
    let took = beside(task, async {
        let _deaf = accept(&listener).await;
        let began = Instant::now();
        // Far more than the socket and the outbox hold; what does not fit is skipped, and nobody waits.
        for n in 0..10_000 {
            link.executed(Executed { id: n.to_string(), error: Some("x".repeat(1_000)) });
            tokio::task::yield_now().await;
        }
        assert!(!link.outbox.push(Queue::Facts, |_| ()));
        accept(&listener).await;
        began.elapsed()
    })
    .await;
    assert!((60..=92).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_new_socket_file_is_noticed_at_once_however_long_there_was_none() {
    let (_folder, socket, _link, task) = folder();
    beside(task, async {
        for away in [100, 5] {
            tokio::time::sleep(Duration::from_secs(away)).await;
            let listener = UnixListener::bind(&socket).unwrap();
            let began = Instant::now();
            let stream = accept(&listener).await;
            assert!(began.elapsed() <= Duration::from_millis(200), "{:?}", began.elapsed());
            std::fs::remove_file(&socket).unwrap();
            drop((listener, stream));
        }
    })
    .await;
}
