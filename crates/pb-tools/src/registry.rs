//! The tools that there are.

use std::sync::Arc;

use serde_json::Value;

use crate::{Allowed, Tool, builtin};

/// Tools by name, in the order in which models are told of them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    tools: Vec<Arc<dyn Tool>>,
}

impl Registry {
    /// The tools of this crate.
    pub fn builtin() -> Self {
        Self { tools: builtin::all() }
    }

    /// With one more tool, at the end; in the place of the one of the same name, if there is one.
    pub fn with(mut self, tool: impl Tool + 'static) -> Self {
        let tool: Arc<dyn Tool> = Arc::new(tool);
        match self.tools.iter_mut().find(|known| known.name() == tool.name()) {
            Some(known) => *known = tool,
            None => self.tools.push(tool),
        }
        self
    }

    /// The tool of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.tools.iter().find(|tool| tool.name() == name)
    }

    /// All names, in order.
    pub fn names(&self) -> Vec<&'static str> {
        self.tools.iter().map(|tool| tool.name()).collect()
    }

    /// Name, description and schema of each allowed tool, in order.
    pub fn specs(&self, allowed: &Allowed) -> Vec<(&'static str, &'static str, Value)> {
        self.tools
            .iter()
            .filter(|tool| allowed.allows(tool.name()))
            .map(|tool| (tool.name(), tool.description(), tool.schema()))
            .collect()
    }
}
