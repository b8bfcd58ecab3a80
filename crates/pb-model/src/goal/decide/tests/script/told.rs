//! Events in words.

use super::*;

/// What tells an event of a conversation from others.
pub(super) fn of_conversation(event: &Event) -> String {
    match event {
        Event::ModelRequested { reservation, .. } => {
            let amount = reservation.amount;
            format!("#{} {} token(s) {} µUSD", reservation.n, amount.tokens, amount.micro_usd)
        }
        Event::ModelAnswered { n, charge, calls, .. } => {
            let calls: Vec<String> = calls.iter().map(|call| format!(" {}#{}", call.tool, call.n)).collect();
            format!("#{n} {}{}", charged(charge), calls.concat())
        }
        Event::ModelFailed { n, error, charge, not_before_ms, .. } => {
            let again = not_before_ms.map(|at| format!(" again at {at}")).unwrap_or_default();
            format!("#{n} ({error}) {}{again}", charged(charge))
        }
        Event::ToolCompleted { call, end, .. } => format!("{}#{} {end:?}", call.tool, call.n),
        Event::ConversationCondensed { turns, results, bytes, .. } => {
            format!("{turns} turn(s), {results} result(s), {bytes} byte(s)")
        }
        Event::GuardTripped { guard, rung, .. } => match rung {
            Rung::DropTool { tool } => format!("{}: drop {tool}", guard.as_str()),
            Rung::OtherModel { instead_of } => format!("{}: not {instead_of}", guard.as_str()),
            Rung::Nudge | Rung::Escalate => format!("{}: {}", guard.as_str(), rung.as_str()),
        },
        other => panic!("not of a conversation: {other:?}"),
    }
}

/// What tells an event about control and budgets from others.
pub(super) fn of_control(event: &Event) -> String {
    match event {
        Event::BudgetWarned { cap, percent } => format!("{percent} % of the {}", cap.as_str()),
        Event::BudgetExceeded { cap, .. } => cap.as_str().to_owned(),
        Event::GoalPaused { by } => format!("paused by {by}"),
        Event::GoalResumed { by } => format!("resumed by {by}"),
        Event::GoalPrioritized { priority, .. } => format!("priority {priority}"),
        Event::ItemReopened { .. } => "reopened".to_owned(),
        Event::ItemSkipped { by, .. } => format!("skipped by {by}"),
        Event::GatesApproved { by, edited, digests, .. } => {
            format!("{} as {} by {by}", edited.join(","), digests.join(","))
        }
        Event::EscalationResolved { escalation, resolution, .. } => {
            let raised = resolution.raised.map(|raised| format!(" {raised:?}")).unwrap_or_default();
            let (question, answer) = (question(*escalation), resolution.answer.as_str());
            format!("{question} {answer} by {}{raised}", resolution.by)
        }
        Event::ApprovalChanged { escalation, .. } => question(*escalation),
        Event::GoalElaborated { assumptions, criteria } => {
            format!("assumes {assumptions:?}, {} criteria", criteria.len())
        }
        Event::EvaluationDecided { decision, reason, .. } => format!("{}: {reason}", decision.as_str()),
        Event::ItemSuperseded { .. } => "superseded".to_owned(),
        Event::ItemsAdded { items, .. } => adds(items),
        Event::GoalReplanning { why, by } => format!("by {by}: {why}"),
        other => panic!("not of control: {other:?}"),
    }
}

pub(super) fn charged(charge: &Charge) -> String {
    let how = match (charge.assumed, charge.overrun) {
        (true, _) => " assumed",
        (false, true) => " overrun",
        (false, false) => "",
    };
    format!("{} token(s){how}", charge.amount.tokens)
}

/// How an item begins, and who added it.
pub(super) fn created<'a>(item: &Item, key: impl Fn(ItemId) -> &'a str) -> String {
    let added = item.added_by.map(|above| format!(" added by {}", key(above))).unwrap_or_default();
    format!("{}{added}", item.status.as_str())
}

fn adds(items: &[Addition]) -> String {
    let keys: Vec<&str> = items.iter().map(|addition| addition.spec.id.as_str()).collect();
    format!("adds {}", keys.join(", "))
}
