//! `pb goal schema`.

use pb_model::goal_file;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Print the JSON Schema of goal files, for editors
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb goal schema > goal.schema.json
An editor finds it by this first line of a goal file:
  #:schema ./goal.schema.json")]
pub(super) struct Args {}

/// Runs the command.
pub(super) fn run(_: &Args) -> Result<Exit, Failure> {
    output::json(&goal_file::json_schema())?;
    Ok(Exit::Ok)
}
