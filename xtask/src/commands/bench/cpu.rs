//! Processor time of another process.

use std::time::Duration;

use anyhow::Context;

/// What the process has used, in user and kernel mode, all its threads together.
///
/// # Errors
/// There is no such process.
pub(super) fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let times = pb_runtime::process::cpu_times(pid);
    let (user, system) = times.with_context(|| format!("cannot read the processor time of {pid}"))?;
    Ok(user + system)
}
