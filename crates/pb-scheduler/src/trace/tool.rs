//! What is told about calls of tools.

use pb_model::goal::CallEnd;
use serde_json::Value;

use super::content::{Json, Name, Text};
use super::{About, What};

/// OpenTelemetry's word for the call of a tool.
const OPERATION: &str = "execute_tool";

impl What {
    /// A tool is called; `call_id` is what the model calls it.
    pub(crate) fn tool_invoked(about: About, tool: &str, args: &Value, call_id: Option<&str>) -> Self {
        Self::ToolInvoked {
            id: about.call_id().unwrap_or_default(),
            tool: Name::new(tool),
            args: Json::new(args),
            operation: OPERATION,
            name: Name::new(tool),
            call_id: call_id.map(Name::new),
        }
    }

    /// A call of a tool ended, with what it came to or with what went wrong.
    pub(crate) fn tool_ended(
        about: About,
        tool: &str,
        (end, found): (CallEnd, &str),
        duration_ms: u64,
    ) -> Self {
        let (id, name) = (about.call_id().unwrap_or_default(), Name::new(tool));
        let (tool, found) = (name.clone(), Text::new(found));
        let kind = match end {
            CallEnd::Ok | CallEnd::Finished => {
                let (result, operation) = (found, OPERATION);
                return Self::ToolSucceeded { id, tool, result, duration_ms, operation, name };
            }
            CallEnd::Failed => "failed",
            CallEnd::Withheld => "withheld",
            CallEnd::Host => "host",
            CallEnd::Unknown => "unknown",
            CallEnd::Asks => "asks",
        };
        Self::ToolFailed { id, tool, error: found, duration_ms, operation: OPERATION, name, end: kind }
    }

    /// What is said to a call before it is made.
    pub(crate) fn decided(tool: &str, decision: &'static str, why: impl Into<String>) -> Self {
        Self::PolicyDecided { tool: Name::new(tool), decision, why: Text::new(why) }
    }
}
