//! What is said on the debug server's WebSocket, both ways (`wire.md` §3.4).

use pb_model::GoalId;
use pb_store::TraceFilter;
use serde::{Deserialize, Serialize};

use crate::api::events::EnrichedEvent;
use crate::api::health::Status;
use crate::api::player::{Command, Scene};

/// Most beginnings of names in one subscription.
const TYPES_MAX: usize = 64;

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
pub(super) enum Asked {
    /// Only these debug events from now on, whatever was asked before.
    #[serde(rename = "subscribe", rename_all = "camelCase")]
    Subscribe {
        goal_id: Option<String>,
        /// How their names begin.
        types: Option<Vec<String>>,
    },
    /// Play this goal, in the place of what is played.
    #[serde(rename = "replay.start", rename_all = "camelCase")]
    Start { goal_id: String, speed: Option<f64> },
    #[serde(rename = "replay.pause")]
    Pause,
    #[serde(rename = "replay.resume")]
    Resume,
    #[serde(rename = "replay.seek")]
    Seek { timestamp: u64 },
    #[serde(rename = "replay.step")]
    Step { direction: Direction },
    #[serde(rename = "replay.speed")]
    Speed { speed: f64 },
    #[serde(rename = "replay.stop")]
    Stop,
}

/// Which way a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// What is to be done about a message.
#[derive(Debug, PartialEq)]
pub(super) enum Task {
    Show(TraceFilter),
    Start { goal: String, speed: f64 },
    Stop,
    Play(Command),
}

impl Asked {
    /// `None` for what makes no sense, which is let go by.
    pub(super) fn read(text: &str) -> Option<Task> {
        Some(match serde_json::from_str(text).ok()? {
            Self::Subscribe { goal_id, types } => Task::Show(filter(goal_id, types.unwrap_or_default())?),
            Self::Start { goal_id, speed } => Task::Start { goal: goal_id, speed: speed.unwrap_or(1.0) },
            Self::Stop => Task::Stop,
            Self::Pause => Task::Play(Command::Pause),
            Self::Resume => Task::Play(Command::Resume),
            Self::Seek { timestamp } => Task::Play(Command::Seek(timestamp)),
            Self::Step { direction: Direction::Forward } => Task::Play(Command::Forward),
            Self::Step { direction: Direction::Backward } => Task::Play(Command::Backward),
            Self::Speed { speed } => Task::Play(Command::Speed(speed)),
        })
    }
}

/// The events of a goal whose names begin in one of these ways. Too many ways are refused, as some of them would be
/// left out in silence.
fn filter(goal: Option<String>, types: Vec<String>) -> Option<TraceFilter> {
    let begins = |start: String| format!("{}*", start.trim_end_matches('*'));
    let kinds = types.into_iter().map(begins).collect();
    Some(TraceFilter { goal, kinds }).filter(|filter| filter.kinds.len() <= TYPES_MAX)
}

/// What a client is told.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(in crate::api) enum Told {
    /// How the debug server does: at the beginning, and when a scheduler comes or goes.
    #[serde(rename = "status")]
    Status { data: Status },
    #[serde(rename = "event")]
    Event { data: Box<EnrichedEvent> },
    /// What was played, or where a goal was taken to.
    #[serde(rename = "replay.event")]
    Played(Box<Scene>),
    #[serde(rename = "replay.batch")]
    PlayedMany { events: Vec<Scene> },
    /// There is no further event.
    #[serde(rename = "replay.complete", rename_all = "camelCase")]
    Over { goal_id: GoalId },
    /// What cannot be done.
    #[serde(rename = "replay.error")]
    Failed { error: String },
}

impl Told {
    /// What was played, alone or several together.
    pub(in crate::api) fn played(scenes: Vec<Scene>) -> Self {
        match <[Scene; 1]>::try_from(scenes) {
            Ok([scene]) => Self::Played(Box::new(scene)),
            Err(events) => Self::PlayedMany { events },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_no_task() {
        let many = format!(r#"{{"type":"subscribe","types":[{}"x"]}}"#, r#""x","#.repeat(TYPES_MAX));
        for text in [
            "",
            "[]",
            r#"{"type":"replay.step"}"#,
            r#"{"type":"replay.step","direction":"up"}"#,
            r#"{"type":"replay.seek","timestamp":-1}"#,
            r#"{"type":"subscribe","types":"llm"}"#,
            &many,
        ] {
            assert_eq!(Asked::read(text), None, "{text}");
        }
    }

    #[test]
    fn keys_of_later_clients_are_passed_over() {
        let step = r#"{"type":"replay.step","direction":"backward","by":1}"#;
        assert_eq!(Asked::read(step), Some(Task::Play(Command::Backward)));
        let asked = Asked::read(r#"{"type":"subscribe","goalId":"g","types":["llm","tool.*"],"x":1}"#);
        let kinds = ["llm*", "tool.*"].map(str::to_owned).to_vec();
        assert_eq!(asked, Some(Task::Show(TraceFilter { goal: Some("g".to_owned()), kinds })));
        let start = Asked::read(r#"{"type":"replay.start","goalId":"g"}"#);
        assert_eq!(start, Some(Task::Start { goal: "g".to_owned(), speed: 1.0 }));
    }
}
