//! `search_files`: lines that match a pattern, found as ripgrep finds them.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkContext, SinkMatch};
use ignore::overrides::{Override, OverrideBuilder};
use pb_model::Effect;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::text::{beginning, count, one_line, shown};
use crate::workspace::{Entry, Kind, Limits, Workspace, in_workspace};
use crate::{Output, Scope, ToolError, TypedTool};

/// Most matching lines.
const MATCHES_MAX: usize = 100;
/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 32 * 1024;
/// Most of one line that is shown, in bytes.
const LINE_BYTES_MAX: usize = 500;
/// Most lines of context before and after a match.
const CONTEXT_LINES_MAX: u32 = 10;
/// Longest search.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Longest line that is searched, in bytes; a file with a longer one is skipped.
const SEARCHED_LINE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Largest compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Longest explanation of a bad pattern, in characters.
const REASON_CHARS_MAX: usize = 400;
/// Deepest folder that is searched, in levels.
const DEPTH_MAX: u32 = 100;

#[derive(Debug)]
pub(super) struct SearchFiles;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// A regular expression in the syntax of ripgrep (Rust); it is matched line by line.
    pattern: String,
    /// The folder or the file to search, relative to the workspace; all of the workspace if absent.
    path: Option<String>,
    /// Only files that match this, such as `*.rs` or `src/**/*.{ts,tsx}`, relative to `path`; with
    /// `!` in front, only others.
    glob: Option<String>,
    /// Whether upper and lower case are the same; they are not if absent.
    ignore_case: Option<bool>,
    /// How many lines to show before and after each match, 0 to 10; 0 if absent.
    context: Option<u32>,
}

impl TypedTool for SearchFiles {
    type Arguments = Arguments;
    const NAME: &'static str = "search_files";
    const DESCRIPTION: &'static str = "Searches files for a regular expression and answers with lines like \
         `path:line: text`. Binary files and what .gitignore leaves out are not searched. At most 100 matches.";
    const EFFECT: Option<Effect> = Some(Effect::Pure);

    fn about(arguments: &Arguments) -> String {
        let Arguments { pattern, path, glob, .. } = arguments;
        let place = [path.as_deref(), glob.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        if place.is_empty() { pattern.clone() } else { format!("{pattern} in {place}") }
    }

    fn run<'a>(&'a self, arguments: Arguments, scope: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
        in_workspace(scope, move |workspace| search(workspace, &arguments, Instant::now() + TIME_LIMIT))
    }
}

fn search(workspace: &Workspace, arguments: &Arguments, deadline: Instant) -> Result<Output, ToolError> {
    let path = arguments.path.as_deref().unwrap_or(".");
    let context = arguments.context.unwrap_or(0).min(CONTEXT_LINES_MAX) as usize;
    let mut search = Search {
        workspace,
        matcher: matcher(arguments)?,
        searcher: searcher(context),
        deadline,
        found: Found::default(),
    };
    if workspace.is_file(path)? {
        let (file, _) = workspace.open_file(path)?;
        search.file(&shown(path), file);
        return Ok(search.output(false));
    }
    let start = workspace.folder(path)?;
    let globs = globs(arguments.glob.as_deref(), &start)?;
    let limits = Limits { depth: DEPTH_MAX, deadline };
    let walked = workspace.walk(start, limits, &mut |entry| search.entry(&entry, &globs));
    Ok(search.output(walked.cut))
}

fn matcher(arguments: &Arguments) -> Result<RegexMatcher, ToolError> {
    if arguments.pattern.is_empty() {
        return Err(ToolError::Model("the pattern is empty; list_dir shows what files there are".to_owned()));
    }
    RegexMatcherBuilder::new()
        .case_insensitive(arguments.ignore_case.unwrap_or(false))
        // In this order: `$` stands before `\r\n`, too, but lines end as the searcher thinks.
        .multi_line(true)
        .crlf(true)
        .line_terminator(Some(b'\n'))
        .size_limit(PATTERN_BYTES_MAX)
        .build(&arguments.pattern)
        .map_err(|error| {
            let why = one_line(&error.to_string(), REASON_CHARS_MAX);
            ToolError::Model(format!("the pattern is not valid: {why}"))
        })
}

fn searcher(context: usize) -> Searcher {
    SearcherBuilder::new()
        .line_number(true)
        .before_context(context)
        .after_context(context)
        .binary_detection(BinaryDetection::quit(0))
        .heap_limit(Some(SEARCHED_LINE_BYTES_MAX))
        .build()
}

/// Paths in the workspace stand under `/`, as the rules of `.gitignore` see them.
fn globs(glob: Option<&str>, start: &Path) -> Result<Override, ToolError> {
    let mut builder = OverrideBuilder::new(Path::new("/").join(start));
    let wrong = |error: ignore::Error| {
        ToolError::Model(format!("the glob is not valid: {}", one_line(&error.to_string(), REASON_CHARS_MAX)))
    };
    if let Some(glob) = glob.filter(|glob| !glob.is_empty()) {
        builder.add(glob).map_err(wrong)?;
    }
    builder.build().map_err(wrong)
}

