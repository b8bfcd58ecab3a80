//! What a debug event is about: ids, and the spans that follow from them.
//!
//! ```text
//!   goal ----+--- phase
//!            +--- run (an attempt) --- step --- call of a model
//!   session ---- call of the conversation (a step) --- call of a model
//!   schedule
//! ```
//!
//! A step is a place in the journal of a run: a call of a tool, the command of an item, a gate, or the work of a
//! model, which may need several calls, of one model after the other. A span's id is a digest of what it is a
//! span of. So every event of a run has the same one, also after a crash, and nobody has to carry ids around. A
//! phase that a goal is in twice is one span; its events say from when to when.

use std::fmt;

use pb_model::goal::{GoalState, Phase, Run};
use pb_model::{Epoch, GoalId, ItemId, RunId, ScheduleId, SessionId};

use super::kind::Level;
use crate::effects::step_name;

/// Length of a span's id in hex digits, as in OpenTelemetry.
const SPAN_DIGITS: usize = 16;

/// What a debug event is about. Nothing: the daemon itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) root: Root,
    pub(crate) item: Option<ItemId>,
    pub(crate) run: Option<RunId>,
    phase: Option<Phase>,
    /// A place in the run's journal or a call of the session, and the incarnation that is at it.
    step: Option<(u32, Epoch)>,
    /// Which call of a model in the step, from 1.
    call: Option<u32>,
}

/// The outermost span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Root {
    /// None.
    #[default]
    Daemon,
    Goal(GoalId),
    Session(SessionId),
    Schedule(ScheduleId),
}

impl About {
    /// A goal, and what of it is known.
    pub(crate) fn goal(state: &GoalState, item: Option<ItemId>, run: Option<RunId>) -> Self {
        Self { root: Root::Goal(state.goal.id), item, run, ..Self::default() }
    }

    /// A phase of a goal.
    pub(super) fn phase(goal: GoalId, phase: Phase) -> Self {
        Self { root: Root::Goal(goal), phase: Some(phase), ..Self::default() }
    }

    /// A step of a run.
    pub(crate) fn step(run: &Run, n: u32) -> Self {
        Self {
            root: Root::Goal(run.goal_id),
            item: run.item_id,
            run: Some(run.id),
            step: Some((n, run.epoch)),
            ..Self::default()
        }
    }

    /// A conversation.
    pub(crate) fn session(session: SessionId) -> Self {
        Self { root: Root::Session(session), ..Self::default() }
    }

    /// A call of a conversation.
    pub(crate) fn session_call(session: SessionId, n: u32, epoch: Epoch) -> Self {
        Self { step: Some((n, epoch)), ..Self::session(session) }
    }

    /// A schedule.
    pub(crate) fn schedule(schedule: ScheduleId) -> Self {
        Self { root: Root::Schedule(schedule), ..Self::default() }
    }

    /// A call of a model in this step.
    pub(super) fn call(self, number: u32) -> Self {
        Self { call: Some(number), ..self }
    }

    /// The goal's id.
    pub(super) fn goal_id(&self) -> Option<GoalId> {
        match self.root {
            Root::Goal(goal) => Some(goal),
            Root::Daemon | Root::Session(_) | Root::Schedule(_) => None,
        }
    }

    /// The session's id.
    pub(super) fn session_id(&self) -> Option<SessionId> {
        match self.root {
            Root::Session(session) => Some(session),
            Root::Daemon | Root::Goal(_) | Root::Schedule(_) => None,
        }
    }

    /// The schedule's id.
    pub(super) fn schedule_id(&self) -> Option<ScheduleId> {
        match self.root {
            Root::Schedule(schedule) => Some(schedule),
            Root::Daemon | Root::Goal(_) | Root::Session(_) => None,
        }
    }

    /// The step's id.
    pub(super) fn step_id(&self) -> Option<String> {
        let (n, epoch) = self.step?;
        match (self.run, self.root) {
            (Some(run), _) => Some(step_name(run, n, epoch)),
            (None, Root::Session(session)) => Some(format!("{session}.{n}.{epoch}")),
            (None, Root::Daemon | Root::Goal(_) | Root::Schedule(_)) => None,
        }
    }

    /// The call's id; of anything but a call of a model, the step's.
    pub(super) fn call_id(&self) -> Option<String> {
        let step = self.step_id()?;
        Some(match self.call {
            Some(call) => format!("{step}.{call}"),
            None => step,
        })
    }

    /// What its span is a span of.
    pub(super) fn level(&self) -> Level {
        match self.root {
            _ if self.call.is_some() => Level::Call,
            _ if self.step.is_some() => Level::Step,
            _ if self.run.is_some() => Level::Run,
            _ if self.phase.is_some() => Level::Phase,
            Root::Daemon => Level::Daemon,
            Root::Goal(_) => Level::Goal,
            Root::Session(_) => Level::Session,
            Root::Schedule(_) => Level::Schedule,
        }
    }

    /// The span that it belongs to.
    pub(super) fn span(&self) -> Option<String> {
        match (self.level(), self.run, self.phase) {
            (Level::Call | Level::Step, _, _) => self.call_id().map(span),
            (_, Some(run), _) => Some(span(run)),
            (_, None, Some(phase)) => Some(span(format_args!("{}.{}", self.goal_id()?, phase.as_str()))),
            (_, None, None) => match self.root {
                Root::Daemon => None,
                Root::Goal(goal) => Some(span(goal)),
                Root::Session(session) => Some(span(session)),
                Root::Schedule(schedule) => Some(span(schedule)),
            },
        }
    }

    /// The span that this one is part of.
    pub(super) fn parent(&self) -> Option<String> {
        match self.level() {
            Level::Call => Self { call: None, ..*self }.span(),
            Level::Step => Self { step: None, ..*self }.span(),
            Level::Run | Level::Phase => Self { root: self.root, ..Self::default() }.span(),
            Level::Daemon | Level::Goal | Level::Within | Level::Session | Level::Schedule => None,
        }
    }
}

fn span(name: impl fmt::Display) -> String {
    let mut digits = blake3::hash(name.to_string().as_bytes()).to_hex().to_string();
    digits.truncate(SPAN_DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

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
        let phase = About::phase(run.goal_id, Phase::Planning);
        let session = About::session(SessionId::from(Uuid::from_u128(4)));
        let talk = About::session_call(SessionId::from(Uuid::from_u128(4)), 2, 1);
        assert_eq!((About::default().span(), goal.parent(), session.parent()), (None, None, None));
        let parts = [
            (call, step),
            (step, of_run),
            (of_run, goal),
            (phase, goal),
            (talk.call(1), talk),
            (talk, session),
        ];
        for (inner, outer) in parts {
            assert!(outer.span().is_some_and(|span| span.len() == SPAN_DIGITS));
            assert_eq!(inner.parent(), outer.span());
            assert_ne!(inner.span(), outer.span());
        }
        assert_ne!(call.span(), step.call(2).span());
        assert_ne!(phase.span(), About::phase(run.goal_id, Phase::Execution).span());
        assert_eq!(step.step_id(), Some(format!("{}.3.1", run.id)));
        assert_eq!(call.call_id(), Some(format!("{}.3.1.1", run.id)));
    }
}
