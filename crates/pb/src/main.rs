//! `pb`: the one binary of PonyBunny. It is gateway, scheduler, keeper, step and every command of
//! the person, so that versions differ only across an upgrade.
//!
//! This crate parses, renders and wires; it never holds logic that another crate could hold. It is
//! the only one that uses `anyhow`, prints, or chooses an exit code.
//!
//! Start reading at [`commands`] (one file each), then [`daemon`] (how the two background processes
//! start and stop), [`follow`] (a goal, live) and [`report`] (how it ended).

mod cli;
mod commands;

mod daemon;
mod deadline;
mod follow;
mod report;

mod amount;
mod asked;
mod connection;
mod goal_source;
mod models_there;
mod wait;

mod exit;
mod failure;
mod format;
mod output;
mod progress;
mod table;

use std::process::ExitCode;

use clap::Parser;

use crate::exit::Exit;
use crate::failure::Failure;

fn main() -> ExitCode {
    // Each tool that a goal runs pays for what happens here twice, so these two come before anything else.
    match std::env::args_os().nth(1).as_deref().and_then(|word| word.to_str()) {
        Some(pb_exec::KEEPER_WORD) => return pb_exec::keeper_main(),
        Some(pb_exec::STEP_WORD) => return pb_exec::step_main(),
        _ => {}
    }
    match refuse_inside_a_step().and_then(|()| run()) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::failure(&failure);
            failure.exit.into()
        }
    }
}

fn run() -> Result<Exit, Failure> {
    match cli::Cli::try_parse() {
        Ok(cli) => cli.command.run(),
        Err(error) => Ok(cli::show(&error)),
    }
}

/// A tool must not command the runtime that runs it (`security.md` 2); the sandbox enforces it, this explains it.
fn refuse_inside_a_step() -> Result<(), Failure> {
    match pb_runtime::environment::text(pb_exec::STEP_VARIABLE) {
        None => Ok(()),
        Some(_) => Err(Failure::new(Exit::Refused, "pb does not run inside a work item").hint(format!(
            "a work item cannot command the runtime that runs it ({} is set)",
            pb_exec::STEP_VARIABLE
        ))),
    }
}
