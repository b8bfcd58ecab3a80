//! The lines of a conversation: what a model said and what it cost, what its tools did.

use super::payload::Payload;
use crate::format;
use crate::output::{BAD, DIM, WARN, styled};

/// Lines of a tool's result that are shown; `pb goal logs` shows all.
const RESULT_LINES_MAX: usize = 8;
/// Longest line of a result that is shown, in characters.
const RESULT_CHARS_MAX: usize = 160;
/// Where what belongs to a line stands.
const MARGIN: usize = 13;

/// What models have cost so far.
#[derive(Debug, Default)]
pub(super) struct Turns {
    tokens: u64,
    micro_usd: u64,
    /// A model was called whose price nobody has said.
    unpriced: bool,
}

impl Turns {
    /// The line about a call of a model. Words that were seen as they came are not told again.
    pub(super) fn of_model(&mut self, what: &str, payload: &Payload, was_heard: bool) -> Option<String> {
        if what == "requested" {
            return None; // Nothing has been spent.
        }
        self.tokens += payload.tokens.unwrap_or_default();
        self.micro_usd += micro(payload.cost_usd.unwrap_or_default());
        self.unpriced |= payload.cost_usd.is_none();
        match what {
            "answered" => Some(self.answered(payload, was_heard)),
            "failed" => {
                let why =
                    payload.error.as_ref().map(|error| format::line(&error.message)).unwrap_or_default();
                let charged = match payload.assumed {
                    Some(true) => format!(", charged in full: {}", self.cost(payload)),
                    Some(false) | None => String::new(),
                };
                let next = if payload.not_before.is_some() { "; asking again" } else { "" };
                Some(format!("{}: {why}{charged}{next}", styled(WARN, "the model failed")))
            }
            _ => None,
        }
    }

    fn answered(&self, payload: &Payload, was_heard: bool) -> String {
        let said = payload.text.as_deref().map(str::trim).filter(|text| !text.is_empty() && !was_heard);
        let calls: Vec<&str> = payload.calls.iter().map(|call| call.tool.as_str()).collect();
        let head = match (said, calls.is_empty()) {
            (None, true) => "said what it had to say".to_owned(),
            (Some(_), true) => "says".to_owned(),
            (_, false) => format!("calls {}", format::line(&calls.join(", "))),
        };
        let mut text = format!("{head}  {}", styled(DIM, self.cost(payload)));
        if let Some(said) = said {
            text.push('\n');
            text.push_str(&format::indented(said, MARGIN));
        }
        text
    }

    fn cost(&self, payload: &Payload) -> String {
        let tokens = match (payload.input_tokens, payload.output_tokens) {
            (Some(input), Some(output)) => format!("{input} + {output} tokens"),
            _ => format!("{} tokens assumed", payload.tokens.unwrap_or_default()),
        };
        // That a price is unknown is told once, at the end.
        match payload.cost_usd {
            Some(usd) if !self.unpriced => {
                let all = format::spent(self.tokens, self.micro_usd, false);
                format!("{tokens}, {}; in all {all}", format::usd(micro(usd)))
            }
            _ => format!("{tokens}; in all {}", format::count(self.tokens, "token")),
        }
    }
}

/// The line about a call of a tool, with the beginning of what it came to.
pub(super) fn of_tool(payload: &Payload, was_heard: bool) -> Option<String> {
    let tool = payload.tool.as_deref()?;
    let title = payload.title.as_deref().unwrap_or_default();
    let name = format::line(format!("{tool} {title}").trim_end());
    let duration = format::duration(payload.duration_ms.unwrap_or_default());
    let (head, shown) = match payload.outcome.as_deref() {
        Some("ok") => (name, tool == RUN_COMMAND),
        // What it says at its end is its title, unless that had to be cut. A plan has its own line.
        Some("finished") => {
            let is_whole = payload.found.as_deref().is_none_or(|found| found.trim() == title.trim());
            (name, tool == FINISH && !is_whole)
        }
        Some("withheld") => (format!("{}: {name}", styled(WARN, "not repeated")), true),
        _ => (format!("{name}: {}", styled(BAD, "failed")), true),
    };
    let mut text = format!("{head}  {}", styled(DIM, duration));
    let found = payload.found.as_deref().unwrap_or_default();
    if shown && !was_heard && !found.trim().is_empty() {
        text.push('\n');
        text.push_str(&excerpt(found));
    }
    Some(text)
}

/// The tool whose results people want to see.
const RUN_COMMAND: &str = "run_command";
/// The tool by which an agent says that it is done.
const FINISH: &str = "finish";

fn excerpt(found: &str) -> String {
    let lines: Vec<&str> = found.trim_end().lines().collect();
    let cut = |line: &&str| match line.char_indices().nth(RESULT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => (*line).to_owned(),
    };
    let mut shown: Vec<String> = lines.iter().take(RESULT_LINES_MAX).map(cut).collect();
    if lines.len() > RESULT_LINES_MAX {
        shown.push(format!("… {} more lines", lines.len() - RESULT_LINES_MAX));
    }
    let text = format::indented(&shown.join("\n"), MARGIN);
    text.lines().map(|line| styled(DIM, line)).collect::<Vec<_>>().join("\n")
}

fn micro(usd: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates; what we send is not negative")]
    let micro = (usd * 1_000_000.0).round() as u64;
    micro
}
