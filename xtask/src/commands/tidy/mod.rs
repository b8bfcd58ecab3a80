//! `cargo xtask tidy`: checks what neither the compiler nor clippy does.
//!
//! Each check is a function from facts to problems, so that its tests can hand it a bad workspace.

mod arrows;
mod documents;
mod facts;
mod format;
mod generated;
mod lengths;
mod manifests;
mod words;

use std::fmt;
use std::process::ExitCode;

use crate::{output, tree};

/// One thing that is not tidy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    /// The file, from the root.
    path: String,
    what: String,
    hint: Option<String>,
}

impl Problem {
    fn new(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Runs the command.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    let files = tree::files(&root)?;
    let crates = facts::crates(&root)?;

    for warning in lengths::warnings(&files) {
        output::note(format_args!("tidy: warning: {warning}"));
    }
    let mut problems = arrows::problems(&crates);
    problems.extend(lengths::problems(&files));
    problems.extend(words::problems(&files));
    problems.extend(manifests::problems(&files, &crates)?);
    problems.extend(documents::problems(&root, &files)?);
    problems.extend(format::problems(&root)?);
    problems.extend(generated::problems(&root, &files)?);
    for problem in &problems {
        output::line(format_args!("tidy: {problem}"));
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
