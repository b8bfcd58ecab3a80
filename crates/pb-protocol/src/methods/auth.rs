//! `auth.*`: a device proves that it has its key, or says a token, on a connection that is open already
//! (`wire.md` §2.5). Keys, signatures and challenges are lower-case hex digits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Method, Permission};

/// `auth.hello`.
#[derive(Debug)]
pub struct Hello;

impl Method for Hello {
    const NAME: &'static str = "auth.hello";
    const PERMISSIONS: &[Permission] = &[];
    const DOC: &'static str = "Begins to sign in with the key of a device that was paired before";
    type Params = HelloParams;
    type Result = Challenge;
}

/// Whose key it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HelloParams {
    /// The device's public key (Ed25519): 64 hex digits.
    pub public_key: String,
}

/// What is to be signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Challenge {
    /// 32 random bytes as 64 hex digits. The bytes are signed, not the digits. It is good for 30 s, once.
    pub challenge: String,
}

/// `auth.pair`.
#[derive(Debug)]
pub struct Pair;

impl Method for Pair {
    const NAME: &'static str = "auth.pair";
    const PERMISSIONS: &[Permission] = &[];
    const DOC: &'static str = "Begins to bind a device's key to an access token that has none";
    type Params = TokenParams;
    type Result = Challenge;
}

/// `auth.token`.
#[derive(Debug)]
pub struct Token;

impl Method for Token {
    const NAME: &'static str = "auth.token";
    const PERMISSIONS: &[Permission] = &[];
    const DOC: &'static str = "Signs in with a token that allows everything";
    type Params = TokenParams;
    type Result = Authenticated;
}

/// A token's secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TokenParams {
    /// The secret: 64 hex digits, as `pb gateway pair` prints it.
    pub token: String,
}

impl std::fmt::Debug for TokenParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenParams").finish_non_exhaustive()
    }
}

/// `auth.verify`.
#[derive(Debug)]
pub struct Verify;

impl Method for Verify {
    const NAME: &'static str = "auth.verify";
    const PERMISSIONS: &[Permission] = &[];
    const DOC: &'static str = "Ends a sign-in or a pairing with the signature of the challenge";
    type Params = VerifyParams;
    type Result = Authenticated;
}

/// The proof.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VerifyParams {
    /// The signature of the challenge's 32 bytes (Ed25519): 128 hex digits.
    pub signature: String,
    /// The device's public key; needed after `auth.pair`, ignored after `auth.hello`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// Who the connection belongs to now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Authenticated {
    /// Always true; failures are errors.
    pub success: bool,
    /// The session's name: 32 hex digits.
    pub session_id: String,
    /// What the token allows that was proved. A connection that was let in before and may do more keeps that.
    pub permissions: Vec<String>,
}
