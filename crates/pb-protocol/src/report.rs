//! The report on a goal: what was asked, what was done, what proves it, what is left, what it cost, and how
//! to undo it. Made from the goal's state alone, so it says the same wherever it is rendered.

mod of;

use pb_model::Verdict;
use pb_model::goal::Kept;
use pb_model::spec::SuccessCriterion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Artifact, Error, GateResult};

/// A report, as things stood at [`Report::updated_at`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The goal.
    pub goal_id: String,
    /// Its title.
    pub title: String,
    /// Its status: `completed`, `failed`, `cancelled` or `blocked` once it has ended or stopped.
    pub status: String,
    /// Why it stands there, where the status does not say it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How well it is proven, once it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// One line on how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// When it was accepted, in milliseconds since 1970.
    pub created_at: u64,
    /// When it last changed.
    pub updated_at: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<u64>,
    /// What was asked.
    pub asked: Asked,
    /// What was taken for granted where nobody said.
    pub assumed: Vec<String>,
    /// The items that are done, in plan order.
    pub done: Vec<DoneItem>,
    /// Those that are not, and why.
    pub not_done: Vec<OpenItem>,
    /// What the gates of each item's last attempt found.
    pub verified: Vec<GateReport>,
    /// The gates that never ran in the last attempt at their item.
    pub unchecked: Vec<UncheckedGate>,
    /// What humans were asked, and what they answered.
    pub questions: Vec<Question>,
    /// What it took.
    pub spent: Spent,
    /// The files.
    pub delivered: Delivered,
    /// How to have the files as they were before; absent when it never started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// The person's words.
    pub description: String,
    /// How one will know.
    pub criteria: Vec<SuccessCriterion>,
    /// Who asked.
    pub by: String,
}

/// An item that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoneItem {
    /// Its key in the plan.
    pub key: String,
    /// One line.
    pub title: String,
    /// `command` or `agent`.
    pub kind: String,
    /// Key of the item whose run added it; none for one of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_by: Option<String>,
    /// How well it is proven.
    pub verdict: Verdict,
    /// How many attempts were made.
    pub attempts: u32,
    /// What the agent said when it finished: its words, which prove nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// An item that is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenItem {
    /// Its key in the plan.
    pub key: String,
    /// One line.
    pub title: String,
    /// Key of the item whose run added it; none for one of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_by: Option<String>,
    /// `queued`, `ready`, `in_progress`, `verify`, `failed`, `blocked` or `skipped`; `replaced` when another plan took
    /// its place.
    pub status: String,
    /// Why it is not done, in words.
    pub why: String,
    /// How many attempts were made.
    pub attempts: u32,
}

/// A gate that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateReport {
    /// The item's key.
    pub item: String,
    /// Which files the verdict is about.
    pub freshness: Freshness,
    /// What it found, with its evidence.
    #[serde(flatten)]
    pub result: GateResult,
}

/// Which files a verdict is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Those that were delivered: the gate ran then, or nothing but gates wrote since it ran.
    AsDelivered,
    /// Those that were there when it ran; they may have changed since.
    WhenItRan,
}

/// A gate that never ran in the last attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UncheckedGate {
    /// The item's key.
    pub item: String,
    /// The gate's name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Whether the item needs it.
    pub required: bool,
}

/// A question, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportQuestion")]
pub struct Question {
    /// Its id.
    pub id: String,
    /// When it was asked.
    pub asked_at: u64,
    /// Which kind of question it is.
    pub kind: String,
    /// The item's key, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// One line.
    pub title: String,
    /// Why it was asked.
    pub why: String,
    /// What may be answered.
    pub options: Vec<String>,
    /// What was answered; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Words that came with the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Answers to what was asked in particular.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<String>,
    /// Whether nobody answered in time, and what had been said before was taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

/// What it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spent {
    /// Milliseconds from when it was accepted to its end, or to its last change.
    pub wall_ms: u64,
    /// Milliseconds during which steps ran.
    pub running_ms: u64,
    /// Answers of models.
    pub turns: u32,
    /// Tokens.
    pub tokens: u64,
    /// Money.
    pub cost_usd: f64,
    /// The part of the tokens that was assumed, because nobody told.
    pub assumed_tokens: u64,
    /// The part of the money that was assumed.
    pub assumed_cost_usd: f64,
    /// Whether a model without a known price was called: the money is not all of it.
    pub unpriced: bool,
    /// The same by model.
    pub by_model: Vec<ModelSpent>,
}

/// What one model took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelSpent {
    /// The model, `provider/model`.
    pub model: String,
    /// Its calls, also those that failed.
    pub calls: u32,
    /// Its answers.
    pub turns: u32,
    /// Tokens.
    pub tokens: u64,
    /// Money.
    pub cost_usd: f64,
    /// Whether its price is not known.
    pub unpriced: bool,
}

/// The files of a goal; of one that failed, what it had made and did not deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivered {
    /// The folder that it worked in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// What is new or changed, with digests, by path.
    pub files: Vec<Artifact>,
    /// What was there before and is gone, by path.
    pub removed: Vec<Artifact>,
    /// How many more there are than are listed here.
    pub unlisted: u64,
}

/// How to have the files as they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undo {
    /// How they were kept.
    pub kept: Kept,
    /// What to type; absent when they were not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}
