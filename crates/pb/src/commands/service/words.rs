//! Other words for commands that are there: what is typed becomes the command line that it stands for.

use std::ffi::OsString;

use clap::Parser;

use crate::cli::{self, Cli};
use crate::exit::Exit;
use crate::failure::Failure;

/// What stands for both processes.
const ALL: &str = "all";
/// Those that can be named alone.
const PROCESSES: [&str; 2] = ["gateway", "scheduler"];

/// What follows such a word.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct Words {
    /// gateway, scheduler or all, and the options of the command that it stands for [default: all]
    #[arg(value_name = "PROCESS|OPTION", trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

impl Words {
    /// Runs the command that `pb service WORD` stands for.
    ///
    /// # Errors
    /// There is no such process, or the command fails.
    pub(super) fn run(self, word: &str) -> Result<Exit, Failure> {
        let mut rest = self.rest;
        let named = rest.first().filter(|first| !first.as_encoded_bytes().starts_with(b"-")).cloned();
        if named.is_some() {
            rest.remove(0);
        }
        let before: Vec<&str> = match named {
            None => vec![word],
            Some(name) if name == ALL => vec![word],
            Some(name) => {
                let process = PROCESSES.into_iter().find(|process| name == *process).ok_or_else(|| {
                    let message = format!("there is no process {}", name.display());
                    Failure::new(Exit::Usage, message).hint("name gateway, scheduler or all")
                })?;
                if word == "logs" { vec![word, process] } else { vec![process, word] }
            }
        };
        run(&before, rest)
    }

    /// Runs `pb logs PROCESS`.
    ///
    /// # Errors
    /// The command fails.
    pub(in crate::commands) fn logs_of(self, process: &str) -> Result<Exit, Failure> {
        run(&["logs", process], self.rest)
    }
}

/// Runs `pb BEFORE REST`.
fn run(before: &[&str], rest: Vec<OsString>) -> Result<Exit, Failure> {
    let words = ["pb"].iter().chain(before).map(OsString::from).chain(rest);
    match Cli::try_parse_from(words) {
        Ok(cli) => cli.command.run(),
        Err(error) => Ok(cli::show(&error)),
    }
}
