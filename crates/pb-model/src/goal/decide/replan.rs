//! Another plan: what is done and what runs stays, everything else makes room for it.

use super::Decision;
use super::escalate::{self, Question};
use crate::goal::escalation::{Answer, EscalationType};
use crate::goal::event::Event;
use crate::goal::state::{Item, ItemStatus};
use crate::{EscalationId, ItemId};

/// Begins to have another plan made.
pub(super) fn begin(decision: &mut Decision, why: String, by: &str) {
    let room = decision.state.planned().filter(|item| match item.status {
        ItemStatus::Queued | ItemStatus::Ready | ItemStatus::Failed | ItemStatus::Blocked => true,
        ItemStatus::InProgress | ItemStatus::Verify | ItemStatus::Done | ItemStatus::Skipped => false,
    });
    let room: Vec<ItemId> = room.map(|item| item.id).collect();
    for item in room {
        decision.emit(Event::ItemSuperseded { item });
    }
    decision.emit(Event::GoalReplanning { why, by: by.to_owned() });
}

/// The questions that nobody needs an answer to, when another plan takes the place of what they are about.
pub(super) fn moot(decision: &Decision, but: EscalationId) -> Vec<EscalationId> {
    let open = decision
        .state
        .open_escalations()
        .filter(|asked| asked.id != but && asked.waiting.is_none() && !asked.is_request());
    open.filter(|asked| asked.item_id.is_some()).map(|asked| asked.id).collect()
}

/// A person sees the plan before anything of it is done.
pub(super) fn ask_for_yes(decision: &mut Decision) {
    let state = &decision.state;
    let new = state.planned().filter(|item| !item.status.is_settled());
    let line = |item: &Item| {
        let may_add = if state.may_add_items(item) { " (may add items)" } else { "" };
        format!("{}: {}{may_add}", item.key, item.title)
    };
    let lines: Vec<String> = new.map(line).collect();
    let question = Question::new(
        EscalationType::Approval,
        format!("a plan of {} item(s) waits for your yes", lines.len()),
        "nothing of it was done",
        lines.join("; "),
        &[
            (Answer::Approve, "do it as planned"),
            (Answer::AlternativeApproach, "plan it another way, which you describe"),
        ],
    );
    escalate::goal(decision, question);
}
