//! One thing that was looked at: what was found, what to do about it, and what can mend it.

use std::fmt::Display;

use serde::Serialize;

use crate::output::{self, BAD, DIM, GOOD, WARN, styled};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    Ok,
    Warning,
    Problem,
}

/// What mends it; says what it did.
pub(super) type Mend = Box<dyn FnOnce() -> anyhow::Result<String>>;

/// A check that was made.
#[derive(Serialize)]
pub(super) struct Check {
    pub(super) name: String,
    #[serde(rename = "result")]
    pub(super) level: Level,
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    /// What `--fix` did about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mended: Option<String>,
    #[serde(skip)]
    mend: Option<Mend>,
}

/// What is said about what `--fix` can mend.
const MENDABLE: &str = "pb doctor --fix mends it";

impl Check {
    pub(super) fn ok(name: impl Into<String>, found: impl Display) -> Self {
        Self {
            name: name.into(),
            level: Level::Ok,
            found: found.to_string(),
            advice: None,
            mended: None,
            mend: None,
        }
    }

    pub(super) fn warning(name: impl Into<String>, found: impl Display, advice: impl Display) -> Self {
        Self { level: Level::Warning, advice: Some(advice.to_string()), ..Self::ok(name, found) }
    }

    pub(super) fn problem(name: impl Into<String>, found: impl Display, advice: impl Display) -> Self {
        Self { level: Level::Problem, advice: Some(advice.to_string()), ..Self::ok(name, found) }
    }

    /// A check that `mend` mends; it touches no data of the person.
    pub(super) fn mendable(
        level: Level,
        name: impl Into<String>,
        found: impl Display,
        mend: impl FnOnce() -> anyhow::Result<String> + 'static,
    ) -> Self {
        let mend: Mend = Box::new(mend);
        Self { level, advice: Some(MENDABLE.to_owned()), mend: Some(mend), ..Self::ok(name, found) }
    }

    pub(super) fn is_mendable(&self) -> bool {
        self.mend.is_some()
    }

    /// Mends it; `None` where there is nothing to mend, or nothing that does.
    pub(super) fn fix(self) -> Option<Self> {
        let mend = self.mend?;
        Some(match mend() {
            Ok(did) => Self { level: Level::Ok, advice: None, mended: Some(did), mend: None, ..self },
            Err(error) => {
                let advice = format!("it could not be mended: {error:#}");
                Self { advice: Some(advice), mend: None, ..self }
            }
        })
    }

    /// Takes over what became of the same check when it was to be mended.
    pub(super) fn after(&mut self, fixed: Self) {
        (self.mended, self.advice) = (fixed.mended, fixed.advice.or(self.advice.take()));
    }

    /// Shows it: a line of what was found, and one of what to do.
    pub(super) fn show(&self) -> anyhow::Result<()> {
        // Padded before it is coloured: the width counts what is seen.
        let word = match (self.level, &self.mended) {
            (_, Some(_)) => styled(GOOD, format_args!("{:<8}", "mended")),
            (Level::Ok, None) => styled(GOOD, format_args!("{:<8}", "ok")),
            (Level::Warning, None) => styled(WARN, format_args!("{:<8}", "warning")),
            (Level::Problem, None) => styled(BAD, format_args!("{:<8}", "problem")),
        };
        output::data(format_args!("{word} {:<20} {}", self.name, self.found))?;
        for line in self.mended.iter().chain(&self.advice) {
            output::data(format_args!("{:<8} {:<20} {}", "", "", styled(DIM, line)))?;
        }
        Ok(())
    }
}
