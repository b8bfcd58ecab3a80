//! What people are asked: everything needed to decide, and how to answer.

use pb_protocol::domain::{ApprovalState, Escalation, Goal, Question};

use super::Account;
use crate::format;
use crate::output::{BOLD, WARN, styled};

/// Characters of a digest that people are shown.
const DIGEST_CHARS: usize = 16;

/// What a human has to decide, with everything needed to decide it.
pub(crate) fn escalations(account: &Account) -> String {
    let goal = &account.detail.goal;
    let blocks: Vec<String> = account
        .detail
        .escalations
        .iter()
        .map(|asked| if asked.status == "resolved" { answered(asked) } else { escalation(asked, goal) })
        .collect();
    blocks.join("\n\n")
}

/// What was decided, in one line.
fn answered(asked: &Escalation) -> String {
    let title = format::line(&asked.title);
    let by = format::line(asked.resolved_by.as_deref().unwrap_or("somebody"));
    let answer = format::line(asked.resolution_action.as_deref().unwrap_or_default());
    format!(
        "{}: {title}\n  {}",
        styled(BOLD, "a human decided"),
        format::field("answer", format!("{answer}, by {by}"))
    )
}

/// A question of the inbox, with how to answer it.
pub(crate) fn question(asked: &Escalation) -> String {
    let asked_at = format!("  {}", format::field("asked", format::moment(asked.created_at)));
    let answer = format!("  {}", format::field("answer", how(asked)));
    [packet(asked), asked_at, answer].join("\n")
}

fn escalation(asked: &Escalation, goal: &Goal) -> String {
    let told = packet(asked);
    if matches!(goal.status.as_str(), "completed" | "failed" | "cancelled") {
        return told;
    }
    let of_one = asked.approval.is_some() || !asked.context_data.questions.is_empty();
    let command = if of_one { how(asked) } else { format!("pb goal resume {} --answer OPTION", goal.id) };
    format!("{told}\n  {}", format::field("answer", command))
}

/// The command that answers it.
fn how(asked: &Escalation) -> String {
    match asked.context_data.questions.as_slice() {
        [] => format!("pb inbox answer {} OPTION", asked.id),
        questions => {
            let set: Vec<String> =
                questions.iter().map(|question| format!("--set {}=…", format::line(&question.id))).collect();
            format!("pb inbox answer {} {}", asked.id, set.join(" "))
        }
    }
}

/// What is asked, why, what was tried, and what may be answered.
fn packet(asked: &Escalation) -> String {
    let packet = &asked.context_data;
    let mut lines = vec![
        format!("{}: {}", styled(WARN, "a human has to decide"), styled(BOLD, format::line(&asked.title))),
        format!("  {}", format::field("what", format::line(&packet.context))),
        format!("  {}", format::field("why", format::line(&packet.root_cause))),
        format!("  {}", format::field("now", format::line(&packet.current_state))),
    ];
    for attempt in &packet.attempts {
        let (number, at) = (attempt.attempt, format::moment(attempt.at));
        let text = format!("{number}, {at}: {}", format::line(&attempt.outcome));
        lines.push(format!("  {}", format::field("attempt", text)));
    }
    packet.questions.iter().for_each(|question| lines.extend(clarification(question)));
    asked.approval.iter().for_each(|approval| lines.extend(bound(approval)));
    for choice in &packet.options {
        let text = format!("{}: {}", choice.action, format::line(&choice.label));
        lines.push(format!("  {}", format::field("option", text)));
    }
    if let Some(expiry) = asked.expiry.as_ref().filter(|_| asked.status == "open") {
        let text = format!("{}, then {} by itself", format::moment(expiry.at), expiry.action);
        lines.push(format!("  {}", format::field("until", text)));
    }
    lines.join("\n")
}

/// One question, why it is asked, and what is assumed without an answer.
fn clarification(question: &Question) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", format::line(&question.id), format::line(&question.question))];
    if !question.context.is_empty() {
        lines.push(format!("because {}", format::line(&question.context)));
    }
    let offered: Vec<String> = question.options.iter().map(|option| format::line(option)).collect();
    if !offered.is_empty() {
        lines.push(format!("such as {}", offered.join(" | ")));
    }
    lines.push(format!("otherwise {}", format::line(&question.default_value)));
    let label = |n: usize| if n == 0 { "question" } else { "" };
    lines.into_iter().enumerate().map(|(n, line)| format!("  {}", format::field(label(n), line))).collect()
}

/// What a yes would be for, beside what `why` says.
fn bound(approval: &ApprovalState) -> Vec<String> {
    let file = |(path, digest): (&String, &String)| {
        let digest: String = digest.chars().take(DIGEST_CHARS).collect();
        format!("  {}", format::field("file", format!("{} {digest}…", format::line(path))))
    };
    approval.files.iter().map(file).collect()
}
