//! The conversation of a run, folded from its journal: always, so that going on after a crash needs
//! nothing of its own. What was folded before is kept and folded on (`talks.rs`): without that a
//! turn would cost more with each turn.

use pb_llm::{Message, Said, ToolCall, estimate};
use pb_model::goal::CallEnd;
use pb_store::Step;

use super::journal::{ModelStep, ToolStep};
use super::think::beginning;

/// Longest line that stands for a call or for words, without its end, in bytes.
const LINE_BYTES_MAX: usize = 160;

/// A message, and the place of the step that it is of in the journal.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) n: u32,
    pub(super) message: Message,
    /// In one line, what a call was and how it ended; only of results.
    pub(super) line: String,
}

/// A conversation so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Talk {
    /// Everything that was said, in order.
    pub(super) parts: Vec<Part>,
    /// Tokens a byte, as the last answer showed. Of the journal and not of the process, so that what fits is
    /// the same after a crash.
    pub(super) ratio: Option<f64>,
    /// The last answer, and its place in the journal.
    last: Option<(u32, Said)>,
    /// The last place of the journal that is in it.
    folded: u32,
}

impl Talk {
    /// Folds the journal of a run. Steps without a result are those that a crash cut off: nobody
    /// heard what they came to.
    #[cfg(test)]
    pub(super) fn fold(steps: &[Step]) -> Result<Self, serde_json::Error> {
        Self::default().fold_on(steps)
    }

    /// The last place of the journal that is in it: what comes later is to be folded on.
    pub(super) fn folded(&self) -> u32 {
        self.folded
    }

    /// Goes on with what the journal holds beyond [`Self::folded`]. Results come in the order of their
    /// places, so nothing before that is missing.
    pub(super) fn fold_on(mut self, steps: &[Step]) -> Result<Self, serde_json::Error> {
        let talk = &mut self;
        for step in steps {
            let Some(result) = &step.result else { continue };
            talk.folded = step.n;
            match (step.kind.as_str(), step.outcome.as_deref()) {
                ("model", Some("ok")) => {
                    let result: ModelStep = serde_json::from_str(result)?;
                    let ratio =
                        result.usage.and_then(|usage| estimate::tokens_per_byte(usage, result.request_bytes));
                    talk.ratio = ratio.or(talk.ratio);
                    result.request.into_iter().for_each(|message| talk.say(step.n, message));
                    if let Some(said) = result.said {
                        talk.say(step.n, Message::Assistant(said.clone()));
                        talk.last = Some((step.n, said));
                    }
                }
                ("tool", _) => {
                    let result: ToolStep = serde_json::from_str(result)?;
                    talk.hear(step.n, &result.output, result.end);
                }
                _ => {}
            }
        }
        Ok(self)
    }

    /// The call of the last answer that has this place in the journal.
    pub(super) fn call(&self, n: u32) -> Option<&ToolCall> {
        let (answer, said) = self.last.as_ref()?;
        let index = n.checked_sub(answer + 1)?;
        said.calls.get(usize::try_from(index).ok()?)
    }

    /// Adds what a call came to.
    pub(super) fn hear(&mut self, n: u32, output: &str, end: CallEnd) {
        if let Some(call) = self.call(n) {
            let message = Message::Tool {
                call_id: call.id.clone(),
                name: call.name.clone(),
                content: untrusted(&call.name, output),
            };
            let call = one_line(&format!("{} {}", call.name, call.arguments));
            let line = format!("{call}: {}, {} bytes", ended(end), output.len());
            self.parts.push(Part { n, message, line });
        }
    }

    fn say(&mut self, n: u32, message: Message) {
        self.parts.push(Part { n, message, line: String::new() });
    }

    /// Whether the model has said nothing yet.
    pub(super) fn is_new(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether the last answer called no tool.
    pub(super) fn is_idle(&self) -> bool {
        let last = self.parts.last().map(|part| &part.message);
        matches!(last, Some(Message::Assistant(said)) if said.calls.is_empty())
    }
}

/// What a tool read is data, whatever it says (`security.md` 24): it stands between marks that it
/// cannot write itself.
pub(crate) fn untrusted(tool: &str, output: &str) -> String {
    let output = without_marks(output);
    format!("<tool_result tool=\"{tool}\" trust=\"none\">\n{output}\n</tool_result>")
}

/// A text that cannot write the mark at which data ends.
pub(super) fn without_marks(text: &str) -> String {
    text.replace("</tool_result", "<\\/tool_result")
}

/// The beginning of a text, in one line.
pub(super) fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() <= LINE_BYTES_MAX { line } else { format!("{}…", beginning(&line, LINE_BYTES_MAX)) }
}

fn ended(end: CallEnd) -> &'static str {
    match end {
        CallEnd::Ok | CallEnd::Finished => "done",
        CallEnd::Failed => "failed",
        CallEnd::Withheld => "not made, for an earlier attempt made it",
        CallEnd::Host => "the machine could not do it",
        CallEnd::Unknown => "its outcome is unknown",
        CallEnd::Asks => "it waits for a person",
    }
}

#[cfg(test)]
mod tests;
