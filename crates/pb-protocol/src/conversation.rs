//! A conversation as clients see it, and what they are told when something is said in it (`wire.md` §2.6, §2.8).

use pb_model::goal::GoalStatus;
use pb_model::session::{Role, Session, SessionEvent, SessionGoal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A turn of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Turn {
    /// Its id: `turn-` and its number in the conversation.
    pub id: String,
    /// Its number, from 1.
    pub n: u64,
    /// Who said it: `user`, or `assistant`.
    pub role: String,
    /// What.
    pub content: String,
    /// When, in milliseconds since 1970.
    pub timestamp: u64,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<TurnMetadata>,
}

/// More about a turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TurnMetadata {
    /// Whether no model said it: it is news of a goal, or why there is no answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub worker: bool,
    /// The goal that it made, or that it tells about.
    #[serde(default, rename = "goalId", skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<String>,
}

impl From<&pb_model::session::Turn> for Turn {
    fn from(turn: &pb_model::session::Turn) -> Self {
        let (role, worker) = match turn.role {
            Role::User => ("user", false),
            Role::Assistant => ("assistant", false),
            Role::Worker => ("assistant", true),
        };
        let metadata = TurnMetadata { worker, goal_id: turn.goal.map(|goal| goal.to_string()) };
        Self {
            id: format!("turn-{}", turn.n),
            n: turn.n,
            role: role.to_owned(),
            content: turn.content.clone(),
            timestamp: turn.at_ms,
            metadata: Some(metadata).filter(|metadata| *metadata != TurnMetadata::default()),
        }
    }
}

/// A goal of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskInfo {
    /// The goal.
    #[serde(rename = "goalId")]
    pub goal_id: String,
    /// Its title.
    pub title: String,
    /// Where it stands: `started`, or how it ended.
    pub status: String,
    /// How many of its steps are done, in percent; absent before it is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<u8>,
}

impl From<&SessionGoal> for TaskInfo {
    fn from(goal: &SessionGoal) -> Self {
        Self {
            goal_id: goal.id.to_string(),
            title: goal.title.clone(),
            status: goal.ended.map_or("started", |status| status.as_str()).to_owned(),
            progress: None,
        }
    }
}

/// A conversation, in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// Its id.
    pub session_id: String,
    /// In whose voice it is held.
    pub persona_id: String,
    /// `idle`, `chatting`, `clarifying`, `executing`, `monitoring` or `reporting`.
    pub state: String,
    /// How many turns it has.
    pub turn_count: u64,
    /// What the person said last, cut.
    pub about: String,
    /// When it began, in milliseconds since 1970.
    pub created_at: u64,
    /// When something was said last.
    pub updated_at: u64,
    /// Whether it has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// Longest [`Conversation::about`], in characters.
const ABOUT_CHARS_MAX: usize = 80;

impl From<&Session> for Conversation {
    fn from(session: &Session) -> Self {
        let last = session.turns.iter().rfind(|turn| turn.role == Role::User);
        let about = last.map(|turn| turn.content.chars().take(ABOUT_CHARS_MAX).collect());
        Self {
            session_id: session.id.to_string(),
            persona_id: session.persona.id.clone(),
            state: session.state().to_owned(),
            turn_count: session.said,
            about: about.unwrap_or_default(),
            created_at: session.created_at_ms,
            updated_at: session.updated_at_ms,
            ended: session.status == pb_model::session::SessionStatus::Ended,
        }
    }
}

/// The payload for clients of `event`, which led to `state` at `at`.
pub fn data(event: &SessionEvent, state: &Session, at: u64) -> Value {
    let mut data = json!({
        "sessionId": state.id,
        "timestamp": at,
        "state": state.state(),
        "status": state.status.as_str(),
        "hasTask": state.active_goal().is_some(),
        "answered": state.answered,
    });
    if let (Value::Object(data), Value::Object(more)) = (&mut data, particulars(event)) {
        data.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    data
}

fn particulars(event: &SessionEvent) -> Value {
    match event {
        SessionEvent::Started { session } => {
            json!({"personaId": session.persona.id, "workspace": session.workspace, "by": session.created_by})
        }
        SessionEvent::Said { turn } | SessionEvent::GaveUp { turn } => json!({"turn": Turn::from(turn)}),
        SessionEvent::ModelRequested { model, reservation, .. } => {
            json!({"model": model, "n": reservation.n})
        }
        SessionEvent::ModelFailed { n, model, error, not_before_ms, lost, .. } => {
            json!({"n": n, "model": model, "error": error, "again": *lost || not_before_ms.is_some()})
        }
        SessionEvent::Responded { model, turn, cancels, .. } => {
            json!({"turn": Turn::from(turn), "model": model, "cancels": cancels})
        }
        SessionEvent::MadeGoal { model, turn, goal, .. } => {
            json!({"turn": Turn::from(turn), "model": model, "goalId": goal.id, "taskInfo": TaskInfo::from(goal)})
        }
        SessionEvent::Told { turn, goal, ended } => {
            json!({"turn": Turn::from(turn), "goalId": goal, "result": ended.map(GoalStatus::as_str)})
        }
        SessionEvent::Ended { by } => json!({"by": by}),
        SessionEvent::Compacted { events, .. } => json!({"events": events}),
    }
}
