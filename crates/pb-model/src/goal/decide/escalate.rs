//! Asking a human, with everything needed to decide.

use super::Decision;
use crate::approval::{Approval, ApprovalEvent};
use crate::goal::asking::Clarification;
use crate::goal::cap::Cap;
use crate::goal::escalation::{
    Answer, AttemptSummary, Escalation, EscalationOption, EscalationType, Expiry, Packet,
};
use crate::goal::event::Event;
use crate::goal::failure::{ErrorClass, Failure};
use crate::goal::state::{GoalStatus, Run, RunStatus};
use crate::{EscalationId, ItemId, RunId};

/// A question, before the packet around it is filled in.
pub(super) struct Question {
    pub(super) escalation_type: EscalationType,
    pub(super) title: String,
    pub(super) current_state: String,
    pub(super) root_cause: String,
    /// What may be answered, with what it means.
    pub(super) options: Vec<(Answer, String)>,
    /// The cap that is reached, if it is about one.
    pub(super) cap: Option<Cap>,
    /// The call that needs a yes, if it is about one.
    pub(super) call: Option<String>,
    /// What waits for the answer, if anything does.
    pub(super) waiting: Option<Waiting>,
}

/// What waits for the answer: a call, or a client.
pub(super) struct Waiting {
    /// Its run; none for what a client does itself.
    pub(super) run: Option<RunId>,
    /// Its place in the run's journal; none for what a client does itself.
    pub(super) n: Option<u32>,
    pub(super) expiry: Expiry,
    pub(super) approval: Option<Approval>,
    pub(super) questions: Vec<Clarification>,
}

impl Question {
    pub(super) fn new(
        escalation_type: EscalationType,
        title: impl Into<String>,
        current_state: impl Into<String>,
        root_cause: impl Into<String>,
        options: &[(Answer, &str)],
    ) -> Self {
        let mut options: Vec<_> =
            options.iter().map(|(answer, label)| (*answer, (*label).to_owned())).collect();
        // There is always a way out.
        options.push((Answer::Cancel, "cancel the goal".to_owned()));
        Self {
            escalation_type,
            title: title.into(),
            current_state: current_state.into(),
            root_cause: root_cause.into(),
            options,
            cap: None,
            call: None,
            waiting: None,
        }
    }
}

/// Escalates the goal as a whole; it is blocked at once.
pub(super) fn goal(decision: &mut Decision, question: Question) {
    let title = question.title.clone();
    let id = raise(decision, None, question);
    decision.emit(Event::GoalBlocked { escalations: vec![id], summary: title });
}

/// Escalates the goal as a whole while something of it runs; it is blocked once nothing does.
pub(super) fn goal_later(decision: &mut Decision, question: Question) {
    raise(decision, None, question);
}

/// Escalates one item; the goal is blocked once nothing else of it can go on.
pub(super) fn item(decision: &mut Decision, item: ItemId, question: Question) {
    let error = Failure::new(ErrorClass::Policy, "NEEDS_HUMAN", question.root_cause.clone());
    let escalation = raise(decision, Some(item), question);
    decision.emit(Event::ItemBlocked { item, escalation, error });
}

/// Asks for a call that waits. A goal that is being planned is blocked at once, any other once nothing of it
/// can go on.
pub(super) fn waiting(decision: &mut Decision, item: Option<ItemId>, question: Question) {
    let title = question.title.clone();
    let id = requested(decision, item, question);
    if decision.state.goal.status == GoalStatus::Queued {
        decision.emit(Event::GoalBlocked { escalations: vec![id], summary: title });
    }
}

/// Asks a person, and says so where what waits is a yes.
pub(super) fn requested(decision: &mut Decision, item: Option<ItemId>, question: Question) -> EscalationId {
    let id = raise(decision, item, question);
    let asked = decision.state.escalation(id).filter(|asked| asked.approval.is_some());
    if let Some((item, run)) = asked.map(|asked| (asked.item_id, asked.run_id)) {
        let change = ApprovalEvent::Requested;
        decision.emit(Event::ApprovalChanged { escalation: id, item, run, change });
    }
    id
}

fn raise(decision: &mut Decision, item: Option<ItemId>, question: Question) -> EscalationId {
    let id = decision.next_escalation();
    let state = &decision.state;
    let item = item.and_then(|id| state.item(id));
    let mut runs =
        state.runs.iter().filter(|run| run.item_id == item.map(|item| item.id) && run.reviews.is_none());
    // What still goes on, and a plan that was made, is no attempt to tell of.
    let ended =
        |run: &&Run| run.status != RunStatus::Running && run.error.is_some() || run.execution.is_some();
    let attempts = runs
        .clone()
        .filter(ended)
        .map(|run| AttemptSummary {
            attempt: run.attempt,
            at_ms: run.created_at_ms,
            outcome: match (&run.execution, &run.error) {
                (Some(execution), _) => execution.outcome.to_string(),
                (None, Some(error)) => error.message.clone(),
                (None, None) => format!("{}; no outcome was recorded", run.status.as_str()),
            },
        })
        .collect();
    let waiting = question.waiting;
    let context = match item {
        Some(item) => format!("item `{}` ({}) of goal \"{}\"", item.key, item.title, state.goal.spec.title),
        None => format!("goal \"{}\"", state.goal.spec.title),
    };
    let escalation = Escalation {
        id,
        goal_id: state.goal.id,
        item_id: item.map(|item| item.id),
        run_id: match &waiting {
            Some(waiting) => waiting.run,
            None => runs.next_back().map(|run| run.id),
        },
        created_at_ms: decision.moment.now_ms,
        escalation_type: question.escalation_type,
        title: question.title,
        packet: Packet {
            context,
            attempts,
            current_state: question.current_state,
            root_cause: question.root_cause,
            options: question
                .options
                .into_iter()
                .map(|(action, label)| EscalationOption { action: action.as_str().to_owned(), label })
                .collect(),
            questions: waiting.as_ref().map(|waiting| waiting.questions.clone()).unwrap_or_default(),
        },
        cap: question.cap,
        call: question.call,
        waiting: waiting.as_ref().and_then(|waiting| waiting.n),
        expiry: waiting.as_ref().map(|waiting| waiting.expiry),
        approval: waiting.and_then(|waiting| waiting.approval),
        resolution: None,
        resolved_at_ms: None,
    };
    decision.emit(Event::EscalationCreated { escalation: Box::new(escalation) });
    id
}
