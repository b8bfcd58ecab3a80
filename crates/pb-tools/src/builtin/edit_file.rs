//! `edit_file`: passages of a file replaced, found by their text.

use std::io::Read;
use std::time::Duration;

use futures_util::future::BoxFuture;
use pb_model::Effect;
use schemars::JsonSchema;
use serde::Deserialize;
use similar::TextDiff;

use crate::passage::{self, Edit, Standing};
use crate::text::{beginning, count};
use crate::workspace::{Workspace, explain, in_workspace, name};
use crate::{Output, Scope, ToolError, TypedTool};

/// Largest file that is edited, in bytes, before and after.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Longest difference that is shown, in bytes.
const DIFF_BYTES_MAX: usize = 6 * 1024;
/// Lines around a change that are shown.
const DIFF_CONTEXT_LINES: usize = 2;
/// How long a small difference is looked for; after that a larger one will do.
const DIFF_TIME_LIMIT: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct EditFile;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Given")]
pub(super) struct Arguments {
    path: String,
    edits: Vec<Edit>,
}

/// What models send. Those that know another editor put the one edit beside the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// The file, relative to the workspace.
    path: String,
    /// Replacements, made one after the other: all of them or, if one fails, none.
    #[schemars(required)]
    edits: Option<Vec<Edit>>,
    #[schemars(skip)]
    old: Option<String>,
    #[schemars(skip)]
    new: Option<String>,
    #[schemars(skip)]
    replace_all: Option<bool>,
}

impl TryFrom<Given> for Arguments {
    type Error = &'static str;

    fn try_from(given: Given) -> Result<Self, Self::Error> {
        let mut edits = given.edits.unwrap_or_default();
        match (given.old, given.new) {
            (Some(old), Some(new)) => edits.push(Edit { old, new, replace_all: given.replace_all }),
            (None, None) if given.replace_all.is_none() => {}
            _ => return Err("an edit needs both `old` and `new`; put edits into `edits`"),
        }
        if edits.is_empty() {
            return Err("missing field `edits`");
        }
        Ok(Self { path: given.path, edits })
    }
}

impl TypedTool for EditFile {
    type Arguments = Arguments;
    const NAME: &'static str = "edit_file";
    const DESCRIPTION: &'static str = "Replaces passages of a file, found by their text. Differences in \
         blanks at line ends, in indentation and in line ends are overlooked when the passage is still \
         found only once. Answers with what changed.";
    const EFFECT: Option<Effect> = Some(Effect::Idempotent);

    fn about(arguments: &Arguments) -> String {
        arguments.path.clone()
    }

    fn run<'a>(&'a self, arguments: Arguments, scope: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
        let again = scope.again;
        in_workspace(scope, move |workspace| edit(workspace, &arguments, again))
    }
}

fn edit(workspace: &Workspace, arguments: &Arguments, again: bool) -> Result<Output, ToolError> {
    let Arguments { path, edits } = arguments;
    let refuse = |why: String| ToolError::Model(format!("{}: {why}", name(path)));
    passage::check(edits).map_err(refuse)?;
    let before = read(workspace, path)?;
    if again {
        match passage::standing(&before, edits) {
            Standing::Open => {}
            Standing::Applied => {
                let text = format!(
                    "found applied: {} has the new text and not the old one; this call had begun before \
                     an interruption",
                    name(path)
                );
                return Ok(Output { text, ok: true });
            }
            Standing::Unclear => {
                return Err(refuse(
                    "this call had begun before an interruption, and the file looks both as if the edit \
                     was made and as if not; nothing was changed now; read the file and edit what is missing"
                        .to_owned(),
                ));
            }
        }
    }
    let applied = passage::apply(&before, edits).map_err(refuse)?;
    if applied.text.len() as u64 > FILE_BYTES_MAX {
        return Err(refuse(format!("would have more than {FILE_BYTES_MAX} bytes; nothing was changed")));
    }
    workspace.write_file(path, applied.text.as_bytes())?;
    let how = if applied.tolerant { ", overlooking blanks or line ends" } else { "" };
    let text = format!(
        "edited {}: {} replaced{how}\n{}",
        name(path),
        count(applied.places, "place"),
        difference(&before, &applied.text)
    );
    Ok(Output { text, ok: true })
}

fn read(workspace: &Workspace, path: &str) -> Result<String, ToolError> {
    let refuse = |why: String| ToolError::Model(format!("{}: {why}", name(path)));
    let (file, bytes) = workspace.open_file(path)?;
    let too_large = |bytes| refuse(format!("{bytes} bytes are more than {FILE_BYTES_MAX}; use run_command"));
    if bytes > FILE_BYTES_MAX {
        return Err(too_large(bytes));
    }
    let mut content = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(|error| explain(path, &error))?;
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(too_large(content.len() as u64));
    }
    String::from_utf8(content).map_err(|_| refuse("not UTF-8 text; use run_command".to_owned()))
}

fn difference(before: &str, after: &str) -> String {
    let diff = TextDiff::configure().timeout(DIFF_TIME_LIMIT).diff_lines(before, after);
    let text = diff.unified_diff().context_radius(DIFF_CONTEXT_LINES).missing_newline_hint(false).to_string();
    let shown = beginning(&text, DIFF_BYTES_MAX);
    if shown.len() == text.len() {
        text
    } else {
        format!("{shown}\n[the rest of the difference is left out]")
    }
}
