//! `read_file`: text, a piece at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take};

use futures_util::future::BoxFuture;
use pb_model::Effect;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::{Workspace, explain, in_workspace, name};
use crate::{Output, Scope, ToolError, TypedTool};

/// Most bytes of a file in one answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How far into a file lines are counted, in bytes.
const COUNTED_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How much of the beginning must be without a zero byte, for the file to be text, in bytes.
const LOOKED_AT_BYTES: usize = 8 * 1024;

#[derive(Debug)]
pub(super) struct ReadFile;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The file, relative to the workspace.
    path: String,
    /// The first line to read, from 1; the first of the file if absent.
    offset: Option<u64>,
    /// Most lines to read; all that fit if absent.
    limit: Option<u64>,
}

impl TypedTool for ReadFile {
    type Arguments = Arguments;
    const NAME: &'static str = "read_file";
    const DESCRIPTION: &'static str = "Reads a text file, at most 64 KiB at a time. If it is not all of the \
         file, the first line of the answer, in brackets, says which lines these are and how to read on.";
    const EFFECT: Option<Effect> = Some(Effect::Pure);

    fn about(arguments: &Arguments) -> String {
        let Arguments { path, offset, limit } = arguments;
        match (offset.unwrap_or(1), limit) {
            (0 | 1, None) => path.clone(),
            (from, None) => format!("{path} from line {from}"),
            (from, Some(limit)) => format!("{path} from line {from}, at most {limit}"),
        }
    }

    fn run<'a>(&'a self, arguments: Arguments, scope: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
        in_workspace(scope, move |workspace| {
            let text = read(workspace, &arguments)?;
            Ok(Output { text, ok: true })
        })
    }
}

fn read(workspace: &Workspace, arguments: &Arguments) -> Result<String, ToolError> {
    let path = arguments.path.as_str();
    let refuse = |why: String| ToolError::Model(format!("{}: {why}", name(path)));
    let wrong = |error: io::Error| explain(path, &error);
    let (file, bytes) = workspace.open_file(path)?;
    let mut reader = Reader::new(file);
    if reader.is_binary().map_err(wrong)? {
        return Err(refuse(format!("a binary file of {bytes} bytes; use run_command to look into it")));
    }
    let first = arguments.offset.unwrap_or(1).max(1);
    let skipped = reader.skip(first - 1).map_err(wrong)?;
    if skipped < first - 1 {
        let why = if reader.is_at_end().map_err(wrong)? {
            format!("has only {skipped} lines")
        } else {
            "is too large to count its lines that far; use run_command".to_owned()
        };
        return Err(refuse(why));
    }
    let limit = arguments.limit.unwrap_or(u64::MAX).max(1);
    let piece = reader.take(limit).map_err(wrong)?;
    if piece.bytes.is_empty() {
        let why = if first == 1 {
            "[the file is empty]".to_owned()
        } else {
            format!("[the file ends before line {first}]")
        };
        return Ok(why);
    }
    if piece.bytes.contains(&0) {
        return Err(refuse("a binary file; use run_command to look into it".to_owned()));
    }
    let more = reader.skip(u64::MAX).map_err(wrong)?;
    let total = reader.is_at_end().map_err(wrong)?.then_some(skipped + piece.lines + more);
    Ok(present(&piece, first, total))
}

/// What was read, with a line in front that says what it is if it is not simply the file.
fn present(piece: &Piece, first: u64, total: Option<u64>) -> String {
    let last = first + piece.lines.saturating_sub(1);
    let mut notes = Vec::new();
    if first > 1 || piece.is_cut || total != Some(last) {
        let of = total.map_or_else(|| "a very large file".to_owned(), |total| total.to_string());
        notes.push(format!("lines {first} to {last} of {of}"));
    }
    if piece.is_cut {
        notes.push(format!("line {last} is cut; use run_command to see the rest of it"));
    }
    if total.is_none_or(|total| last < total) {
        notes.push(format!("read on with offset {}", last + 1));
    }
    let text = String::from_utf8_lossy(&piece.bytes);
    if matches!(text, std::borrow::Cow::Owned(_)) {
        notes.push("not all of it is UTF-8: broken bytes are shown as U+FFFD".to_owned());
    }
    if notes.is_empty() { text.into_owned() } else { format!("[{}]\n{text}", notes.join("; ")) }
}

