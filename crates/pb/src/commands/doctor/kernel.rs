//! What the kernel can do that we rely on.

use pb_runtime::config::Config;
use pb_runtime::process::{self, Process};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};

use super::check::Check;

pub(super) fn look(settings: Option<&Config>) -> Vec<Check> {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    vec![landlock(&release, settings), pidfd(&release), openat2_works(&release)]
}

/// Confines what goals run.
fn landlock(release: &str, settings: Option<&Config>) -> Check {
    let support = pb_exec::support();
    let missing = support.missing();
    let abi = support.abi;
    if missing.is_empty() {
        return Check::ok(
            "kernel: Landlock",
            format_args!("ABI {abi}, Linux {release}: files, TCP and signals"),
        );
    }
    let found = format!("{}, Linux {release}", missing.join(", "));
    if support.fs {
        return Check::warning("kernel: Landlock", found, "Linux 6.12 or newer confines all of it");
    }
    let advice = "take Linux 5.13 or newer with Landlock on (`lsm=landlock,...` at boot)";
    if settings.is_some_and(|settings| settings.sandbox.allow_unconfined_agents) {
        return Check::warning("kernel: Landlock", format_args!("{found}; config.toml allows that"), advice);
    }
    Check::problem("kernel: Landlock", format_args!("{found}: agents are refused"), advice)
}

/// Ends the right process.
fn pidfd(release: &str) -> Check {
    let own = std::process::id();
    if process::start_time(own).and_then(|started| Process::open(own, started)).is_some() {
        return Check::ok("kernel: pidfd", "there, and /proc is readable");
    }
    let found = format!("no descriptor of a process can be opened, Linux {release}");
    Check::problem("kernel: pidfd", found, "take Linux 5.3 or newer, with /proc mounted")
}

/// Keeps the file tools of agents in their workspace.
fn openat2_works(release: &str) -> Check {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat2(CWD, ".", flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS) {
        Ok(_) => Check::ok("kernel: openat2", "there"),
        Err(error) => {
            let found = format!("does not work ({error}), Linux {release}");
            Check::problem("kernel: openat2", found, "take Linux 5.6 or newer")
        }
    }
}
