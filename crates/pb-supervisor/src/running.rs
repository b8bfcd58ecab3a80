//! A process that runs: one that we started, or one that was there before us.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;

use pb_runtime::LockHolder;
use pb_runtime::process::Process;

use crate::child::Ending;

/// A process that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) pid: u32,
    process: Process,
    /// Absent where it is not our child.
    child: Option<Child>,
}

impl Running {
    /// Our child, which was just started.
    pub(crate) fn started(child: Child) -> io::Result<Self> {
        Ok(Self { pid: child.id(), process: Process::of_child(&child)?, child: Some(child) })
    }

    /// One that holds its lock.
    pub(crate) fn found(holder: &LockHolder) -> Option<Self> {
        Some(Self { pid: holder.pid, process: holder.process()?, child: None })
    }

    /// A second handle, to wait for its end.
    pub(crate) fn watched(&self) -> io::Result<Process> {
        self.process.try_clone()
    }

    /// Whether it was there before us.
    pub(crate) fn is_adopted(&self) -> bool {
        self.child.is_none()
    }

    pub(crate) fn terminate(&self) {
        self.process.terminate();
    }

    pub(crate) fn kill(&self) {
        self.process.kill();
    }

    /// How it ended. It has.
    pub(crate) fn ending(&mut self) -> Ending {
        let Some(child) = &mut self.child else { return Ending::Unseen };
        match child.wait() {
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => Ending::Code(code),
                (None, Some(signal)) => Ending::Signal(signal),
                (None, None) => Ending::Unseen,
            },
            Err(_) => Ending::Unseen,
        }
    }
}
