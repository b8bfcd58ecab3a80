//! `cargo xtask`: what the project does to itself. Nothing here is needed to build or install `pb`.
//!
//! One file a command in [`commands`]; the rest is what they share.

mod commands;
mod generated;
mod install;
mod output;
mod process;
mod rpc_tables;
mod states;
mod tree;
mod typescript;

use std::process::ExitCode;

use clap::Parser;

/// What the project does to itself
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(code) => code,
        Err(error) => {
            output::note(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
