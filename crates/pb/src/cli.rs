//! The command line as a whole. Each command's own arguments stand in its file.

use clap::Parser;

use crate::commands::Command;
use crate::exit::{Exit, TABLE};
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  pb run \"Fix the failing test\" --workspace .
                                 say what you want, and watch it being done
  pb run hello.toml              run a goal file and follow it
  pb goal list                   see what was asked for
  pb status                      see what runs
  pb stop                        stop everything

Everything lies in ~/.ponybunny, or in PB_HOME if that is set.
";

/// A local-first runtime for autonomous AI workers: give it a goal, see it verified.
#[derive(Debug, Parser)]
#[command(name = "pb", version, after_help = format!("{EXAMPLES}\n{TABLE}"))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Shows help, version or what is wrong with the arguments. Wrong ones exit 64, not clap's 2,
/// which means "a goal needs a human" here.
pub(crate) fn show(error: &clap::Error) -> Exit {
    let _ = error.print(); // A closed pipe: the person has seen enough.
    if error.use_stderr() { Exit::Usage } else { Exit::Ok }
}

/// The same for arguments that come from the environment.
pub(crate) fn wrong(error: &clap::Error) -> Failure {
    Failure::relayed(Exit::Usage, &error.to_string())
}
