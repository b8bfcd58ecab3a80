//! Runs the asynchronous part of a command: clients need one thread, daemons two.

use std::future::Future;

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// Threads of a daemon: one may be busy while the other answers.
const DAEMON_THREADS: usize = 2;

/// Runs a client's work on this thread.
pub(crate) fn client<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start the runtime")?.block_on(work)
}

/// The runtime of a daemon that only waits.
pub(crate) fn small_daemon() -> anyhow::Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("cannot start the runtime")
}

/// The runtime of a daemon.
pub(crate) fn daemon() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(DAEMON_THREADS)
        .enable_all()
        .build()
        .context("cannot start the runtime")
}
