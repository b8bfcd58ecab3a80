//! The scripted model as a process of its own, for demonstrations and benchmarks.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use pb_testkit::model_server::{ModelServer, Script};

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
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let server = ModelServer::start_on(cli.port, Script::read(&cli.script)?)?;
    let address = server.address();
    if let Some(path) = &cli.port_file {
        // Renamed into its place, so that a reader finds all of it or nothing.
        let half = path.with_extension("half");
        fs::write(&half, format!("{}\n", address.port()))
            .and_then(|()| fs::rename(&half, path))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    writeln!(std::io::stdout(), "http://{address}").context("cannot say where it listens")?;
    loop {
        std::thread::park();
    }
}
