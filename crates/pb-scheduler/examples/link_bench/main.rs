//! Sends over the link as fast as it takes, or over a plain socket for comparison, and prints one document of
//! JSON. `cargo xtask bench link` builds it, runs it and tells what it came to.

mod plain;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use pb_runtime::{Clock, Home};
use pb_scheduler::bench::{Message, Sender};
use serde::Serialize;

/// What one end measured.
#[derive(Debug, Serialize)]
pub(crate) struct End {
    /// When the first message was sent, in milliseconds since 1970.
    began_ms: u64,
    /// When the last one was, or had come.
    ended_ms: u64,
    /// Time of processors between the two, in microseconds.
    cpu_us: u64,
    /// How many messages.
    messages: u64,
}

impl End {
    /// What was measured from `(when, cpu)` on.
    pub(crate) fn since((began_ms, cpu): (u64, Duration), messages: u64) -> Self {
        let cpu_us = micros(cpu_time().saturating_sub(cpu));
        Self { began_ms, ended_ms: Clock::System.now_ms(), cpu_us, messages }
    }
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let end = match arguments.as_slice() {
        ["event", home, count, bytes] => ours(Message::Event, home, (count.parse()?, bytes.parse()?))?,
        ["piece", home, count, bytes] => ours(Message::Piece, home, (count.parse()?, bytes.parse()?))?,
        ["plain-send", socket, count, bytes] => {
            plain::send(Path::new(socket), count.parse()?, bytes.parse()?)?
        }
        ["plain-receive", socket, count] => plain::receive(Path::new(socket), count.parse()?)?,
        _ => anyhow::bail!(
            "usage: link-bench event|piece HOME COUNT BYTES | plain-send SOCKET COUNT BYTES | plain-receive SOCKET COUNT"
        ),
    };
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&end)?)?;
    Ok(())
}

fn ours(message: Message, home: &str, (count, bytes): (u64, usize)) -> anyhow::Result<End> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let sender = Sender::start(Home::at(Path::new(home))?).await?;
        let mut began = (Clock::System.now_ms(), cpu_time());
        sender.send(message, (count, bytes), || began = (Clock::System.now_ms(), cpu_time())).await;
        Ok(End::since(began, count))
    })
}

/// What processors spent on this process.
pub(crate) fn cpu_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or_default())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
