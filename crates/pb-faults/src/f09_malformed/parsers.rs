//! Lines through every parser that reads what others send.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pb_protocol::ErrorCode;
use pb_protocol::frame::{Request, ServerFrame};
use pb_protocol::ipc::{self, Frame};
use pb_protocol::line::{BadLine, LINE_BYTES_MAX, LineBuffer};
use pb_protocol::link_text::{Glance, glance};
use pb_protocol::methods::{events, goal, params};
use pb_store::Cursor;
use rand::RngExt;
use rand::rngs::StdRng;

use super::generate::{self, SOUND, Wrong};
use crate::Tally;

/// A line that must be read whatever came before it.
const GOOD: &str = r#"{"type":"ping","timestamp":5}"#;

/// Sends so many lines through.
pub(super) fn run(seed: u64, cases: u64) -> Tally {
    let mut tally = Tally { cases, ..Tally::default() };
    for sound in SOUND {
        if let Err(what) = parse(sound) {
            tally.fail(format_args!("{what}: {sound}"));
        }
    }
    for case in 0..cases {
        let mut rng = generate::source(seed, case);
        let (wrong, line) = generate::line(&mut rng);
        let outcome = catch_unwind(AssertUnwindSafe(|| one(&line, &mut rng)));
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(what)) => tally.fail(format_args!("case {case} ({wrong:?}): {what}")),
            Err(_) => tally.fail(format_args!("case {case} ({wrong:?}): a parser panicked")),
        }
        if wrong == Wrong::OverLong {
            tally.count("over-long lines", 1);
        }
    }
    tally
}

/// The line as bytes of a stream, in pieces, with a good one after it; then what it holds.
fn one(line: &[u8], rng: &mut StdRng) -> Result<(), String> {
    let mut stream = line.to_vec();
    stream.push(b'\n');
    stream.extend_from_slice(GOOD.as_bytes());
    stream.push(b'\n');
    let step = match rng.random_range(0..4) {
        0 if stream.len() < 1_000 => 1,
        1 => rng.random_range(1..100) * 97,
        _ => stream.len(),
    };
    let (mut buffer, mut lines) = (LineBuffer::default(), Vec::new());
    for piece in stream.chunks(step) {
        buffer.extend(piece);
        while let Some(line) = buffer.line() {
            lines.push(line.map(str::to_owned));
        }
        // A line that is too long is let go of as it comes.
        if buffer.held() > LINE_BYTES_MAX {
            return Err(format!("{} bytes are held for a line", buffer.held()));
        }
    }
    let expect = if line.len() > LINE_BYTES_MAX {
        Err(BadLine::TooLong)
    } else {
        // A `\r` at the end is white space to the codec, as it is to JSON.
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        String::from_utf8(line.to_vec()).map_err(|_| BadLine::NotUtf8)
    };
    if lines != [expect, Ok(GOOD.to_owned())] {
        return Err(format!("the lines are not what was sent: {} of them", lines.len()));
    }
    if line.len() > LINE_BYTES_MAX {
        return Ok(()); // No parser is ever given it.
    }
    std::str::from_utf8(line).map_or(Ok(()), parse)
}

/// What is seen at a glance is what parsing finds, where the line can be parsed.
fn glance_and_parse(text: &str) -> Result<(), String> {
    let (seen, Ok(parsed)) = (glance(text), ipc::parse(text)) else { return Ok(()) };
    let agree = match (seen, &parsed) {
        (Some(Glance::Event { pos }), Some(Frame::SchedulerEvent(event))) => event.pos == Some(pos),
        (Some(Glance::Delta), Some(Frame::SchedulerDelta(_))) | (None, _) => true,
        _ => false,
    };
    if agree { Ok(()) } else { Err(format!("{seen:?} is seen of {parsed:?}")) }
}

/// The text through every parser; what one of them takes must mean something.
fn parse(text: &str) -> Result<(), String> {
    glance_and_parse(text)?;
    if let Ok(Some(frame)) = ipc::parse(text) {
        let again = ipc::line(&frame, 1);
        if again.matches('\n').count() != 1 || !matches!(ipc::parse(&again), Ok(Some(_))) {
            return Err(format!("a frame of the link does not come back: {again}"));
        }
    }
    match Request::parse(text) {
        Ok(request) => {
            let _ = params::<events::Subscribe>(&request.params); // Either way; it is the way that counts.
            let _ = params::<goal::Submit>(&request.params).map(|params| params.spec.validate());
        }
        Err(error) if error.is(ErrorCode::ParseError) || error.is(ErrorCode::InvalidRequest) => {}
        Err(error) => return Err(format!("a request is refused with {}", error.code)),
    }
    if let Ok(frame) = serde_json::from_str::<ServerFrame>(text) {
        let again = serde_json::to_string(&frame).map_err(|error| error.to_string())?;
        serde_json::from_str::<ServerFrame>(&again).map_err(|error| format!("{error}: {again}"))?;
    }
    if let Ok(cursor) = text.parse::<Cursor>()
        && cursor.to_string().parse() != Ok(cursor)
    {
        return Err("a cursor does not come back".to_owned());
    }
    Ok(())
}
