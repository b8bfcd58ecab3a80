//! The reference: plain lines of JSON over a Unix socket, by two processes of the same example.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use pb_runtime::Home;

use super::{End, LINE_BYTES, Round};
use crate::process;

/// One round.
pub(super) fn round(example: &Path, home: &Home, messages: u64) -> anyhow::Result<Round> {
    let socket = home.run().join("plain.sock");
    let mut receive = process::command(example);
    receive.arg("plain-receive").arg(&socket).arg(messages.to_string()).stdout(Stdio::piped());
    let mut child = receive.spawn().context("cannot run the receiver")?;
    let mut told = BufReader::new(child.stdout.take().context("the receiver has no output")?);
    told.read_line(&mut String::new())?; // It listens.
    let mut sender = process::command(example);
    sender.arg("plain-send").arg(&socket).args([messages.to_string(), LINE_BYTES.to_string()]);
    let told_by_sender = process::printed(&mut sender);
    let mut came = String::new();
    told.read_to_string(&mut came)?;
    let status = child.wait()?;
    std::fs::remove_file(&socket)?;
    ensure!(status.success(), "the receiver failed ({status})");
    let (began, ended): (End, End) = (serde_json::from_str(&told_by_sender?)?, serde_json::from_str(&came)?);
    Ok(Round {
        messages,
        took: Duration::from_millis(ended.ended_ms.saturating_sub(began.began_ms)),
        sender: Duration::from_micros(began.cpu_us),
        receiver: Duration::from_micros(ended.cpu_us),
        lost: messages.saturating_sub(ended.messages),
    })
}
