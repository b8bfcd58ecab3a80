//! What is told about an event, key by key: the one source of the tables of docs/RPC.md and of the types of clients.

use std::collections::BTreeMap;

use pb_model::Verdict;
use pb_model::goal::{GoalStatus, ItemStatus, Kept};
use pb_model::schedule::ScheduleStatus;
use pb_model::session::SessionStatus;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::domain::{Error, Escalation, Goal, Run, WorkItem};
use crate::event_names::EventName;
use crate::methods;
use crate::schedule::Schedule;

/// A key of an event's `data`.
#[derive(Debug, Clone, Copy)]
pub struct DataKey {
    /// Its name.
    pub name: &'static str,
    /// Whether every event of this name has it; null is never told.
    pub is_always: bool,
    /// More about it, for people; empty where its name says enough.
    pub note: &'static str,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

/// A key that every event of a name has.
pub(crate) const fn key<T: JsonSchema>(name: &'static str) -> DataKey {
    DataKey { name, is_always: true, note: "", schema: SchemaGenerator::subschema_for::<T> }
}

impl DataKey {
    /// The same, where it is not always there.
    pub(crate) const fn maybe(mut self) -> Self {
        self.is_always = false;
        self
    }

    /// The same with more about it.
    pub(crate) const fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }

    /// The schema of its value; named types go into the definitions of `generator`.
    pub fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.schema)(generator)
    }

    /// As people read it: with a `?` if it may be absent.
    pub fn listed(&self) -> String {
        let absent = if self.is_always { "" } else { "?" };
        let note = if self.note.is_empty() { String::new() } else { format!(" ({})", self.note) };
        format!("`{}{absent}`{note}", self.name)
    }
}

/// What an event is about: says which keys each has, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A goal.
    Goal,
    /// A schedule.
    Schedule,
    /// A conversation.
    Conversation,
    /// The piece of what a model or a tool says while a run works.
    RunDelta,
    /// The piece of an answer in a conversation.
    TalkDelta,
    /// The connection itself.
    Connection,
}

impl About {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Goal, Self::Schedule, Self::Conversation, Self::RunDelta, Self::TalkDelta, Self::Connection];

    /// The keys that each event about it has.
    pub fn keys(self) -> &'static [DataKey] {
        const GOAL: &[DataKey] = &[
            key::<String>("goalId"),
            key::<String>("workItemId").maybe(),
            key::<String>("runId").maybe(),
            TIMESTAMP,
        ];
        const SCHEDULE: &[DataKey] = &[key::<String>("scheduleId"), TIMESTAMP];
        const CONVERSATION: &[DataKey] = &[key::<String>("sessionId"), TIMESTAMP];
        const RUN_DELTA: &[DataKey] = &[
            key::<String>("requestId").note("the call that it is a piece of"),
            key::<String>("goalId"),
            key::<String>("workItemId").maybe(),
            key::<String>("runId"),
            TIMESTAMP,
        ];
        const TALK_DELTA: &[DataKey] = &[
            key::<String>("requestId").note("the call that it is a piece of"),
            key::<String>("streamId").note("the same by its older name"),
            key::<String>("sessionId"),
            TIMESTAMP,
        ];
        match self {
            Self::Goal => GOAL,
            Self::Schedule => SCHEDULE,
            Self::Conversation => CONVERSATION,
            Self::RunDelta => RUN_DELTA,
            Self::TalkDelta => TALK_DELTA,
            Self::Connection => &[],
        }
    }
}

const TIMESTAMP: DataKey = key::<u64>("timestamp").note("milliseconds since 1970");

/// Of an event that tells the goal whole.
pub(crate) const GOAL: &[DataKey] = &[
    key::<Goal>("goal").note("whole"),
    key::<String>("id"),
    key::<GoalStatus>("status"),
    key::<String>("title"),
];
/// Of one that tells the item whole.
pub(crate) const ITEM: &[DataKey] = &[
    key::<WorkItem>("workItem").note("whole"),
    key::<String>("id"),
    key::<String>("goal_id"),
    key::<ItemStatus>("status"),
];
/// Of one that tells the run whole.
pub(crate) const RUN: &[DataKey] = &[key::<Run>("run").note("whole")];
/// Of every event of a schedule.
pub(crate) const SCHEDULE: &[DataKey] =
    &[key::<Schedule>("schedule"), key::<ScheduleStatus>("status"), key::<String>("title")];
/// Of every event of a conversation.
pub(crate) const TALK: &[DataKey] = &[
    key::<String>("state"),
    key::<SessionStatus>("status"),
    key::<bool>("hasTask"),
    key::<u64>("answered").note("the last turn that has its answer"),
];
/// Of a question.
pub(crate) const ESCALATION: &[DataKey] = &[
    key::<Escalation>("escalation").note("whole"),
    key::<String>("escalationId"),
    key::<String>("id"),
    key::<String>("goal_id"),
    key::<String>("status"),
];
/// Of what waits for a yes.
pub(crate) const APPROVAL: &[DataKey] = &[
    key::<Escalation>("escalation").note("whole"),
    key::<String>("approvalId"),
    key::<String>("id"),
    key::<String>("goal_id"),
    key::<String>("status").note("of the escalation"),
    key::<String>("requestType"),
    key::<String>("description"),
];
/// Of an answer to a question.
pub(crate) const ANSWERS: DataKey =
    key::<BTreeMap<String, String>>("answers").note("by the ids of the questions");
/// Of what ended well, or not.
pub(crate) const VERDICT: DataKey = key::<Verdict>("verdict");
/// Of what went wrong.
pub(crate) const ERROR: DataKey = key::<Error>("error");
/// Of a goal's start.
pub(crate) const KEPT: DataKey = key::<Kept>("kept");

impl EventName {
    /// Every key of its `data`: those of what it is about, then its own.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static DataKey> {
        self.about.keys().iter().chain(self.own_keys())
    }

    /// The keys that it has beside those of what it is about.
    pub fn own_keys(&self) -> impl Iterator<Item = &'static DataKey> {
        self.keys.iter().flat_map(|group| group.iter())
    }

    /// What its `data` looks like, exactly: there are no other keys in this version.
    pub fn data_schema(&self) -> Value {
        let mut generator = methods::as_written();
        let mut properties = Map::new();
        for key in self.all_keys() {
            properties.insert(key.name.to_owned(), key.schema(&mut generator).to_value());
        }
        let required: Vec<&str> = self.all_keys().filter(|key| key.is_always).map(|key| key.name).collect();
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
            "$defs": generator.take_definitions(true),
        })
    }
}
