//! `approval.*`: the questions that wait for a yes, by the names that the first implementation's clients use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::Accepted;
use super::{Method, NoParams, Permission, escalation};
use crate::domain::Approval;

/// `approval.list`.
#[derive(Debug)]
pub struct List;

impl Method for List {
    const NAME: &'static str = "approval.list";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Lists what waits for a yes, or had an answer, the latest first";
    type Params = ListParams;
    type Result = ListResult;
}

/// Which approvals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListParams {
    /// Only those about this goal.
    #[serde(rename = "goalId", skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<String>,
    /// `pending` for those that somebody has to answer, `approved` or `denied` for the others.
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

/// A page of approvals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// The page.
    pub approvals: Vec<Approval>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins; absent on the last one.
    #[serde(default, rename = "nextCursor", skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `approval.get`.
#[derive(Debug)]
pub struct Get;

impl Method for Get {
    const NAME: &'static str = "approval.get";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Gives an approval with everything needed to decide";
    type Params = GetParams;
    type Result = Approval;
}

/// Which approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetParams {
    /// The approval's id.
    #[serde(rename = "approvalId")]
    pub approval_id: String,
}

/// `approval.pending`.
#[derive(Debug)]
pub struct Pending;

impl Method for Pending {
    const NAME: &'static str = "approval.pending";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Counts what waits for a yes";
    type Params = NoParams;
    type Result = escalation::PendingResult;
}

/// `approval.create`.
#[derive(Debug)]
pub struct Create;

impl Method for Create {
    const NAME: &'static str = "approval.create";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Asks a person's yes for something that the client does itself; the goal is not delivered before the answer";
    type Params = CreateParams;
    type Result = Approval;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// What a yes is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateParams {
    /// The goal that it belongs to, or a part of its id.
    pub goal_id: String,
    /// What kind of thing it is, in the client's words; at most 64 bytes.
    pub request_type: String,
    /// What it is, for the person; at most 1 KiB.
    pub description: String,
    /// The item that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item_id: Option<String>,
    /// The run that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// What else the person should see; at most 16 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
    /// The same key gives the same answer, for 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

macro_rules! decides {
    ($(#[$doc:meta])* $method:ident, $name:literal, $about:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $method;

        impl Method for $method {
            const NAME: &'static str = $name;
            const PERMISSIONS: &[Permission] = &[Permission::Approve];
            const DOC: &'static str = $about;
            type Params = DecideParams;
            type Result = Accepted;

            fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
                params.idempotency_key.get_or_insert_with(fresh_key);
            }
        }
    };
}

decides!(
    /// `approval.grant`.
    Grant,
    "approval.grant",
    "Says yes to what is shown, once; the first answer wins"
);
decides!(
    /// `approval.deny`.
    Deny,
    "approval.deny",
    "Says no; the agent is told, and goes on"
);
/// Which approval, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecideParams {
    /// The approval's id.
    #[serde(rename = "approvalId")]
    pub approval_id: String,
    /// Why not, for the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a yes is given under, kept beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<String>,
    /// The same key gives the same answer, for 30 days.
    #[serde(default, rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}
