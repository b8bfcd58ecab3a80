//! What is shown of a conversation while it is held.

use std::io::{IsTerminal, Write};

use pb_protocol::conversation::Turn;
use pb_protocol::frame::EventFrame;
use serde::Deserialize;

use crate::format;
use crate::output::{self, DIM, WARN, styled};

/// What an event of a conversation says.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Told {
    pub(super) turn: Option<Turn>,
    /// Messages up to this turn were answered.
    pub(super) answered: u64,
    pub(super) goal_id: Option<String>,
    /// How a goal ended.
    pub(super) result: Option<String>,
    pub(super) error: Option<String>,
    /// Whether a call that failed is made again.
    pub(super) again: bool,
    pub(super) has_task: bool,
}

impl Told {
    pub(super) fn of(frame: &EventFrame) -> Self {
        serde_json::from_str(frame.data.get()).unwrap_or_default()
    }

    /// Whether the turn is the worker's own and no model's.
    pub(super) fn is_news(&self) -> bool {
        let metadata = self.turn.as_ref().and_then(|turn| turn.metadata.as_ref());
        metadata.is_some_and(|metadata| metadata.worker)
    }
}

/// Standard output, on which answers come word by word where somebody sees it.
pub(super) struct Screen {
    is_live: bool,
    /// The words of the answer that is coming.
    heard: String,
    /// Whether the last thing on it asks for a message.
    prompts: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { is_live: std::io::stdout().is_terminal(), heard: String::new(), prompts: false }
    }

    /// Whether words are shown as they come.
    pub(super) fn is_live(&self) -> bool {
        self.is_live
    }

    /// Shows a piece of an answer.
    pub(super) fn hear(&mut self, frame: &EventFrame) {
        #[derive(Deserialize)]
        struct Piece {
            #[serde(default)]
            kind: String,
            #[serde(default)]
            chunk: String,
        }
        let piece = serde_json::from_str::<Piece>(frame.data.get());
        let Some(piece) = piece.ok().filter(|piece| self.is_live && piece.kind == "text") else { return };
        self.take_prompt_back();
        self.heard.push_str(&piece.chunk);
        self.write(&format::printable(&piece.chunk));
    }

    /// Shows an answer whole, unless it was heard as it came.
    pub(super) fn answer(&mut self, told: &Told) -> anyhow::Result<()> {
        let Some(turn) = &told.turn else { return Ok(()) };
        self.take_prompt_back();
        let heard = std::mem::take(&mut self.heard);
        if heard.trim() == turn.content.trim() && !heard.is_empty() {
            self.write("\n");
            return Ok(());
        }
        if !heard.is_empty() {
            self.write("\n"); // What was heard was not all of it, or of a call that failed.
        }
        let text = format::printable(&turn.content);
        output::data(if told.is_news() { styled(DIM, text) } else { text.into_owned() })
    }

    /// A call failed and is made again.
    pub(super) fn failed(&mut self, told: &Told) {
        self.break_off();
        let error = told.error.as_deref().unwrap_or("no answer");
        output::note(styled(WARN, format_args!("trying again: {}", format::line(error))));
    }

    /// Ends the line that is being written.
    pub(super) fn break_off(&mut self) {
        self.take_prompt_back();
        if !std::mem::take(&mut self.heard).is_empty() {
            self.write("\n");
        }
    }

    /// Asks for the next message.
    pub(super) fn prompt(&mut self) {
        if self.is_live && std::io::stdin().is_terminal() {
            self.write("\n> ");
            self.prompts = true;
        }
    }

    /// The person has ended the line after the prompt.
    pub(super) fn entered(&mut self) {
        self.prompts = false;
    }

    /// What comes while a message is awaited stands where the prompt was.
    fn take_prompt_back(&mut self) {
        if std::mem::take(&mut self.prompts) {
            self.write("\r\x1b[K");
        }
    }

    #[expect(clippy::unused_self, reason = "the one place that writes without ending the line")]
    fn write(&self, text: &str) {
        let mut stdout = anstream::stdout().lock();
        // A closed pipe: the person has seen enough.
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }
}
