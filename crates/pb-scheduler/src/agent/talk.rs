//! The conversation of a run, folded from its journal: always, so that going on after a crash needs
//! nothing of its own. What was folded before is kept and folded on (`talks.rs`): without that a
//! turn would cost more with each turn.

use pb_llm::{Message, Said, ToolCall};
use pb_store::Step;

use super::journal::{ModelStep, ToolStep};

/// A conversation so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Talk {
    /// Everything that was said, in order.
    pub(super) messages: Vec<Message>,
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
                    talk.messages.extend(result.request);
                    if let Some(said) = result.said {
                        talk.messages.push(Message::Assistant(said.clone()));
                        talk.last = Some((step.n, said));
                    }
                }
                ("tool", _) => {
                    let result: ToolStep = serde_json::from_str(result)?;
                    talk.hear(step.n, &result.output);
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
    pub(super) fn hear(&mut self, n: u32, output: &str) {
        if let Some(call) = self.call(n) {
            let message = Message::Tool {
                call_id: call.id.clone(),
                name: call.name.clone(),
                content: untrusted(&call.name, output),
            };
            self.messages.push(message);
        }
    }

    /// Whether the model has said nothing yet.
    pub(super) fn is_new(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether the last answer called no tool.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.messages.last(), Some(Message::Assistant(said)) if said.calls.is_empty())
    }
}

/// What a tool read is data, whatever it says (`security.md` 24): it stands between marks that it
/// cannot write itself.
fn untrusted(tool: &str, output: &str) -> String {
    let output = output.replace("</tool_result", "<\\/tool_result");
    format!("<tool_result tool=\"{tool}\" trust=\"none\">\n{output}\n</tool_result>")
}

#[cfg(test)]
mod tests;
