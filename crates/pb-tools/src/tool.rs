//! What a tool is, and what it may touch.

use std::fmt;
use std::path::PathBuf;

use futures_util::future::BoxFuture;
use pb_exec::{Finished, SpawnError};
use pb_model::Effect;
use serde_json::Value;

/// Something that an agent can do. One file each in `builtin/`.
pub trait Tool: fmt::Debug + Send + Sync {
    /// Its name, as the model calls it.
    fn name(&self) -> &'static str;

    /// What it does, for the model.
    fn description(&self) -> &'static str;

    /// JSON Schema of its arguments.
    fn schema(&self) -> Value;

    /// What repeating it means; `None` when the item says so (`run_command`).
    fn effect(&self) -> Option<Effect>;

    /// One line for people: what this call is about, such as the path. Never fails.
    fn title(&self, arguments: &Value) -> String;

    /// Whether the arguments can be understood; if not, why, for the model. [`crate::policy::approve`]
    /// asks before anything is done.
    fn check(&self, arguments: &Value) -> Result<(), String> {
        let _ = arguments;
        Ok(())
    }

    /// The command that it would run; `None` for a tool that runs nothing. What needs a person's yes is
    /// bound to it.
    fn command(&self, arguments: &Value) -> Option<Command> {
        let _ = arguments;
        None
    }

    /// Does it.
    fn call<'a>(&'a self, arguments: &'a Value, scope: &'a Scope)
    -> BoxFuture<'a, Result<Output, ToolError>>;
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The result, as the model is to see it.
    pub text: String,
    /// Whether it did what was asked. A command that exits with 1 was run, and this is false.
    pub ok: bool,
}

/// Why a call could not be done, by who can mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// The model: it is told, and goes on.
    #[error("{0}")]
    Model(String),
    /// The host: disk full, out of processes. The run fails.
    #[error("{0}")]
    Host(String),
    /// Nobody knows how it ended: it was stopped, or its keeper died.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
}

/// Where a call happens.
#[derive(Debug)]
pub struct Scope {
    /// The goal's folder, canonical. File tools see nothing outside of it.
    pub workspace: PathBuf,
    /// Runs commands, confined.
    pub runner: Box<dyn Runner>,
    /// Whether the same call was begun before and nobody knows how it ended.
    pub again: bool,
}

/// Runs commands for `run_command`, confined as every command of a goal is.
pub trait Runner: fmt::Debug + Send + Sync {
    /// Runs `command` to its end.
    fn run<'a>(&'a self, command: &'a Command) -> BoxFuture<'a, Result<Finished, SpawnError>>;
}

/// A command that an agent wants to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Folder, relative to the workspace.
    pub cwd: Option<String>,
    /// Longest run, in seconds.
    pub time_limit_s: u64,
}
