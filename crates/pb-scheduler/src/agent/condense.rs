//! A conversation that outgrew its model's window: what of it is told in short, and when.
//!
//! What is sent follows from the journal and from [`Condensed`], a fact of the run; so it is the same after a
//! crash, and its beginning stays the same from turn to turn until the next time. In this order, and no further
//! than need be:
//!
//! 1. results of tools, oldest first, become one line each; those of the last turns stay,
//! 2. turns, oldest first, become one line a call; the last ones stay,
//! 3. only the last turn stays, at last with its results cut.
//!
//! The system's text and the task are never left out, and what counts of them is told again after what is told
//! in short.

use pb_llm::Message;
use pb_model::goal::Condensed;

use super::talk::{Part, Talk, one_line, without_marks};
use super::think::beginning;

/// Turns that stay as they were said, as long as that is possible.
const LAST_TURNS: usize = 4;
/// How far below the limit a conversation gets that is above it, in percent: it must not happen in each turn.
const TARGET_PERCENT: u64 = 50;
/// To how many bytes results of the last turn are cut, if they must be; the mildest first.
const CUT_BYTES: [u32; 7] = [32 << 10, 16 << 10, 8 << 10, 4 << 10, 2 << 10, 1 << 10, 512];
/// Most lines that stand for turns; of older ones, how many there are.
const LINES_MAX: usize = 200;

/// What is told of turns that are left out.
pub(super) struct Told {
    /// One line for each call and for words, oldest first.
    pub(super) lines: Vec<String>,
    /// How many older ones are left out.
    pub(super) left_out: usize,
}

/// Where a request has at most `limit` bytes: nothing if it has already, else what to tell in short from now on.
/// `size` is the request's length when so much is.
///
/// # Errors
/// Its least length, if it does not fit however much is left out.
pub(super) fn fit(
    talk: &Talk,
    now: Condensed,
    limit: u64,
    size: impl Fn(Condensed) -> u64,
) -> Result<Option<Condensed>, u64> {
    let is = size(now);
    if is <= limit {
        return Ok(None);
    }
    let ladder = ladder(talk, now);
    // Within a part of the ladder each rung is shorter than the last, so the first that fits is found by halving.
    let first = |limit: u64| {
        ladder.iter().find_map(|rungs| {
            rungs.last().filter(|hardest| size(**hardest) <= limit)?;
            rungs.get(rungs.partition_point(|rung| size(*rung) > limit)).or(rungs.last())
        })
    };
    match first(limit * TARGET_PERCENT / 100).or_else(|| first(limit)) {
        Some(rung) => Ok(Some(*rung)),
        None => Err(ladder.iter().flatten().map(|rung| size(*rung)).min().unwrap_or(is).min(is)),
    }
}

/// What may be told in short, beyond what is already: milder first, in parts.
fn ladder(talk: &Talk, now: Condensed) -> Vec<Vec<Condensed>> {
    let ends = turn_ends(talk);
    let older = &ends[..ends.len().saturating_sub(LAST_TURNS)];
    let all_but_last = ends.len().checked_sub(2).and_then(|last| ends.get(last)).copied();
    let results = |until: u32| Condensed { results_until: now.results_until.max(until), ..now };
    let turns = |until: u32, results_until: u32| Condensed {
        turns_until: now.turns_until.max(until),
        ..results(results_until)
    };
    let hard = all_but_last.map_or(now, |until| turns(until, until));
    let cut = |cut_bytes: u32| Condensed { cut_until: ends.last().copied().unwrap_or(0), cut_bytes, ..hard };
    let last_older = older.last().copied().unwrap_or(0);
    vec![
        older.iter().map(|until| results(*until)).collect(),
        older.iter().map(|until| turns(*until, last_older)).collect(),
        vec![hard],
        CUT_BYTES.map(cut).to_vec(),
    ]
}

