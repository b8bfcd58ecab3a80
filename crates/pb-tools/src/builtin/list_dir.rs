//! `list_dir`: what is in a folder.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use pb_model::Effect;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::text::{count, shown};
use crate::workspace::{Entry, Kind, Limits, Workspace, in_workspace};
use crate::{Output, Scope, ToolError, TypedTool};

/// Most entries that are listed.
const ENTRIES_MAX: usize = 500;
/// Most levels of folders.
const DEPTH_MAX: u32 = 10;
/// Levels if none are given.
const DEPTH_DEFAULT: u32 = 1;
/// Longest walk.
const TIME_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct ListDir;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The folder, relative to the workspace; the workspace itself if absent.
    path: Option<String>,
    /// How many levels of folders to show, 1 to 10; 1 if absent.
    depth: Option<u32>,
}

impl TypedTool for ListDir {
    type Arguments = Arguments;
    const NAME: &'static str = "list_dir";
    const DESCRIPTION: &'static str = "Lists a folder: folders end with a slash, files have their size in \
         bytes. What .gitignore leaves out is left out here. At most 500 entries, upper levels first.";
    const EFFECT: Option<Effect> = Some(Effect::Pure);

    fn about(arguments: &Arguments) -> String {
        arguments.path.clone().unwrap_or_else(|| ".".to_owned())
    }

    fn run<'a>(&'a self, arguments: Arguments, scope: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
        in_workspace(scope, move |workspace| list(workspace, &arguments))
    }
}

fn list(workspace: &Workspace, arguments: &Arguments) -> Result<Output, ToolError> {
    let start = workspace.folder(arguments.path.as_deref().unwrap_or("."))?;
    let depth = arguments.depth.unwrap_or(DEPTH_DEFAULT).clamp(1, DEPTH_MAX);
    let limits = Limits { depth, deadline: Instant::now() + TIME_LIMIT };
    let mut entries = Vec::new();
    let walked = workspace.walk(start.clone(), limits, &mut |entry| {
        // One more than is listed, to know that there is more.
        entries.push(entry);
        if entries.len() > ENTRIES_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    entries.truncate(ENTRIES_MAX);
    entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));

    let mut lines: Vec<String> = entries.iter().map(|entry| line(entry, &start)).collect();
    if walked.cut {
        lines.push(format!("[cut after {} entries; list a folder below]", entries.len()));
    } else if entries.is_empty() {
        lines.push("[nothing]".to_owned());
    }
    if walked.ignored > 0 {
        lines.push(format!("[{} left out by .gitignore]", walked.ignored));
    }
    if walked.unreadable > 0 {
        lines.push(format!("[{} could not be read]", count(walked.unreadable, "folder")));
    }
    Ok(Output { text: lines.join("\n"), ok: true })
}

fn line(entry: &Entry, start: &Path) -> String {
    let path = entry.path.strip_prefix(start).unwrap_or(&entry.path);
    let path = shown(&path.to_string_lossy());
    match entry.kind {
        Kind::File => format!("{path} {}", entry.bytes),
        Kind::Folder => format!("{path}/"),
        Kind::Link => format!("{path} (link)"),
        Kind::Other => format!("{path} (not a regular file)"),
    }
}
