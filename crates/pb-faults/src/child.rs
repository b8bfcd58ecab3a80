//! The processes that faults need beside `pb`: they are killed, so they cannot be threads.

use clap::Subcommand;

use crate::writer;

/// Which process to be.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Write in the store and say what was answered
    Write(writer::Args),
}

/// Is it, until it ends or is killed.
///
/// # Errors
/// It cannot do its work.
pub fn run(args: &Args) -> anyhow::Result<()> {
    match &args.role {
        Role::Write(args) => writer::run(args),
    }
}
