//! `escalation.*`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::Accepted;
use super::{Method, NoParams, Permission};
use crate::domain::Escalation;

/// `escalation.list`.
#[derive(Debug)]
pub struct List;

impl Method for List {
    const NAME: &'static str = "escalation.list";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Lists questions to people, the latest first";
    type Params = ListParams;
    type Result = ListResult;
}

/// Which questions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListParams {
    /// Only those about this goal.
    #[serde(rename = "goalId", skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<String>,
    /// `open` for those that somebody has to answer, `resolved` for the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// At most so many; 50 if absent, 500 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// After so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// What comes after the page that told this as `nextCursor`. Rows that come in between neither repeat nor hide others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of questions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// The page.
    pub escalations: Vec<Escalation>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins; absent on the last one.
    #[serde(default, rename = "nextCursor", skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `escalation.get`.
#[derive(Debug)]
pub struct Get;

impl Method for Get {
    const NAME: &'static str = "escalation.get";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Gives a question with everything needed to decide";
    type Params = GetParams;
    type Result = Escalation;
}

/// Which question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetParams {
    /// The escalation's id.
    #[serde(rename = "escalationId")]
    pub escalation_id: String,
}

/// `escalation.pending`.
#[derive(Debug)]
pub struct Pending;

impl Method for Pending {
    const NAME: &'static str = "escalation.pending";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Counts the questions that somebody has to answer";
    type Params = NoParams;
    type Result = PendingResult;
}

/// How many questions wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PendingResult {
    /// So many.
    pub count: u64,
}

/// `escalation.respond`.
#[derive(Debug)]
pub struct Respond;

impl Method for Respond {
    const NAME: &'static str = "escalation.respond";
    const PERMISSIONS: &[Permission] = &[Permission::Write, Permission::Approve];
    const DOC: &'static str = "Answers a question; the first answer wins, and a goal with none left goes on";
    type Params = RespondParams;
    type Result = Accepted;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// Which question, and the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RespondParams {
    /// The escalation's id.
    #[serde(rename = "escalationId")]
    pub escalation_id: String,
    /// One of its options.
    pub action: String,
    /// What comes with the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<RespondData>,
    /// The same key gives the same answer, for 30 days.
    #[serde(default, rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// What comes with an answer. Other keys are ignored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RespondData {
    /// What `raise` raises the cap to: tokens, US dollars, turns or minutes; twice what it is if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<f64>,
    /// Words: another way for `alternative_approach`, an answer for `user_input`, why not for `deny`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The answers of `user_input`, by the ids of the questions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, String>,
}

/// `escalation.resolve`, as the first terminal UI calls `escalation.respond`.
#[derive(Debug)]
pub struct Resolve;

impl Method for Resolve {
    const NAME: &'static str = "escalation.resolve";
    const PERMISSIONS: &[Permission] = &[Permission::Write, Permission::Approve];
    const DOC: &'static str = "The same as escalation.respond, with the answer one level deeper";
    type Params = ResolveParams;
    type Result = Accepted;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// Which question, and the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolveParams {
    /// The escalation's id.
    #[serde(rename = "escalationId")]
    pub escalation_id: String,
    /// The answer.
    pub resolution: ResolveWith,
    /// The same key gives the same answer, for 30 days.
    #[serde(default, rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolveWith {
    /// One of the question's options.
    pub action: String,
    /// What comes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<RespondData>,
}

impl From<ResolveParams> for RespondParams {
    fn from(params: ResolveParams) -> Self {
        let ResolveParams { escalation_id, resolution, idempotency_key } = params;
        Self { escalation_id, action: resolution.action, data: resolution.data, idempotency_key }
    }
}
