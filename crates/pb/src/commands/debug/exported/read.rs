//! Reading such a file, which anybody may have written.

use std::io::{self, BufRead};

use pb_model::goal::GoalState;
use pb_store::{NewEvent, TraceEvent};

use super::{Counts, EventLine, FORMAT, Header, Line, TraceLine, VERSION};
use crate::format;

/// Longest first line, in bytes.
const HEADER_BYTES_MAX: u64 = 64 * 1024;
/// Longest line of an event, in bytes: more than what a goal is filled with, or a workspace's list of files.
const EVENT_LINE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Longest line of the rows, in bytes.
const ROWS_LINE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// What the line of the rows begins with, as it is written.
const ROWS_BEGIN: &[u8] = br#"{"rows":"#;
/// Largest file, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Most events of each kind; a goal is stopped at 200,000.
const EVENTS_MAX: u64 = 2_000_000;

/// Why a file is not shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Wrong {
    #[error("`pb debug export` has not written it")]
    Foreign,
    #[error("pb {by} wrote it in form {form}, and this one knows form {VERSION}")]
    Later { by: String, form: u32 },
    #[error("it was cut short after line {lines}")]
    Cut { lines: u64 },
    #[error("line {line} cannot be understood")]
    Damaged {
        line: u64,
        #[source]
        source: Told,
    },
    #[error("{0}")]
    Changed(String),
    #[error("line {line} is longer than {bytes_max} bytes")]
    TooLong { line: u64, bytes_max: u64 },
    #[error("it is larger than {} GiB", FILE_BYTES_MAX >> 30)]
    TooLarge,
    #[error("it has more than {EVENTS_MAX} events")]
    TooMany,
    #[error("line {line} cannot be read")]
    Io {
        line: u64,
        #[source]
        source: io::Error,
    },
}

/// Why a line cannot be understood. It quotes the line, but nothing that a terminal obeys.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Told(String);

impl Told {
    fn of(error: &serde_json::Error) -> Self {
        Self(format::line(&error.to_string()))
    }
}

impl Wrong {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Foreign => "make one with: pb debug export ID",
            Self::Later { .. } => "open it with a pb that is as new as that one",
            Self::Cut { .. } => "have it sent again, whole",
            Self::Damaged { .. } | Self::Changed(_) | Self::TooLong { .. } | Self::TooMany => {
                "have it written anew: pb debug export ID"
            }
            Self::TooLarge => "it is no goal's: make sure that it is the right file",
            Self::Io { .. } => "look at the disk that it lies on",
        }
    }
}

/// What stands in such a file, one thing after the other.
#[derive(Debug)]
pub(crate) enum Read {
    Event(NewEvent),
    Trace(Box<TraceEvent>),
    Rows(Box<GoalState>),
}

/// Reads such a file.
#[derive(Debug)]
pub(crate) struct Reader<R> {
    from: R,
    /// The number of the line that was read last, from 1.
    line: u64,
    /// Bytes that were read.
    bytes: u64,
    /// The number of the event that was read last.
    seq: Option<u64>,
    counts: Counts,
    digest: blake3::Hasher,
}

impl<R: BufRead> Reader<R> {
    /// Reads what it is about.
    ///
    /// # Errors
    /// It is no such file, or one of a later version.
    pub(crate) fn begin(from: R) -> Result<(Header, Self), Wrong> {
        let mut reader = Self {
            from,
            line: 0,
            bytes: 0,
            seq: None,
            counts: Counts::default(),
            digest: blake3::Hasher::new(),
        };
        let first = reader.next_line(HEADER_BYTES_MAX).map_err(|error| match error {
            Wrong::Io { .. } => error,
            _ => Wrong::Foreign,
        })?;
        reader.digest.update(&first);
        let header: Header = serde_json::from_slice(&first).map_err(|_| Wrong::Foreign)?;
        if header.format != FORMAT {
            return Err(Wrong::Foreign);
        }
        if header.version > VERSION {
            return Err(Wrong::Later { by: format::line(&header.by), form: header.version });
        }
        Ok((header, reader))
    }

    /// The next thing; `None` at its end, which must be there.
    ///
    /// # Errors
    /// There is no end, or something before it is not as it was written.
    pub(crate) fn next(&mut self) -> Result<Option<Read>, Wrong> {
        if self.counts.events.max(self.counts.trace) > EVENTS_MAX {
            return Err(Wrong::TooMany);
        }
        let text = self.next_line(EVENT_LINE_BYTES_MAX)?;
        let damaged = |error| Wrong::Damaged { line: self.line, source: Told::of(&error) };
        let line = serde_json::from_slice(&text).map_err(damaged)?;
        let digest = self.digest.finalize().to_hex();
        self.digest.update(&text);
        Ok(Some(match line {
            Line::Event(event) => Read::Event(self.event(event)?),
            Line::Trace(told) => {
                self.counts.trace += 1;
                Read::Trace(Box::new(told.into()))
            }
            Line::Rows(rows) => Read::Rows(rows),
            Line::End(end) if end.blake3 == digest.as_str() => return Ok(None),
            Line::End(_) => {
                return Err(Wrong::Changed("it is not as it was written: its digest is another".to_owned()));
            }
        }))
    }

    fn event(&mut self, event: EventLine) -> Result<NewEvent, Wrong> {
        let EventLine { seq, id, at, kind, body, data } = event;
        if self.seq.is_some_and(|before| seq != before + 1) {
            let line = self.line;
            return Err(Wrong::Changed(format!("the event of line {line} does not follow the one before")));
        }
        self.seq = Some(seq);
        self.counts.events += 1;
        Ok(NewEvent { id, at_ms: at, kind, body: body.get().to_owned(), data: data.get().to_owned() })
    }

