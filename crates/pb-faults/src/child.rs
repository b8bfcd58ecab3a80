//! The processes that faults need beside `pb`: they are killed, so they cannot be threads.

use std::path::PathBuf;

use clap::Subcommand;

use crate::gateway_process;

/// Which process to be.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// A gateway
    Gateway {
        /// Its home.
        home: PathBuf,
    },
}

/// Is it, until it ends or is killed.
///
/// # Errors
/// It cannot do its work.
pub fn run(args: &Args) -> anyhow::Result<()> {
    match &args.role {
        Role::Gateway { home } => gateway_process::be(home),
    }
}
