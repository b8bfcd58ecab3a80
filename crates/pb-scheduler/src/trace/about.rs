//! What a debug event is about: ids, and the spans that follow from them.
//!
//! ```text
//!   goal --- run --- step --- call of a model
//! ```
//!
//! A span's id is a digest of what it is a span of. So every event of a run has the same one, also
//! after a crash, and nobody has to carry ids around.

use pb_model::goal::{GoalState, Run};
use pb_model::{Epoch, GoalId, ItemId, RunId};

use crate::effects::step_name;

/// Length of a span's id in hex digits, as in OpenTelemetry.
const SPAN_DIGITS: usize = 16;

/// What a debug event is about. Nothing: the daemon itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) goal: Option<GoalId>,
    pub(crate) item: Option<ItemId>,
    pub(crate) run: Option<RunId>,
    /// A place in the run's journal, and the incarnation that is at it.
    step: Option<(u32, Epoch)>,
    /// Which call of a model in the step, from 1.
    call: Option<u32>,
}

impl About {
    /// A goal, and what of it is known.
    pub(crate) fn goal(state: &GoalState, item: Option<ItemId>, run: Option<RunId>) -> Self {
        Self { goal: Some(state.goal.id), item, run, ..Self::default() }
    }

    /// A step of a run.
    pub(crate) fn step(run: &Run, n: u32) -> Self {
        Self {
            goal: Some(run.goal_id),
            item: run.item_id,
            run: Some(run.id),
            step: Some((n, run.epoch)),
            call: None,
        }
    }

    /// A call of a model in this step.
    pub(super) fn call(self, number: u32) -> Self {
        Self { call: Some(number), ..self }
    }

    /// The step's id.
    pub(super) fn step_id(&self) -> Option<String> {
        let (n, epoch) = self.step?;
        Some(step_name(self.run?, n, epoch))
    }

    /// The call's id; of anything but a call of a model, the step's.
    pub(super) fn call_id(&self) -> Option<String> {
        let step = self.step_id()?;
        Some(match self.call {
            Some(call) => format!("{step}.{call}"),
            None => step,
        })
    }

    /// The span that it belongs to.
    pub(super) fn span(&self) -> Option<String> {
        let name = self.call_id();
        let name = name.or_else(|| self.run.map(|run| run.to_string()));
        name.or_else(|| self.goal.map(|goal| goal.to_string())).as_deref().map(span)
    }

    /// The span that this one is part of.
    pub(super) fn parent(&self) -> Option<String> {
        let outer = if self.call.is_some() {
            Self { call: None, ..*self }
        } else if self.step.is_some() {
            Self { step: None, ..*self }
        } else if self.run.is_some() {
            Self { run: None, ..*self }
        } else {
            return None;
        };
        outer.span()
    }
}

fn span(name: &str) -> String {
    let mut digits = blake3::hash(name.as_bytes()).to_hex().to_string();
    digits.truncate(SPAN_DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::scratch;

    #[test]
    fn spans_are_part_of_each_other_and_the_same_whoever_tells() {
        let item = "title = 'a'\n[[items]]\nid = 'a'\nkind = 'agent'\nprompt = 'Write.'";
        let state = scratch::begun(scratch::goal(item), Some("a"));
        let run = state.runs.first().unwrap();
        let goal = About::goal(&state, None, None);
        let of_run = About::goal(&state, run.item_id, Some(run.id));
        let step = About::step(run, 3);
        let call = step.call(1);
        assert_eq!((About::default().span(), goal.parent()), (None, None));
        for (inner, outer) in [(call, step), (step, of_run), (of_run, goal)] {
            assert!(outer.span().is_some_and(|span| span.len() == SPAN_DIGITS));
            assert_eq!(inner.parent(), outer.span());
            assert_ne!(inner.span(), outer.span());
        }
        assert_ne!(call.span(), step.call(2).span());
        assert_eq!(step.step_id(), Some(format!("{}.3.1", run.id)));
        assert_eq!(call.call_id(), Some(format!("{}.3.1.1", run.id)));
    }
}
