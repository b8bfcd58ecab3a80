//! Who may call what. A call runs only when it was approved here: [`ApprovedCall`] has no other
//! way to be made.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use pb_model::Effect;
use pb_model::plan::closest;
use serde_json::Value;

use crate::text::{TITLE_CHARS_MAX, one_line};
use crate::{Command, Output, Registry, Scope, Tool, ToolError};

/// Longest name of a tool that a denial repeats, in characters. Models make names up.
const NAME_CHARS_MAX: usize = 64;

/// The tools that an item may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// These; every one if absent.
    names: Option<BTreeSet<String>>,
    /// But not these.
    without: BTreeSet<String>,
}

impl Allowed {
    /// Every tool of the registry.
    pub fn everything() -> Self {
        Self { names: None, without: BTreeSet::new() }
    }

    /// These and no others. An item that may not `finish` can end only by its limits.
    pub fn only<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { names: Some(names.into_iter().map(Into::into).collect()), without: BTreeSet::new() }
    }

    /// The same, but for these.
    pub fn without<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.without.extend(names.into_iter().map(Into::into));
        self
    }

    /// Whether the tool of this name may be used.
    pub fn allows(&self, name: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(name)) && !self.without.contains(name)
    }
}

/// Why a call was not approved. The text is for the model, which may try again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nothing has this name.
    #[error("there is no tool `{name}`{}; allowed: {}", perhaps(*closest), Names(allowed))]
    Unknown {
        /// What was asked for, cut.
        name: String,
        /// The allowed tool whose name is close enough to be meant.
        closest: Option<&'static str>,
        /// What may be used instead.
        allowed: Vec<&'static str>,
    },
    /// The item may not use it.
    #[error("tool `{name}` is not allowed here; allowed: {}", Names(allowed))]
    NotAllowed {
        /// What was asked for.
        name: &'static str,
        /// What may be used instead.
        allowed: Vec<&'static str>,
    },
    /// The tool does not understand the arguments.
    #[error("arguments of `{name}`: {reason}")]
    Arguments {
        /// The tool.
        name: &'static str,
        /// Which field, and what is wrong with it.
        reason: String,
    },
}

fn perhaps(closest: Option<&str>) -> String {
    closest.map(|name| format!(" (perhaps `{name}`)")).unwrap_or_default()
}

struct Names<'a>(&'a [&'static str]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { formatter.write_str("none") } else { formatter.write_str(&self.0.join(", ")) }
    }
}

/// A call that may run: its tool exists, the item may use it, and it understands the arguments.
#[derive(Debug, Clone)]
pub struct ApprovedCall {
    tool: Arc<dyn Tool>,
    arguments: Value,
}

/// Approves a call that a model asked for.
pub fn approve(
    registry: &Registry,
    allowed: &Allowed,
    name: &str,
    arguments: Value,
) -> Result<ApprovedCall, Denied> {
    let names = || registry.names().into_iter().filter(|name| allowed.allows(name)).collect::<Vec<_>>();
    let Some(tool) = registry.get(name) else {
        let allowed = names();
        let name = one_line(name, NAME_CHARS_MAX);
        return Err(Denied::Unknown { closest: closest(&name, &allowed), name, allowed });
    };
    if !allowed.allows(tool.name()) {
        return Err(Denied::NotAllowed { name: tool.name(), allowed: names() });
    }
    match tool.check(&arguments) {
        Ok(()) => Ok(ApprovedCall { tool: Arc::clone(tool), arguments }),
        Err(reason) => Err(Denied::Arguments { name: tool.name(), reason }),
    }
}

impl ApprovedCall {
    /// The tool's name.
    pub fn name(&self) -> &'static str {
        self.tool.name()
    }

    /// What the model gave.
    pub fn arguments(&self) -> &Value {
        &self.arguments
    }

    /// The command that it would run, if it runs one.
    pub fn command(&self) -> Option<Command> {
        self.tool.command(&self.arguments)
    }

    /// One line for people, at most [`TITLE_CHARS_MAX`] characters.
    pub fn title(&self) -> String {
        // Not every tool is of this crate, so its promise is kept here.
        one_line(&self.tool.title(&self.arguments), TITLE_CHARS_MAX)
    }

    /// What repeating the call means: the tool says so, or else the item.
    pub fn effect(&self, item_effect: Effect) -> Effect {
        self.tool.effect().unwrap_or(item_effect)
    }

    /// Does it.
    pub async fn run(&self, scope: &Scope) -> Result<Output, ToolError> {
        self.tool.call(&self.arguments, scope).await
    }
}
