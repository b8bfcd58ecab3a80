//! What a model may have meant by a passage that is not there.

use std::collections::HashMap;
use std::fmt::Write as _;

use similar::get_close_matches;

use super::lines::{Line, lines};
use crate::text::{beginning, shown};

/// Most lines of the passage that are looked up.
const WANTED_LINES_MAX: usize = 50;
/// Most lines of the file at which one wanted line votes for a place.
const VOTES_PER_LINE_MAX: usize = 200;
/// Most different lines of the file that are compared character by character.
const COMPARED_LINES_MAX: usize = 2_000;
/// Longest line that is compared character by character, in bytes.
const COMPARED_BYTES_MAX: usize = 300;
/// How alike two lines must be, from 0 to 1.
const CUTOFF: f32 = 0.6;
/// Most lines that are shown.
const SHOWN_LINES_MAX: usize = 15;
/// Longest line that is shown, in bytes.
const SHOWN_BYTES_MAX: usize = 200;

/// The part of `text` that is most like `passage`, with line numbers; `None` if none is.
pub(super) fn closest(text: &str, passage: &str) -> Option<String> {
    let there = lines(text);
    let wanted = lines(passage);
    let start = by_equal_lines(&there, &wanted).or_else(|| by_similar_line(&there, &wanted))?;
    let mut shown_lines = String::new();
    let count = wanted.len().clamp(1, SHOWN_LINES_MAX);
    for (index, line) in there.iter().enumerate().skip(start).take(count) {
        let _ = write!(shown_lines, "\n{}: {}", index + 1, shown(beginning(line.text, SHOWN_BYTES_MAX)));
    }
    Some(shown_lines)
}

/// Each line of the passage votes for where the passage would start if it were this one.
fn by_equal_lines(there: &[Line<'_>], wanted: &[Line<'_>]) -> Option<usize> {
    let mut numbers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, line) in there.iter().enumerate() {
        let numbers = numbers.entry(line.text.trim()).or_default();
        if numbers.len() < VOTES_PER_LINE_MAX {
            numbers.push(number);
        }
    }
    let mut votes: HashMap<usize, usize> = HashMap::new();
    for (offset, line) in wanted.iter().enumerate().take(WANTED_LINES_MAX) {
        // A line without a letter or digit, such as `}`, stands everywhere and says nothing.
        if !line.text.contains(char::is_alphanumeric) {
            continue;
        }
        for number in numbers.get(line.text.trim()).into_iter().flatten() {
            *votes.entry(number.saturating_sub(offset)).or_default() += 1;
        }
    }
    votes.into_iter().max_by_key(|(start, count)| (*count, usize::MAX - start)).map(|(start, _)| start)
}

/// The line that is most like the longest one of the passage.
fn by_similar_line(there: &[Line<'_>], wanted: &[Line<'_>]) -> Option<usize> {
    let (offset, longest) =
        wanted.iter().enumerate().take(WANTED_LINES_MAX).max_by_key(|(_, line)| line.text.trim().len())?;
    let word = beginning(longest.text.trim(), COMPARED_BYTES_MAX);
    let mut first_numbers: HashMap<&str, usize> = HashMap::new();
    let mut candidates = Vec::new();
    for (number, line) in there.iter().enumerate() {
        let text = beginning(line.text.trim(), COMPARED_BYTES_MAX);
        // Lines of other lengths cannot be alike enough.
        let close_in_length = text.len() * 3 >= word.len() && word.len() * 3 >= text.len();
        if !text.is_empty() && close_in_length && !first_numbers.contains_key(text) {
            first_numbers.insert(text, number);
            candidates.push(text);
            if candidates.len() == COMPARED_LINES_MAX {
                break;
            }
        }
    }
    let best = get_close_matches(word, &candidates, 1, CUTOFF);
    best.first().and_then(|line| first_numbers.get(line)).map(|number| number.saturating_sub(offset))
}