/// The last place in the journal of each turn: an answer, and what its calls came to.
fn turn_ends(talk: &Talk) -> Vec<u32> {
    let mut ends: Vec<u32> = Vec::new();
    for part in &talk.parts {
        match (&part.message, ends.last_mut()) {
            (Message::Assistant(_), _) => ends.push(part.n),
            (Message::Tool { .. }, Some(last)) => *last = part.n,
            _ => {}
        }
    }
    ends
}

/// How many turns, and how many further results, are told in short.
pub(super) fn counted(talk: &Talk, how: Condensed) -> (u32, u32) {
    let turns = turn_ends(talk).into_iter().filter(|end| *end <= how.turns_until).count();
    let is_short = |part: &&Part| {
        let short = how.turns_until < part.n && part.n <= how.results_until;
        short && matches!(part.message, Message::Tool { .. })
    };
    let results = talk.parts.iter().filter(is_short).count();
    (u32::try_from(turns).unwrap_or(u32::MAX), u32::try_from(results).unwrap_or(u32::MAX))
}

/// The conversation as it is sent. `tell` puts into words what is told of turns that are left out, and what
/// still counts.
pub(super) fn messages<E>(
    talk: &Talk,
    how: Condensed,
    tell: impl Fn(Told) -> Result<String, E>,
) -> Result<Vec<Message>, E> {
    let opening = talk.parts.iter().position(|part| matches!(part.message, Message::Assistant(_)));
    let (opening, turns) = talk.parts.split_at(opening.unwrap_or(talk.parts.len()));
    let mut messages: Vec<Message> = opening.iter().map(|part| part.message.clone()).collect();
    let left_out = turns.partition_point(|part| part.n <= how.turns_until);
    if left_out > 0 {
        append(&mut messages, &tell(told(&turns[..left_out]))?);
    }
    for part in &turns[left_out..] {
        match (&part.message, messages.last()) {
            // Some models want to hear and to speak by turns.
            (Message::User { text }, Some(Message::User { .. })) if left_out > 0 => {
                append(&mut messages, text);
            }
            _ => messages.push(shortened(part, how)),
        }
    }
    Ok(messages)
}

/// Adds to what a model is told last.
fn append(messages: &mut Vec<Message>, more: &str) {
    match messages.last_mut() {
        Some(Message::User { text }) => {
            text.push_str("\n\n");
            text.push_str(more);
        }
        _ => messages.push(Message::User { text: more.to_owned() }),
    }
}

fn told(parts: &[Part]) -> Told {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match &part.message {
            Message::Assistant(said) if !said.text.trim().is_empty() => {
                lines.push(format!("- you said: {}", without_marks(&one_line(&said.text))));
            }
            Message::Tool { .. } => lines.push(format!("- {}", without_marks(&part.line))),
            Message::Assistant(_) | Message::System { .. } | Message::User { .. } => {}
        }
    }
    let left_out = lines.len().saturating_sub(LINES_MAX);
    lines.drain(..left_out);
    Told { lines, left_out }
}

/// A message, or what is told of it in short.
fn shortened(part: &Part, how: Condensed) -> Message {
    let Message::Tool { call_id, name, content } = &part.message else {
        return part.message.clone();
    };
    let with = |content: String| Message::Tool { call_id: call_id.clone(), name: name.clone(), content };
    if part.n <= how.results_until {
        let line = format!("[left out to make room: {}]", without_marks(&part.line));
        return with(if line.len() < content.len() { line } else { content.clone() });
    }
    let cut_bytes = how.cut_bytes as usize;
    if part.n <= how.cut_until && content.len() > cut_bytes {
        let kept = beginning(content, cut_bytes);
        let left_out = content.len() - kept.len();
        return with(format!(
            "{kept}\n</tool_result>\n[{left_out} bytes of this are left out to make room: ask for less at a time]"
        ));
    }
    part.message.clone()
}

#[cfg(test)]
mod tests;
