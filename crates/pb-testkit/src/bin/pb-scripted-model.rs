//! The scripted model as a process of its own, for demonstrations and benchmarks.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use pb_testkit::model_server::{Arrival, ModelServer, Script};
use serde_json::{Value, json};

/// Serve a scripted model on loopback until it is killed
#[derive(Debug, Parser)]
#[command(name = "pb-scripted-model")]
struct Cli {
    /// What it says, in JSON
    script: PathBuf,
    /// The port; 0 is any free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// Write the port to this file once it serves
    #[arg(long, value_name = "PATH")]
    port_file: Option<PathBuf>,
    /// Write one line of JSON to this file for each request: when it came, in microseconds since the start
    #[arg(long, value_name = "PATH")]
    log: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let started = Instant::now();
    let server = ModelServer::start_on(cli.port, Script::read(&cli.script)?)?;
    let address = server.address();
    let log = cli.log.as_ref().map(File::create).transpose().context("cannot write the log")?;
    let arrivals = server.arrivals();
    if let Some(path) = &cli.port_file {
        // Renamed into its place, so that a reader finds all of it or nothing.
        let half = path.with_extension("half");
        fs::write(&half, format!("{}\n", address.port()))
            .and_then(|()| fs::rename(&half, path))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    writeln!(std::io::stdout(), "http://{address}").context("cannot say where it listens")?;
    for arrival in arrivals {
        if let Some(mut log) = log.as_ref() {
            writeln!(log, "{}", line(&arrival, started)).context("cannot write the log")?;
        }
    }
    Ok(())
}

fn line(arrival: &Arrival, started: Instant) -> Value {
    let Arrival { at, turn, conversation, body_bytes } = arrival;
    let at_us = u64::try_from(at.duration_since(started).as_micros()).unwrap_or(u64::MAX);
    json!({"at_us": at_us, "conversation": conversation, "turn": turn, "body_bytes": body_bytes})
}