struct Search<'a> {
    workspace: &'a Workspace,
    matcher: RegexMatcher,
    searcher: Searcher,
    deadline: Instant,
    found: Found,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    text: String,
    matches: usize,
    files: usize,
    skipped: usize,
    is_full: bool,
}

impl Search<'_> {
    fn entry(&mut self, entry: &Entry, globs: &Override) -> ControlFlow<()> {
        let is_wanted =
            entry.kind == Kind::File && !globs.matched(Path::new("/").join(&entry.path), false).is_ignore();
        if is_wanted {
            match self.workspace.open_regular(&entry.path) {
                Ok(Some(file)) => self.file(&shown(&entry.path.to_string_lossy()), file),
                // It became something else since it was listed.
                Ok(None) => {}
                Err(_) => self.found.skipped += 1,
            }
        }
        if self.found.is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn file(&mut self, path: &str, file: impl Read) {
        let reader = Limited { inner: file, deadline: self.deadline };
        let lines = Lines { path, found: &mut self.found };
        match self.searcher.search_reader(&self.matcher, reader, lines) {
            Ok(()) => self.found.files += 1,
            Err(_) => self.found.skipped += 1,
        }
    }

    fn output(self, is_cut: bool) -> Output {
        let mut notes = Vec::new();
        let Found { mut text, matches, files, skipped, is_full } = self.found;
        if matches == 0 {
            notes.push(format!("no match; {} searched", count(files, "file")));
        }
        if is_full {
            notes.push(format!("cut after {matches} matches; narrow it by pattern, path or glob"));
        } else if Instant::now() >= self.deadline {
            notes.push(format!(
                "not everything was searched within {} s; narrow it by path or glob",
                TIME_LIMIT.as_secs()
            ));
        } else if is_cut {
            notes.push("not everything was searched: too many files; narrow it by path".to_owned());
        }
        if skipped > 0 {
            notes.push(format!("{} could not be searched", count(skipped, "file")));
        }
        if notes.is_empty() {
            text.truncate(text.trim_end().len());
        } else {
            let _ = write!(text, "[{}]", notes.join("; "));
        }
        Output { text, ok: true }
    }
}

/// Takes the lines that the searcher finds in one file.
struct Lines<'a> {
    path: &'a str,
    found: &'a mut Found,
}

impl Lines<'_> {
    /// Adds a line; false when no more fit.
    fn add(&mut self, line_number: Option<u64>, mark: char, line: &[u8]) -> bool {
        let number = line_number.unwrap_or_default();
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        let short = beginning(text, LINE_BYTES_MAX);
        let more = if short.len() < text.len() { " …" } else { "" };
        let line = format!("{}{mark}{number}{mark} {}{more}\n", self.path, shown(short));
        if self.found.text.len() + line.len() > ANSWER_BYTES_MAX {
            self.found.is_full = true;
            return false;
        }
        self.found.text.push_str(&line);
        true
    }
}

impl Sink for Lines<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        if self.found.matches == MATCHES_MAX {
            self.found.is_full = true;
            return Ok(false);
        }
        let is_added = self.add(found.line_number(), ':', found.bytes());
        self.found.matches += usize::from(is_added);
        Ok(is_added)
    }

    fn context(&mut self, _: &Searcher, context: &SinkContext<'_>) -> io::Result<bool> {
        Ok(self.add(context.line_number(), '-', context.bytes()))
    }

    fn context_break(&mut self, _: &Searcher) -> io::Result<bool> {
        self.found.text.push_str("--\n");
        Ok(true)
    }
}

/// Reads until the time is up: one file may be larger than all others together.
struct Limited<R> {
    inner: R,
    deadline: Instant,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if Instant::now() >= self.deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.inner.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_runs_out_of_time_says_so() {
        let folder = tempfile::TempDir::new().unwrap();
        for name in ["a", "b"] {
            std::fs::write(folder.path().join(name), "needle\n").unwrap();
        }
        let workspace = Workspace::open(folder.path()).unwrap();
        let check = |path: Option<&str>| {
            let path = path.map(str::to_owned);
            let arguments = Arguments {
                pattern: "needle".to_owned(),
                path,
                glob: None,
                ignore_case: None,
                context: None,
            };
            search(&workspace, &arguments, Instant::now()).unwrap().text
        };
        insta::assert_snapshot!(check(None), @"[no match; 0 files searched; not everything was searched within 10 s; narrow it by path or glob; 1 file could not be searched]");
        insta::assert_snapshot!(check(Some("b")), @"[no match; 0 files searched; not everything was searched within 10 s; narrow it by path or glob; 1 file could not be searched]");
    }
}
