//! A scheduler whose link goes through the proxy. Both are one process: the gateway takes only the process
//! that holds `scheduler.lock` for the scheduler.

use pb_runtime::{Clock, Home, Ids};
use pb_scheduler::{Config, Scheduler};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use super::proxy::{self, Toxic};

/// How it is linked.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What is done to the link
    #[arg(long)]
    toxic: Toxic,
    /// Everything random follows from it
    #[arg(long)]
    seed: u64,
}

/// Runs until it is killed.
///
/// # Errors
/// The scheduler does not start, or its store fails.
pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let home = Home::from_environment()?;
    let socket = home.run().join("toxic.sock");
    if socket.exists() {
        std::fs::remove_file(&socket)?; // Of the one before, which was killed.
    }
    let listener = UnixListener::bind(&socket)?;
    let clock = Clock::System;
    let gateway = home.gateway_socket();
    let config = Config {
        db: home.state_db(),
        socket,
        // This program is keeper and step as well.
        exe: std::env::current_exe()?,
        ids: Ids::random(clock.clone()),
        clock,
        home,
    };
    let scheduler = Scheduler::start(config).await?;
    crate::progress::tell(format_args!("the scheduler is ready (pid {})", std::process::id()));
    tokio::select! {
        ended = scheduler.run(CancellationToken::new()) => ended?,
        () = proxy::run(listener, gateway, args.toxic, args.seed) => {}
    }
    Ok(())
}
