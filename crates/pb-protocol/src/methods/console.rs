//! `console.*`: how a browser comes in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Method, Permission};

/// `console.invite`.
#[derive(Debug)]
pub struct Invite;

impl Method for Invite {
    const NAME: &'static str = "console.invite";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str =
        "Makes a code by which one browser comes in at the console, once, within a minute";
    type Params = InviteParams;
    type Result = InviteResult;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// What the browser is to be given: an access token with the name `console`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InviteParams {
    /// What it may do: `read`, `write`, `approve`, `admin`. All may read; no more than the caller may.
    pub permissions: Vec<String>,
    /// When its access ends by itself, in milliseconds since 1970; never if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// The same key gives the same code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// The code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InviteResult {
    /// 64 hex digits, good once. Only their digest is kept, in memory.
    pub code: String,
    /// When it ends unused, in milliseconds since 1970.
    pub code_ends_at: u64,
    /// What the browser will be allowed.
    pub permissions: Vec<String>,
    /// When that ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
}

impl std::fmt::Debug for InviteResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code: _, code_ends_at, permissions, expires_at } = self;
        f.debug_struct("InviteResult")
            .field("code_ends_at", code_ends_at)
            .field("permissions", permissions)
            .field("expires_at", expires_at)
            .finish_non_exhaustive()
    }
}
