//! The processes that faults need beside `pb`: they are killed, so they cannot be threads.

use clap::Subcommand;
use pb_gateway::Gateway;
use pb_runtime::{Clock, Home, Ids};
use tokio_util::sync::CancellationToken;

use crate::f04_delivery::writer;
use crate::f10_slow_clients::herd;
use crate::f11_toxics::linked;

/// Which process to be.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// The gateway of `PB_HOME`, where no `pb` is under test.
    Gateway,
    /// A writer of events in the scheduler's place.
    Writer(writer::Args),
    /// Clients that do not read.
    Herd(herd::Args),
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
            Role::Gateway => gateway().await,
            Role::Writer(args) => writer::run(args).await,
            Role::Herd(args) => herd::run(args).await,
            Role::Linked(args) => linked::run(args).await,
        }
    })
}

/// The same gateway as in `pb gateway start --foreground`, on a free port.
async fn gateway() -> anyhow::Result<()> {
    let home = Home::from_environment()?;
    home.prepare()?;
    let clock = Clock::System;
    let config = pb_gateway::Config {
        host: "127.0.0.1".to_owned(),
        port: 0,
        socket: home.gateway_socket(),
        state_db: home.state_db(),
        tools_are_confined: true,
        ids: Ids::random(clock.clone()),
        clock,
        home,
    };
    Gateway::start(config).await?.run(CancellationToken::new()).await;
    Ok(())
}
