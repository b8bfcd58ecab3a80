//! What is told of a goal in the conversation that it was made in: its plan, its questions, its end.

use std::fmt::Write as _;

use pb_model::goal::{Event, GoalState, GoalStatus};
use pb_model::session::SessionCommand;

/// Most lines of a list that are told; the inbox and the report have all of it.
const LINES_MAX: usize = 12;
/// Longest summary that is told, in bytes.
const SUMMARY_BYTES_MAX: usize = 4 * 1024;

/// What `event`, after which the goal stands as `state`, has the conversation told.
pub(crate) fn news(event: &Event, state: &GoalState) -> Option<SessionCommand> {
    let (text, ended) = match event {
        Event::GoalPlanned { .. } => (plan(state)?, None),
        Event::EscalationCreated { escalation } => (question(state, escalation), None),
        Event::GoalCompleted { .. } | Event::GoalFailed { .. } | Event::GoalCancelled { .. } => {
            (end(state), Some(state.goal.status))
        }
        _ => return None,
    };
    Some(SessionCommand::Tell { goal: state.goal.id, text, ended })
}

fn plan(state: &GoalState) -> Option<String> {
    let titles: Vec<&str> =
        state.planned().filter(|item| !item.status.is_settled()).map(|item| item.title.as_str()).collect();
    if titles.is_empty() {
        return None;
    }
    let mut text = format!("{} is planned:", quoted(state));
    list(&mut text, titles.into_iter());
    Some(text)
}

fn question(state: &GoalState, asked: &pb_model::goal::Escalation) -> String {
    let title = if asked.packet.questions.is_empty() { asked.title.as_str() } else { "" };
    let mut text = format!("{} waits for you: {title}", quoted(state)).trim_end().to_owned();
    let questions = asked.packet.questions.iter().map(|question| {
        let choices = question.choices.join(", ");
        let choices = if choices.is_empty() { choices } else { format!(" ({choices})") };
        format!("{}: {}{choices}; if nobody answers: {}", question.id, question.question, question.default)
    });
    list(&mut text, questions);
    let _ = write!(text, "\nIt is in the inbox: pb inbox answer {}", asked.id); // Into a string.
    text
}

fn end(state: &GoalState) -> String {
    let goal = &state.goal;
    let verdict = goal.verdict.filter(|_| goal.status == GoalStatus::Completed);
    let verdict = verdict.map(|verdict| format!(", {}", verdict.as_str())).unwrap_or_default();
    let mut text = format!("{} is {}{verdict}.", quoted(state), goal.status.as_str());
    if let Some(error) = &goal.error {
        let _ = write!(text, "\n{}", error.message);
    }
    if let Some(summary) = &goal.summary {
        let cut = summary.split_at(summary.floor_char_boundary(SUMMARY_BYTES_MAX)).0;
        let _ = write!(text, "\n{cut}");
    }
    list(&mut text, state.artifacts.iter().map(|artifact| artifact.path.as_str()));
    text
}

fn quoted(state: &GoalState) -> String {
    format!("\"{}\"", state.goal.spec.title)
}

fn list<T: AsRef<str>>(text: &mut String, lines: impl Iterator<Item = T>) {
    let mut lines = lines;
    for line in lines.by_ref().take(LINES_MAX) {
        let _ = write!(text, "\n- {}", line.as_ref());
    }
    let more = lines.count();
    if more > 0 {
        let _ = write!(text, "\n- and {more} more");
    }
}
