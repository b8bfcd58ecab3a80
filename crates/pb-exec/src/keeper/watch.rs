//! Waits for the first thing that ends a job.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{WaitOptions, WaitStatus, wait};

use super::signals::Signals;
use crate::message::{Fill, KeeperReport, LineReader, REPORT_BYTES_MAX, StepReport, send};
use crate::{Enforced, Outcome};

/// Everything that can end a job, and what is known about it so far.
pub(super) struct Watch<'a> {
    control: &'a UnixStream,
    control_lines: LineReader,
    signals: &'a Signals,
    /// The process that is first the step and then the tool.
    tool: u32,
    /// Open until the step has become the tool, or failed to.
    step: Option<UnixStream>,
    step_lines: LineReader,
    enforced: Option<Enforced>,
    step_error: Option<String>,
}

/// What a poll found; the step's socket is simply read every time.
struct Ready {
    control: bool,
    terminate: bool,
    children: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        control: &'a UnixStream,
        control_lines: LineReader,
        signals: &'a Signals,
        tool: u32,
        step: UnixStream,
    ) -> Self {
        Self {
            control,
            control_lines,
            signals,
            tool,
            step: Some(step),
            step_lines: LineReader::new(REPORT_BYTES_MAX),
            enforced: None,
            step_error: None,
        }
    }

    /// Blocks until the job is over, one way or another.
    pub(super) fn run(&mut self, deadline: Option<Instant>) -> Outcome {
        loop {
            // The line that brought the job may have brought the stop line with it.
            if self.control_lines.take_line().is_some() {
                return Outcome::Stopped;
            }
            let ready = self.poll(deadline);
            self.read_step();
            // Before the others: a tool that ended by itself did so, also when a stop comes late.
            if ready.children
                && let Some(status) = self.reap()
            {
                return self.outcome_of(status);
            }
            if ready.terminate || ready.control && self.control_lines.fill(self.control) == Fill::End {
                return Outcome::Stopped;
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Outcome::TimedOut;
            }
        }
    }

    /// How far the tool is, or would have been, confined.
    pub(super) fn into_enforced(self) -> Enforced {
        self.enforced.unwrap_or(Enforced::None)
    }

    fn poll(&self, deadline: Option<Instant>) -> Ready {
        let mut fds = vec![
            PollFd::new(self.control, PollFlags::IN),
            PollFd::new(&self.signals.terminate, PollFlags::IN),
            PollFd::new(&self.signals.children, PollFlags::IN),
        ];
        fds.extend(self.step.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        // An interrupted poll leaves all `revents` empty; the loop simply comes back.
        let _ = poll(&mut fds, until(deadline).as_ref());
        let is_ready = |index: usize| fds.get(index).is_some_and(|fd| !fd.revents().is_empty());
        Ready { control: is_ready(0), terminate: is_ready(1), children: is_ready(2) }
    }

    /// Reads what the step says, to its end if it came.
    fn read_step(&mut self) {
        while let Some(step) = &self.step {
            let fill = self.step_lines.fill(step);
            while let Some(line) = self.step_lines.take_line() {
                match serde_json::from_slice(&line) {
                    Ok(StepReport::Confined(enforced)) => self.enforced = Some(enforced),
                    Ok(StepReport::Error(error)) => self.step_error = Some(error),
                    Err(error) => self.step_error = Some(format!("the step said: {error}")),
                }
            }
            match fill {
                Fill::More => {}
                Fill::Nothing => return,
                Fill::End => {
                    self.step = None;
                    self.step_ended();
                }
            }
        }
    }

    /// The socket closed: either the step is the tool now, or it has failed.
    fn step_ended(&mut self) {
        match (&self.step_error, &self.enforced) {
            (Some(_), _) => {}
            (None, None) => {
                self.step_error = Some("the step ended before the tool was started".to_owned());
            }
            (None, Some(enforced)) => {
                let started = KeeperReport::Started { pid: self.tool, enforced: enforced.clone() };
                // A scheduler that is gone is noticed by the end of the control socket.
                let _ = send(self.control, &started);
            }
        }
    }

    /// Waits for every child that ended, and returns how the tool did if it is among them.
    fn reap(&self) -> Option<WaitStatus> {
        self.signals.clear_children();
        let mut tool_status = None;
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if u32::try_from(pid.as_raw_nonzero().get()) == Ok(self.tool) {
                tool_status = Some(status);
            }
        }
        tool_status
    }

    fn outcome_of(&mut self, status: WaitStatus) -> Outcome {
        // The last words of a step that failed are in the socket by now.
        self.read_step();
        if let Some(error) = self.step_error.take() {
            return Outcome::NotStarted(error);
        }
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Outcome::Exited(code),
            (None, Some(signal)) => Outcome::Signaled(signal),
            (None, None) => Outcome::Lost,
        }
    }
}

/// The time left, as `poll` wants it; `None` means for ever.
fn until(deadline: Option<Instant>) -> Option<Timespec> {
    let left = deadline?.saturating_duration_since(Instant::now());
    // Rounded up, or the last fraction of a millisecond would be spent in a busy loop.
    Timespec::try_from(left + Duration::from_millis(1)).ok()
}
