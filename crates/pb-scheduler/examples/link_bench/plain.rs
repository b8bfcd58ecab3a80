//! The reference: lines of JSON over a Unix socket as anybody would write them, one way, parsed at the far end.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use anyhow::ensure;
use pb_runtime::Clock;
use serde_json::{Value, json};

use crate::{End, cpu_time};

/// Sends so many lines of about so many bytes.
pub(crate) fn send(socket: &Path, count: u64, bytes: usize) -> anyhow::Result<End> {
    let mut stream = BufWriter::new(UnixStream::connect(socket)?);
    let message = |n: u64, filling: &str| json!({"type": "scheduler_event", "data": {"n": n, "f": filling}});
    let filling = "x".repeat(bytes.saturating_sub(message(count, "").to_string().len() + 1));
    let began = (Clock::System.now_ms(), cpu_time());
    for n in 0..count {
        serde_json::to_writer(&mut stream, &message(n, &filling))?;
        stream.write_all(b"\n")?;
    }
    stream.flush()?;
    Ok(End::since(began, count))
}

/// Receives them on a socket of its own, and says when it listens.
pub(crate) fn receive(socket: &Path, count: u64) -> anyhow::Result<End> {
    let listener = UnixListener::bind(socket)?;
    writeln!(std::io::stdout(), "listening")?;
    let mut lines = BufReader::new(listener.accept()?.0);
    let (began, mut line) = ((Clock::System.now_ms(), cpu_time()), String::new());
    let mut came = 0;
    while lines.read_line(&mut line)? > 0 {
        let message: Value = serde_json::from_str(&line)?;
        ensure!(message["data"]["n"] == came, "message {came} is missing");
        came += 1;
        line.clear();
    }
    ensure!(came == count, "{came} of {count} messages came");
    Ok(End::since(began, came))
}
