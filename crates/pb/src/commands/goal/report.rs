//! `pb goal report`.

use std::path::PathBuf;

use anyhow::Context;
use pb_protocol::client::Patience;
use pb_protocol::methods::goal::GoalIdParams;
use pb_protocol::methods::goal_report;
use pb_protocol::report::Report;
use pb_runtime::Home;

use super::GoalId;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::document::{self, Form};
use crate::{connection, output, wait};

/// Report on a goal: asked, done, proven how, not done, spent, delivered, how to undo it
///
/// Markdown unless something else is asked for, or the name of the file says so.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pb goal report 3f2a
  pb goal report 3f2a --output report.html     one page that needs nothing else
  pb goal report 3f2a --json | jq .not_done")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// Write Markdown
    #[arg(long, group = "form")]
    md: bool,
    /// Write one JSON document
    #[arg(long, group = "form")]
    json: bool,
    /// Write one HTML page
    #[arg(long, group = "form")]
    html: bool,
    /// Write into this file instead
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Args {
    /// `None` is JSON.
    fn form(&self) -> Option<Form> {
        let ending = self.output.as_ref().and_then(|path| path.extension()?.to_str());
        match (self.md, self.json, self.html, ending) {
            (true, ..) => Some(Form::Markdown),
            (_, true, ..) => None,
            (_, _, true, _) | (.., Some("html" | "htm")) => Some(Form::Html),
            (.., Some("json")) => None,
            _ => Some(Form::Markdown),
        }
    }
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let form = args.form();
    let params = GoalIdParams { goal_id: args.goal.id };
    let report: Report = wait::client(Box::pin(async {
        Ok(connection::client(&home, Patience::None).call::<goal_report::Report>(&params).await?)
    }))?;
    let mut text = match form {
        Some(form) => document::render(&report, form)?,
        None => serde_json::to_string_pretty(&report).context("cannot write JSON")?,
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    match &args.output {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            output::note(format_args!("the report is in {}", path.display()));
        }
        None => output::raw(&text)?,
    }
    Ok(Exit::Ok)
}
