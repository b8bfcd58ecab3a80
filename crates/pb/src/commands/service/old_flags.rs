//! Flags that `start` of the first version had beside those of today.

use pb_runtime::Home;

use crate::commands;
use crate::daemon::{self, Daemon};
use crate::failure::Failure;

/// How to start, with those flags.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct OrAgain<A: clap::Args> {
    #[command(flatten)]
    how: A,
    /// Stop it first if it runs, as `restart` does
    #[arg(short, long)]
    force: bool,
    /// In the background, which is where it runs anyway
    #[arg(long, hide = true, conflicts_with = "foreground")]
    daemon: bool,
}

impl<A: clap::Args> OrAgain<A> {
    /// How to start, now that nothing is in the way of it that was not to be.
    ///
    /// # Errors
    /// What runs cannot be stopped, or could not be started again; then it was not stopped.
    pub(in crate::commands) fn ready(self, home: &Home, daemon: Daemon) -> Result<A, Failure> {
        if self.force && daemon.holder(home).is_some() {
            daemon::check_settings(home)?;
            commands::stop::one(home, daemon)?;
        }
        Ok(self.how)
    }
}
