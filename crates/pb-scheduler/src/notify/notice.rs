//! What a person is told: one fact of the log, in a title and a line.

use std::collections::{BTreeMap, BTreeSet};

use pb_model::goal::{Escalation, Event, GoalState};
use pb_runtime::config::Occasion;
use pb_store::EventRecord;

/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 100;
/// Longest text, in characters.
const TEXT_CHARS_MAX: usize = 400;

/// Kinds of events that may be told.
pub(super) const KINDS: &[&str] =
    &["escalation.created", "goal.completed", "goal.failed", "goal.cancelled", "goal.blocked"];

/// What a person is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `question`, `completed`, `failed`, `cancelled`, `blocked`, or `test`.
    event: &'static str,
    goal: String,
    /// The goal's title.
    title: String,
    /// The goal's status.
    status: String,
    /// The goal's verdict, once it has one.
    verdict: String,
    /// Why it asks, or how it ended.
    summary: String,
    escalation: String,
    /// What to type next.
    next: String,
}

impl Notice {
    /// One that only shows that it arrives.
    pub fn test() -> Self {
        Self {
            event: "test",
            goal: String::new(),
            title: "PonyBunny".to_owned(),
            status: String::new(),
            verdict: String::new(),
            summary: "this is how goals tell that they ask or have ended".to_owned(),
            escalation: String::new(),
            next: "pb status".to_owned(),
        }
    }

    #[cfg(test)]
    pub(super) fn set(&mut self, title: &str, summary: &str) {
        title.clone_into(&mut self.title);
        summary.clone_into(&mut self.summary);
    }

    /// What `record` tells of its goal, if that is to be told. The rest is told as the goal is now.
    pub(super) fn of(record: &EventRecord, state: &GoalState, on: &BTreeSet<Occasion>) -> Option<Self> {
        let fact: Event = serde_json::from_str(&record.body).ok()?;
        let asks = on.contains(&Occasion::Question);
        if let Event::EscalationCreated { escalation } = &fact {
            // One that was answered meanwhile asks nobody any more.
            let is_open = state.escalation(escalation.id).is_some_and(Escalation::is_open);
            return (asks && is_open && !state.goal.status.is_terminal())
                .then(|| Self::question(state, escalation));
        }
        if !on.contains(&Occasion::End) {
            return None;
        }
        match fact {
            Event::GoalCompleted { summary, .. } => Some(Self::end(state, "completed", &summary)),
            Event::GoalFailed { error, .. } => Some(Self::end(state, "failed", &error.message)),
            Event::GoalCancelled { cancel } => {
                let why = cancel.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                Some(Self::end(state, "cancelled", &format!("by {}{why}", cancel.by)))
            }
            // The question that stopped it says so itself.
            Event::GoalBlocked { .. }
                if asks && state.escalations.iter().any(|asked| asked.created_at_ms == record.at_ms) =>
            {
                None
            }
            Event::GoalBlocked { summary, .. } => Some(Self::end(state, "blocked", &summary)),
            _ => None,
        }
    }

    fn question(state: &GoalState, asked: &Escalation) -> Self {
        Self {
            escalation: asked.id.to_string(),
            next: if asked.packet.questions.is_empty() {
                format!("pb inbox answer {} OPTION", asked.id)
            } else {
                "pb inbox".to_owned()
            },
            ..Self::end(state, "question", &format!("{}: {}", asked.title, asked.packet.root_cause))
        }
    }

    fn end(state: &GoalState, event: &'static str, summary: &str) -> Self {
        let goal = &state.goal;
        Self {
            event,
            goal: goal.id.to_string(),
            title: line(&goal.spec.title, TITLE_CHARS_MAX),
            status: goal.status.as_str().to_owned(),
            verdict: goal.verdict.map(|verdict| verdict.as_str().to_owned()).unwrap_or_default(),
            summary: line(summary, TEXT_CHARS_MAX),
            escalation: String::new(),
            next: match event {
                "blocked" => "pb inbox".to_owned(),
                _ => format!("pb goal report {}", goal.id),
            },
        }
    }

    /// `completed, verified: Write a haiku`: it begins with a word of ours, so no program takes it for an
    /// option.
    pub(super) fn heading(&self) -> String {
        let what = match self.event {
            "question" => "needs an answer".to_owned(),
            "blocked" => "cannot go on".to_owned(),
            "completed" => format!("completed, {}", self.verdict),
            other => other.to_owned(),
        };
        format!("{what}: {}", self.title)
    }

    /// Why, and what to type next.
    pub(super) fn text(&self) -> String {
        format!("{} ({})", self.summary, self.next)
    }

    /// The variables that the program gets.
    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        [
            ("PB_EVENT", self.event),
            ("PB_GOAL_ID", &self.goal),
            ("PB_TITLE", &self.title),
            ("PB_STATUS", &self.status),
            ("PB_VERDICT", &self.verdict),
            ("PB_SUMMARY", &self.summary),
            ("PB_ESCALATION_ID", &self.escalation),
            ("PB_NEXT", &self.next),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

/// Foreign text on one line, at most so long.
pub(super) fn line(text: &str, chars_max: usize) -> String {
    let text = text.replace(char::is_control, " ");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(chars_max) {
        None => words,
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
    }
}
