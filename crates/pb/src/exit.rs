//! Exit codes, in one table. Where `sysexits.h` has a code for it, it is that one.

use std::process::ExitCode;

/// How a command ended, as its exit code says it. [`TABLE`] is what people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done; a goal is verified.
    Ok = 0,
    /// A goal failed or was cancelled, or something unforeseen went wrong.
    Failed = 1,
    /// A goal needs a human.
    NeedsHuman = 2,
    /// A goal is done without full proof; `status`: not everything runs.
    Unproven = 3,
    /// The command line is wrong.
    Usage = 64,
    /// The goal file is wrong.
    BadData = 65,
    /// A file, goal or step does not exist.
    Missing = 66,
    /// The gateway or the scheduler cannot be reached or does not start.
    Unavailable = 69,
    /// Another process holds what is needed.
    Busy = 75,
    /// It is not allowed.
    Refused = 77,
    /// The configuration does not work: home, port, config.toml.
    Config = 78,
    /// Ctrl-C: the goal goes on without the person watching.
    Detached = 130,
}

/// The table of exit codes for `pb help`.
pub(crate) const TABLE: &str = "\
Exit codes:
    0  done; a goal is verified
    1  a goal failed or was cancelled, or something went wrong
    2  a goal needs a human
    3  a goal is done without full proof; `status`: not everything runs
   64  the command line is wrong
   65  the goal file is wrong
   66  a file, goal or step does not exist
   69  the gateway or the scheduler cannot be reached or does not start
   75  another process holds what is needed; it may work later
   77  not allowed: a forbidden workspace, a missing permission
   78  the configuration does not work: home, port, config.toml
  130  detached by Ctrl-C; the goal goes on";

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
