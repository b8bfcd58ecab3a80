//! What models say and tools print, while they do: on a terminal only, where it can be seen to come.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};

use pb_protocol::frame::EventFrame;

use super::payload::Delta;
use crate::format;
use crate::output::{DIM, styled};

/// Most calls that are remembered as heard; a line about an older one tells its words again.
const HEARD_MAX: usize = 256;
/// Where what is heard begins on a line.
const MARGIN: &str = "             ";

/// What is shown as it comes.
#[derive(Debug)]
pub(super) struct Live {
    is_on: bool,
    /// The call whose words stand in the line that is not ended yet, and whether they are thoughts.
    open: Option<(String, bool)>,
    /// A line end that came last: it is written when something follows.
    owes_line: bool,
    heard: BTreeSet<String>,
}

impl Default for Live {
    fn default() -> Self {
        Self { is_on: std::io::stderr().is_terminal(), open: None, owes_line: false, heard: BTreeSet::new() }
    }
}

impl Live {
    /// Whether there is anybody to see it.
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Shows a piece.
    pub(super) fn hear(&mut self, frame: &EventFrame) {
        let is_piece = matches!(frame.event.as_str(), "llm.stream.chunk" | "tool.output");
        let Some(delta) =
            serde_json::from_str::<Delta>(frame.data.get()).ok().filter(|_| is_piece && self.is_on)
        else {
            return;
        };
        let is_thought = delta.kind.as_deref() == Some("thought");
        let open = (delta.request_id.clone(), is_thought);
        if self.open.as_ref() != Some(&open) {
            self.close();
            self.write(MARGIN);
        }
        let owed = if std::mem::take(&mut self.owes_line) { "\n" } else { "" };
        let chunk = format!("{owed}{}", format::printable(&delta.chunk));
        let text = chunk.strip_suffix('\n').unwrap_or(&chunk);
        self.owes_line = text.len() < chunk.len();
        let text = text.replace('\n', &format!("\n{MARGIN}"));
        let is_dim = delta.tool.is_some() || is_thought;
        self.write(&if is_dim { styled(DIM, text) } else { text });
        if self.heard.len() >= HEARD_MAX {
            self.heard.pop_first();
        }
        if !is_thought {
            self.heard.insert(delta.request_id);
        }
        self.open = Some(open);
    }

    /// Ends the line that is being written, before another one is.
    pub(super) fn close(&mut self) {
        self.owes_line = false;
        if self.open.take().is_some() {
            self.write("\n");
        }
    }

    /// Whether the words of a step were seen as they came.
    pub(super) fn was_heard(&self, run: Option<&str>, step: Option<u32>) -> bool {
        let (Some(run), Some(step)) = (run, step) else { return false };
        let prefix = format!("{run}.{step}.");
        self.heard.iter().any(|request| request.starts_with(&prefix))
    }

    #[expect(clippy::unused_self, reason = "the one place that writes without ending the line")]
    fn write(&self, text: &str) {
        let mut stderr = anstream::stderr().lock();
        // Without standard error there is nobody to tell.
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}
