//! How it went.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Output;

/// Everything there is to know about a job that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How the tool ended.
    pub outcome: Outcome,
    /// From the start of the step to the end of the tool, without the clean-up after it.
    pub duration: Duration,
    /// What it wrote to standard output and standard error, in the order it wrote it.
    pub output: Output,
    /// How far it was confined.
    pub enforced: Enforced,
    /// How many processes besides the tool itself had to be ended.
    pub leftovers_killed: u32,
}

/// How the tool ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It exited by itself with this code.
    Exited(i32),
    /// A signal that did not come from here ended it.
    Signaled(i32),
    /// It was ended because its time was up.
    TimedOut,
    /// It was ended because the scheduler asked, went away, or the keeper got a signal.
    Stopped,
    /// It never ran, and why: the program was not found, the folder is missing, confinement failed.
    NotStarted(String),
    /// The keeper died without a report, so how the tool ended is unknown.
    Lost,
}

/// How far the tool was confined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforced {
    /// Files, TCP connections and signals.
    Full,
    /// Something, but this is missing (one line).
    Partial(String),
    /// Not at all.
    None,
}
