//! A goal file and its inputs, as the person gives them on the command line.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_model::GoalSpec;
use pb_model::goal_file::{self, Problems, ResolveContext};

use crate::exit::Exit;
use crate::failure::Failure;

/// Which goal file, with which inputs.
#[derive(Debug, clap::Args)]
pub(crate) struct GoalSource {
    /// The goal file (TOML)
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Give an input of the goal file a value; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) set: Vec<(String, String)>,
}

/// `NAME=VALUE`.
pub(crate) fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// Why there is no goal.
pub(crate) enum Unusable {
    /// The file cannot be read.
    Unread(Failure),
    /// It does not hold.
    Wrong(Problems),
}

impl GoalSource {
    /// The goal, with its inputs filled in.
    pub(crate) fn read(&self) -> Result<GoalSpec, Failure> {
        self.read_or_problems().map_err(|unusable| match unusable {
            Unusable::Unread(failure) => failure,
            Unusable::Wrong(problems) => Failure::of_problems(&self.file.display().to_string(), &problems),
        })
    }

    /// The same, with the problems as they are.
    pub(crate) fn read_or_problems(&self) -> Result<GoalSpec, Unusable> {
        let text = read_text(&self.file).map_err(Unusable::Unread)?;
        let goal_file = goal_file::parse(&text).map_err(Unusable::Wrong)?;
        let unread = |error: anyhow::Error| Unusable::Unread(error.into());
        let cwd = std::env::current_dir().context("cannot tell the current folder").map_err(unread)?;
        let file = cwd.join(&self.file);
        let context = ResolveContext {
            cwd: &cwd,
            file_dir: file.parent().unwrap_or(&cwd),
            set: &self.set.iter().cloned().collect(),
        };
        goal_file.resolve(&context).map_err(Unusable::Wrong)
    }
}

fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        let shown = path.display();
        match error.kind() {
            ErrorKind::NotFound => Failure::new(Exit::Missing, format!("there is no file {shown}"))
                .hint("pb run takes the path of a goal file; pb goal schema describes its form"),
            ErrorKind::InvalidData => Failure::new(Exit::BadData, format!("{shown} is not UTF-8"))
                .hint("save it with the encoding UTF-8"),
            _ => Failure::new(Exit::Missing, format!("cannot read {shown}")).because(&error),
        }
    })
}
