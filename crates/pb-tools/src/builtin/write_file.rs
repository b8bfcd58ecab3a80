//! `write_file`: a whole file at once.

use futures_util::future::BoxFuture;
use pb_model::Effect;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::text::count;
use crate::workspace::{in_workspace, name};
use crate::{Output, Scope, ToolError, TypedTool};

/// Longest content, in bytes.
const CONTENT_BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct WriteFile;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The file, relative to the workspace.
    path: String,
    /// The whole content; what the file had is lost.
    content: String,
}

impl TypedTool for WriteFile {
    type Arguments = Arguments;
    const NAME: &'static str = "write_file";
    const DESCRIPTION: &'static str = "Makes a file, or replaces all of it, with folders above it as needed. \
         At most 1 MiB. To change a part of a file use edit_file.";
    const EFFECT: Option<Effect> = Some(Effect::Idempotent);

    fn about(arguments: &Arguments) -> String {
        arguments.path.clone()
    }

    fn run<'a>(&'a self, arguments: Arguments, scope: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
        in_workspace(scope, move |workspace| {
            let Arguments { path, content } = arguments;
            let bytes = content.len();
            if bytes > CONTENT_BYTES_MAX {
                return Err(ToolError::Model(format!(
                    "the content has {bytes} bytes, which is more than {CONTENT_BYTES_MAX}; \
                     write it with run_command, or in several files"
                )));
            }
            let is_new = workspace.write_file(&path, content.as_bytes())?;
            let done = if is_new { "made" } else { "replaced" };
            Ok(Output { text: format!("{done} {}: {}", name(&path), count(bytes, "byte")), ok: true })
        })
    }
}
