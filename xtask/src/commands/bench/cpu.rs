//! Processor time of another process.

use std::time::Duration;

use anyhow::Context;

/// The place of `utime` after the name in `/proc/PID/stat` (`proc_pid_stat(5)`); `stime` follows.
const UTIME: usize = 11;

/// What the process has used, in user and kernel mode, all its threads together.
///
/// # Errors
/// There is no such process.
pub(super) fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("cannot read the processor time of {pid}"))?;
    // The name may hold anything, a closing parenthesis too.
    let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 =
        rest.split_whitespace().skip(UTIME).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    let each = Duration::from_secs(1) / u32::try_from(rustix::param::clock_ticks_per_second())?;
    Ok(each * u32::try_from(ticks)?)
}
