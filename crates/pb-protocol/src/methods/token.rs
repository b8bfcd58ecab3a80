//! `token.*`: who else may come in at the gateway, and what they may do there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::Accepted;
use super::{Method, NoParams, Permission};

/// `token.create`.
#[derive(Debug)]
pub struct Create;

impl Method for Create {
    const NAME: &'static str = "token.create";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Makes an access token; its secret is told this once";
    type Params = CreateParams;
    type Result = CreateResult;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// What the token is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CreateParams {
    /// What people call it; at most 64 characters.
    pub name: String,
    /// What it allows: `read`, `write`, `approve`, `admin`. All may read; no more than the caller may.
    pub permissions: Vec<String>,
    /// When it ends by itself, in milliseconds since 1970; never if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// The same key gives the same token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// The new token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreateResult {
    /// The secret: 64 hex digits. Only its digest is kept.
    pub secret: String,
    /// What is kept of it.
    pub token: Token,
}

impl std::fmt::Debug for CreateResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreateResult").field("token", &self.token).finish_non_exhaustive()
    }
}

/// An access token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it allows.
    pub permissions: Vec<String>,
    /// `live`, `expired` or `revoked`.
    pub status: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: u64,
    /// Who made it.
    pub created_by: String,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// When somebody ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<u64>,
    /// The key of the device that was paired with it (Ed25519, hex).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// `token.list`.
#[derive(Debug)]
pub struct List;

impl Method for List {
    const NAME: &'static str = "token.list";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Lists the access tokens, the latest first; those that ended for 30 days";
    type Params = NoParams;
    type Result = ListResult;
}

/// The tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// All of them.
    pub tokens: Vec<Token>,
}

/// `token.revoke`.
#[derive(Debug)]
pub struct Revoke;

impl Method for Revoke {
    const NAME: &'static str = "token.revoke";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str =
        "Ends an access token at once, and every connection that came in by it; a repeat changes nothing";
    type Params = RevokeParams;
    type Result = Accepted;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// Which token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevokeParams {
    /// The token's id.
    #[serde(rename = "tokenId")]
    pub token_id: String,
    /// Taken, and of no effect: what is revoked stays so.
    #[serde(default, rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}
