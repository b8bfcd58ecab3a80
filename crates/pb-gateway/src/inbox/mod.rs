//! Commands on their way to the scheduler: on the disk first, then the bell, then its answer.

pub(crate) mod commands;
pub(crate) mod pending;
pub(crate) mod results;

/// Ends the process after a failed sync: what is in memory may not be what is on the disk, and is not to be
/// answered from (D11). The next start recovers from what the disk holds.
pub(crate) fn end_if_broken(error: &pb_store::Error) {
    if matches!(error, pb_store::Error::Broken(_)) {
        tracing::error!(%error, "the disk failed; ending at once, to recover from what it holds");
        std::process::abort();
    }
}
