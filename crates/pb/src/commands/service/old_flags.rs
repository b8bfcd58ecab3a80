//! Flags that `start` and `stop` of the first version had beside those of today.

use std::thread;
use std::time::Duration;

use pb_runtime::Home;

use crate::commands;
use crate::daemon::{self, Daemon};
use crate::failure::Failure;

/// How long what has nothing to wait for may take to end, before it is asked again.
const HURRY: Duration = Duration::from_millis(300);

/// How to stop.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct StopArgs {
    /// End steps under way, instead of waiting for them for up to 20 s; the goals go on as after a crash
    #[arg(short, long)]
    force: bool,
}

impl StopArgs {
    /// Sees to it that what is about to be stopped does not wait for its steps: who is asked twice ends at once.
    pub(in crate::commands) fn hurry(&self, home: &Home, daemons: &[Daemon]) {
        let holders = daemons.iter().filter(|_| self.force).filter_map(|daemon| daemon.holder(home));
        for process in holders.filter_map(|holder| holder.process()) {
            // It lives no longer than this command, which waits for the same end.
            thread::spawn(move || {
                if !process.wait(HURRY) {
                    process.terminate();
                }
            });
        }
    }
}

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
