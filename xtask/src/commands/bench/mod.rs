//! `cargo xtask bench`: how fast and how small, measured on this machine.

mod fanout;
mod goals;
mod link;
mod store;
mod turn;

mod client;
mod cpu;
mod daemons;
mod disk;
mod figures;
mod session;

use std::process::ExitCode;

use clap::Subcommand;

/// Measure how fast and how small `pb` is on this machine
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    Fanout(fanout::Args),
    Goals(goals::Args),
    Link(link::Args),
    Store(store::Args),
    Turn(turn::Args),
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.bench {
        Bench::Fanout(args) => fanout::run(&args),
        Bench::Goals(args) => goals::run(&args),
        Bench::Link(args) => link::run(&args),
        Bench::Store(args) => store::run(&args),
        Bench::Turn(args) => turn::run(&args),
    }
}
