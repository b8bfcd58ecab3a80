//! The processes that faults need beside `pb`: they are killed, so they cannot be threads.

use std::path::PathBuf;

use crate::f04_delivery::writer;
use crate::f10_slow_clients::herd;
use crate::f11_toxics::linked;
use crate::{f15_migrations, gateway_process, writer as store_writer};
use clap::Subcommand;

/// Which process to be.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// A gateway, where no `pb` is under test.
    Gateway {
        /// Its home; that of `PB_HOME` if none is named.
        home: Option<PathBuf>,
    },
    /// A writer of the store, which says what was answered.
    Write(store_writer::Args),
    /// A writer of events in the scheduler's place.
    Writer(writer::Args),
    /// Clients that do not read.
    Herd(herd::Args),
    /// Opens a file of an earlier version.
    Open(f15_migrations::Args),
    /// A scheduler whose link goes through a toxic proxy.
    Linked(linked::Args),
}

/// Is it, until it ends or is killed.
///
/// # Errors
/// It cannot do its work.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match &args.role {
            Role::Write(args) => store_writer::run(args).await,
            Role::Gateway { home } => gateway_process::be(home.as_deref()).await,
            Role::Writer(args) => writer::run(args).await,
            Role::Herd(args) => herd::run(args).await,
            Role::Open(args) => f15_migrations::be(args).await,
            Role::Linked(args) => linked::run(args).await,
        }
    })
}
