//! Access tokens: who may come in at the gateway. They lie in its own file, beside the inbox.

use crate::contract::Error;
use crate::inbox::Inbox;
use crate::sqlite::access;

/// A token, without its secret: only the digest of that is kept (`security.md` 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Digest of the secret (blake3, hex).
    pub hash: String,
    /// What it allows, as words with commas between them.
    pub permissions: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// Who made it.
    pub created_by: String,
    /// When it ends by itself.
    pub expires_at_ms: Option<u64>,
    /// When somebody ended it.
    pub revoked_at_ms: Option<u64>,
    /// The key of the device that was paired with it (Ed25519, hex).
    pub public_key: Option<String>,
}

impl Inbox {
    /// Keeps a token; one with the same id is left as it is. Which one there is then.
    pub async fn add_token(&self, token: AccessToken) -> Result<AccessToken, Error> {
        self.connection().call(move |connection| access::add(connection, &token)).await
    }

    /// Every token, also those that have ended, the latest first.
    pub async fn tokens(&self) -> Result<Vec<AccessToken>, Error> {
        self.connection().call(|connection| access::all(connection)).await
    }

    /// Ends a token. Whether it went on before.
    pub async fn revoke_token(&self, id: String, at_ms: u64) -> Result<bool, Error> {
        self.connection().call(move |connection| access::revoke(connection, &id, at_ms)).await
    }

    /// Binds a device's key to a token that has none, unless it is that of another one that goes on. Whether that was
    /// done.
    pub async fn bind_token(&self, id: String, public_key: String, now_ms: u64) -> Result<bool, Error> {
        self.connection().call(move |connection| access::bind(connection, &id, &public_key, now_ms)).await
    }

    /// Drops tokens that ended before `before_ms`. How many there were.
    pub async fn forget_tokens(&self, before_ms: u64) -> Result<usize, Error> {
        self.connection().call(move |connection| access::forget(connection, before_ms)).await
    }
}
