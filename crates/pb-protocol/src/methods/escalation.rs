//! `escalation.*`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::Accepted;
use super::{Method, Permission};

/// `escalation.respond`.
#[derive(Debug)]
pub struct Respond;

impl Method for Respond {
    const NAME: &'static str = "escalation.respond";
    const PERMISSION: Option<Permission> = Some(Permission::Write);
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
}