    /// What was read so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    fn next_line(&mut self, bytes_max: u64) -> Result<Vec<u8>, Wrong> {
        let (mut text, mut bytes_max) = (Vec::new(), bytes_max);
        let mut whole = self.more(&mut text, bytes_max)?;
        if !whole && text.starts_with(ROWS_BEGIN) {
            let before = std::mem::replace(&mut bytes_max, ROWS_LINE_BYTES_MAX);
            whole = self.more(&mut text, ROWS_LINE_BYTES_MAX - before)?;
        }
        if !whole {
            return Err(Wrong::TooLong { line: self.line + 1, bytes_max });
        }
        self.line += 1;
        self.bytes += text.len() as u64;
        if self.bytes > FILE_BYTES_MAX { Err(Wrong::TooLarge) } else { Ok(text) }
    }

    /// Reads on in a line, at most so many bytes. Whether it ended.
    fn more(&mut self, text: &mut Vec<u8>, bytes_max: u64) -> Result<bool, Wrong> {
        let mut bounded = io::Read::take(&mut self.from, bytes_max);
        let read = bounded.read_until(b'\n', text);
        let count = read.map_err(|source| Wrong::Io { line: self.line + 1, source })?;
        if text.ends_with(b"\n") {
            Ok(true)
        } else if count as u64 == bytes_max {
            Ok(false)
        } else {
            Err(Wrong::Cut { lines: self.line })
        }
    }
}

impl From<TraceLine> for TraceEvent {
    fn from(told: TraceLine) -> Self {
        let TraceLine { id, at, kind, source, goal, item, run, step, span, parent, data } = told;
        let data = data.get().to_owned();
        Self { id, at_ms: at, kind, source, goal, item, run, step, span, parent, data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"format":"pb-goal","version":1,"goal":"g","title":"t","exportedAt":1,"by":"0"}"#;

    fn refused(text: &[u8]) -> String {
        let read = || {
            let (_, mut reader) = Reader::begin(text)?;
            while reader.next()?.is_some() {}
            Ok::<_, Wrong>(())
        };
        read().unwrap_err().to_string()
    }

    fn event(seq: u64) -> String {
        format!(r#"{{"event":{{"seq":{seq},"id":"a","at":1,"kind":"k","body":{{}},"data":{{}},"later":1}}}}"#)
    }

    #[test]
    fn what_is_no_such_file_or_not_all_of_one_is_refused_with_the_reason() {
        let (one, three) = (event(1), event(3));
        let later = HEADER.replace("\"version\":1", "\"version\":2");
        let long = "x".repeat(100_000);
        for (text, why) in [
            (String::new(), "`pb debug export` has not written it"),
            ("{}\n".to_owned(), "`pb debug export` has not written it"),
            (long, "`pb debug export` has not written it"),
            (HEADER.replace("pb-goal", "tar") + "\n", "`pb debug export` has not written it"),
            (later + "\n", "pb 0 wrote it in form 2, and this one knows form 1"),
            (format!("{HEADER}\n{one}\n"), "it was cut short after line 2"),
            (format!("{HEADER}\n{one}"), "it was cut short after line 1"),
            (
                format!("{HEADER}\n{one}\n{{\"end\":{{\"events\":1,\"trace\":0,\"blake3\":\"00\"}}}}\n"),
                "it is not as it was written: its digest is another",
            ),
            (format!("{HEADER}\n{one}\n{three}\n"), "the event of line 3 does not follow the one before"),
            (format!("{HEADER}\n{{\"what\":1}}\n"), "line 2 cannot be understood"),
        ] {
            assert_eq!(refused(text.as_bytes()), why);
        }
        assert_eq!(refused(b"\x1f\x8b\xff\n"), "`pb debug export` has not written it");
    }

    #[test]
    fn an_event_has_shorter_lines_than_the_rows() {
        let long = |begin: &str| format!("{HEADER}\n{begin}{}\n", " ".repeat(33 * 1024 * 1024));
        assert_eq!(refused(long("{\"event\":").as_bytes()), "line 2 is longer than 33554432 bytes");
        assert_eq!(refused(long("{\"rows\":").as_bytes()), "line 2 cannot be understood");
    }

    #[test]
    fn what_is_quoted_of_it_moves_no_terminal() {
        let by = HEADER.replace("\"by\":\"0\"", r#""version":2,"by":"\u001b[2J0\nhint: x""#);
        let by = by.replace("\"version\":1,", "");
        let why = "pb \u{fffd}[2J0 hint: x wrote it in form 2, and this one knows form 1";
        assert_eq!(refused(format!("{by}\n").as_bytes()), why);
        let kind = format!("{HEADER}\n{{\"\\u001b[2J\":1}}\n");
        let (_, mut reader) = Reader::begin(kind.as_bytes()).unwrap();
        let Err(Wrong::Damaged { source, .. }) = reader.next() else { panic!("it is understood") };
        let told = source.to_string();
        assert!(told.contains("\u{fffd}[2J") && !told.contains('\u{1b}'), "{told}");
    }

    #[test]
    fn keys_of_later_versions_are_passed_over() {
        let lines = format!("{HEADER}\n{}\n", event(7));
        let digest = blake3::hash(lines.as_bytes()).to_hex();
        let whole =
            format!("{lines}{{\"end\":{{\"events\":1,\"trace\":0,\"blake3\":\"{digest}\",\"later\":1}}}}\n");
        let (_, mut reader) = Reader::begin(whole.as_bytes()).unwrap();
        assert!(matches!(reader.next(), Ok(Some(Read::Event(event))) if event.id == "a"));
        assert!(reader.next().unwrap().is_none());
    }
}