/// Some lines of a file.
#[derive(Debug, Default)]
struct Piece {
    bytes: Vec<u8>,
    lines: u64,
    /// Whether the last line, being longer than an answer, is not whole.
    is_cut: bool,
}

struct Reader {
    inner: BufReader<Take<File>>,
}

impl Reader {
    fn new(file: File) -> Self {
        Self { inner: BufReader::with_capacity(ANSWER_BYTES_MAX, file.take(COUNTED_BYTES_MAX)) }
    }

    fn is_binary(&mut self) -> io::Result<bool> {
        Ok(self.inner.fill_buf()?.iter().take(LOOKED_AT_BYTES).any(|byte| *byte == 0))
    }

    /// Skips lines, and says how many there were. A last one without a line end is one.
    fn skip(&mut self, lines_max: u64) -> io::Result<u64> {
        let mut lines = 0;
        let mut is_inside = false;
        while lines < lines_max {
            let buffer = self.inner.fill_buf()?;
            if buffer.is_empty() {
                return Ok(lines + u64::from(is_inside));
            }
            let (used, ended) = line_end(buffer);
            self.inner.consume(used);
            is_inside = !ended;
            lines += u64::from(ended);
        }
        Ok(lines)
    }

    /// Takes whole lines as long as they fit; a first line that does not fit is cut.
    fn take(&mut self, lines_max: u64) -> io::Result<Piece> {
        let mut piece = Piece::default();
        while piece.lines < lines_max {
            let room = ANSWER_BYTES_MAX - piece.bytes.len();
            let start = piece.bytes.len();
            if !self.append_line(&mut piece.bytes, room)? {
                if start == 0 {
                    cut_at_character(&mut piece.bytes);
                    piece.is_cut = true;
                    piece.lines = 1;
                    self.skip(1)?;
                } else {
                    piece.bytes.truncate(start);
                    // The rest of the line counts as a line when what remains is counted.
                }
                return Ok(piece);
            }
            if piece.bytes.len() == start {
                return Ok(piece);
            }
            piece.lines += 1;
        }
        Ok(piece)
    }

    /// Appends the next line, or what there is of it at the end; false if it is longer than `room`.
    fn append_line(&mut self, bytes: &mut Vec<u8>, mut room: usize) -> io::Result<bool> {
        loop {
            let buffer = self.inner.fill_buf()?;
            if buffer.is_empty() {
                return Ok(true);
            }
            let (used, ended) = line_end(buffer);
            let fits = used.min(room);
            bytes.extend(buffer.iter().take(fits));
            if used > room {
                self.inner.consume(fits);
                return Ok(false);
            }
            self.inner.consume(used);
            room -= used;
            if ended {
                return Ok(true);
            }
        }
    }

    fn is_at_end(&mut self) -> io::Result<bool> {
        // What is left of the allowance tells the end of the file from that of the counting.
        Ok(self.inner.fill_buf()?.is_empty() && self.inner.get_ref().limit() > 0)
    }
}

/// How many bytes of the buffer belong to its first line, and whether that line ends in it.
fn line_end(buffer: &[u8]) -> (usize, bool) {
    match buffer.iter().position(|byte| *byte == b'\n') {
        Some(index) => (index + 1, true),
        None => (buffer.len(), false),
    }
}

/// Cuts the unfinished character, if any, off the end.
fn cut_at_character(bytes: &mut Vec<u8>) {
    if let Err(error) = std::str::from_utf8(bytes)
        && error.error_len().is_none()
    {
        bytes.truncate(error.valid_up_to());
    }
}
