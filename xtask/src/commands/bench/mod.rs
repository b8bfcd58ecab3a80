//! `cargo xtask bench`: how fast and how small, measured on this machine.

mod clients;
mod console;
mod fanout;
mod goals;
mod link;
mod service;
mod store;
mod trace;
mod turn;

mod client;
mod cpu;
mod daemons;
mod disk;
mod figures;
mod session;

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

use crate::process;

/// What is measured when nothing is named: what crosses a process or reaches the disk, and must not be lost.
const DEFAULT: [&str; 3] = ["link", "fanout", "store"];

/// Measure how fast and how small `pb` is on this machine
///
/// Without a name: `link`, `fanout` and `store`, one after the other, in about 15 minutes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    bench: Option<Bench>,
}

#[derive(Debug, Subcommand)]
enum Bench {
    Clients(clients::Args),
    Console(console::Args),
    Fanout(fanout::Args),
    Goals(goals::Args),
    Link(link::Args),
    Service(service::Args),
    Store(store::Args),
    Trace(trace::Args),
    Turn(turn::Args),
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Some(bench) = args.bench else {
        let this = std::env::current_exe().context("cannot find this program")?;
        for name in DEFAULT {
            process::run(process::command(&this).args(["bench", name]))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    match bench {
        Bench::Clients(args) => clients::run(&args),
        Bench::Console(args) => console::run(&args),
        Bench::Fanout(args) => fanout::run(&args),
        Bench::Goals(args) => goals::run(&args),
        Bench::Link(args) => link::run(&args),
        Bench::Service(args) => service::run(&args),
        Bench::Store(args) => store::run(&args),
        Bench::Trace(args) => trace::run(&args),
        Bench::Turn(args) => turn::run(&args),
    }
}
