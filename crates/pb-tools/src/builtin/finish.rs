//! `finish`: the agent says that it is done.

use futures_util::future::BoxFuture;
use pb_model::Effect;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::text::beginning;
use crate::{Output, Scope, ToolError, TypedTool};

/// The tool's name, by which its caller knows that the work is over.
pub const FINISH: &str = "finish";

/// Longest summary, in bytes; the rest is cut off.
const SUMMARY_BYTES_MAX: usize = 8 * 1024;

#[derive(Debug)]
pub(super) struct Finish;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// What was done, what was not, and how you know; a few sentences for the person who asked.
    summary: String,
}

impl TypedTool for Finish {
    type Arguments = Arguments;
    const NAME: &'static str = FINISH;
    const DESCRIPTION: &'static str =
        "Ends your work. Call it once, alone, when the task is done or cannot be done.";
    const EFFECT: Option<Effect> = Some(Effect::Pure);

    fn about(arguments: &Arguments) -> String {
        arguments.summary.clone()
    }

    fn run<'a>(
        &'a self,
        arguments: Arguments,
        _scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(async move {
            let text = beginning(&arguments.summary, SUMMARY_BYTES_MAX).to_owned();
            Ok(Output { text, ok: true })
        })
    }
}
