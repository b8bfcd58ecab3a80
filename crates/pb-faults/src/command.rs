//! The suite's own children.

use std::ffi::OsStr;
use std::process::Command;

use pb_runtime::faultpoints::PLANTED_BUG;

use crate::Run;

/// A program that the suite runs.
#[expect(
    clippy::disallowed_methods,
    reason = "pb_exec runs the commands of goals; these are the suite's own"
)]
pub fn program(path: impl AsRef<OsStr>) -> Command {
    Command::new(path)
}

/// The suite's own program in one of its roles, with the planted bug of this run.
pub fn child(run: &Run, role: &str) -> Command {
    let mut command = program(&run.exe);
    command.args(["child", role]);
    match run.bug {
        Some(bug) => command.env(PLANTED_BUG, bug.as_str()),
        None => command.env_remove(PLANTED_BUG),
    };
    command
}
