//! Who was given a way in: access tokens, beside the one that our own user's programs read from a file.
//!
//! A token's secret is shown once, when it is made; kept is its digest, in the gateway's own file. What lies there is
//! also held in memory, so that nobody who knocks makes us read the disk.

mod challenge;
mod codes;
mod places;
mod throttle;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pb_protocol::{CloseReason, Permissions};
use pb_runtime::Clock;
use pb_store::{AccessToken, Error, Inbox};
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

pub(crate) use challenge::{Challenge, NoProof, PublicKey};
pub(crate) use codes::{CODES_MAX, Codes, Invitation, NoCode, NotMade};
pub(crate) use places::{Place, Places};
pub(crate) use throttle::{Throttle, Who};

/// Most tokens that have not ended.
pub(crate) const TOKENS_MAX: usize = 256;
/// Most connections that have not said yet who they are.
const PENDING_MAX: usize = 256;
/// Most of them from one place.
const PENDING_FROM_ONE_MAX: usize = 16;
/// How long one may take to say who it is (`wire.md` §2.1).
pub const PENDING_MAX_AGE: Duration = Duration::from_secs(30);
/// Longest frame of one, in bytes.
pub(crate) const PENDING_FRAME_BYTES: usize = 64 * 1024;
/// Longest name of a token, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 64;
/// How often a connection looks whether its token has ended by itself.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a token that has ended is still listed, in milliseconds (30 days).
const ENDED_KEPT_MS: u64 = 30 * 24 * 3600 * 1_000;

/// The tokens, and the wrong ones of late.
#[derive(Debug)]
pub(crate) struct Access {
    /// The token of our own user's programs; it is no row, and never ends.
    own: String,
    store: Inbox,
    /// Those that may still be used, by the digests of their secrets.
    live: Mutex<HashMap<String, Grant>>,
    pub(crate) throttle: Throttle,
    /// The wrong cookies of late. Another server of this machine may give a browser one in our name: that is no reason
    /// to have whoever brings a token wait.
    pub(crate) wrong_cookies: Throttle,
    /// The wrong codes of late. A browser opens old addresses again: no reason to have anybody else wait either.
    pub(crate) wrong_codes: Throttle,
    /// By which browsers come in.
    pub(crate) codes: Codes,
    /// Those that have not said yet who they are (`security.md` 8).
    pub(crate) pending: Places,
}

/// What a token gives to who has it.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// The token's id.
    pub(crate) id: String,
    /// What it allows.
    pub(crate) permissions: Permissions,
    /// When it ends by itself.
    pub(crate) expires_at_ms: Option<u64>,
    /// The key of the device that it was paired with.
    pub(crate) key: Option<PublicKey>,
    /// Cancelled when somebody ends it.
    pub(crate) revoked: CancellationToken,
}

/// What a secret is for: those of one purpose are none of another's.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Token,
    Code,
}

impl Purpose {
    fn context(self) -> &'static str {
        match self {
            Self::Token => "PonyBunny 2026-11 access token by idempotency key",
            Self::Code => "PonyBunny 2026-11 code of the console by idempotency key",
        }
    }
}

impl Grant {
    /// Whether it has not ended by itself.
    fn is_live(&self, now_ms: u64) -> bool {
        self.expires_at_ms.is_none_or(|at| now_ms < at)
    }

    /// Waits until the token has ended, by itself or because somebody ended it. Why.
    pub(crate) async fn end(&self, clock: &Clock) -> CloseReason {
        loop {
            let left = self.expires_at_ms.map(|at| at.saturating_sub(clock.now_ms()));
            if left == Some(0) {
                return CloseReason::TokenExpired;
            }
            // The clock is asked again now and then: it may be set, and a machine may sleep.
            let look = left.map_or(LOOK_EVERY, |left| LOOK_EVERY.min(Duration::from_millis(left)));
            tokio::select! {
                () = self.revoked.cancelled() => return CloseReason::TokenRevoked,
                () = tokio::time::sleep(look) => {}
            }
        }
    }

    /// Cuts a connection off when the token ends, unless that ends first.
    pub(crate) async fn cut_off(&self, clock: &Clock, connection: &CancellationToken) {
        tokio::select! {
            _ = self.end(clock) => connection.cancel(),
            () = connection.cancelled() => {}
        }
    }
}

impl Access {
    /// Reads what is kept, and drops what ended long ago.
    pub(crate) async fn open(own: String, store: Inbox, now_ms: u64) -> Result<Self, Error> {
        store.forget_tokens(now_ms.saturating_sub(ENDED_KEPT_MS)).await?;
        let kept = store.tokens().await?;
        let live = kept.iter().filter_map(|token| Some((token.hash.clone(), grant(token)?))).collect();
        Ok(Self {
            own,
            store,
            live: Mutex::new(live),
            throttle: Throttle::default(),
            wrong_cookies: Throttle::default(),
            wrong_codes: Throttle::default(),
            codes: Codes::default(),
            pending: Places::new(PENDING_MAX, PENDING_FROM_ONE_MAX),
        })
    }

    /// Whether this is the token of our own user's programs.
    pub(crate) fn is_own(&self, secret: &str) -> bool {
        secret.as_bytes().ct_eq(self.own.as_bytes()).into()
    }

    /// What this secret gives now.
    pub(crate) fn find(&self, secret: &str, now_ms: u64) -> Option<Grant> {
        let found = self.live().get(&digest(secret)).cloned()?;
        found.is_live(now_ms).then_some(found)
    }

    /// What the device with this key is given now.
    pub(crate) fn find_by_key(&self, key: PublicKey, now_ms: u64) -> Option<Grant> {
        let live = self.live();
        live.values().find(|grant| grant.key == Some(key) && grant.is_live(now_ms)).cloned()
    }

    /// Binds a device's key to a token that has none. Whether that was done.
    pub(crate) async fn bind(&self, id: &str, key: PublicKey, now_ms: u64) -> Result<bool, Error> {
        let is_bound = self.store.bind_token(id.to_owned(), key.digits(), now_ms).await?;
        if is_bound {
            let mut live = self.live();
            live.values_mut().filter(|grant| grant.id == id).for_each(|grant| grant.key = Some(key));
        }
        Ok(is_bound)
    }

    /// Whether a URL's query has a secret of ours in it: our own anywhere, of which the text is known, and others
    /// as a value.
    pub(crate) fn is_told_in(&self, query: &str) -> bool {
        let values = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
        let live = self.live();
        query.contains(&self.own) || values.into_iter().any(|value| live.contains_key(&digest(value)))
    }

    /// A secret for this key of a request: the same for the same caller and key, and for nobody to guess.
    pub(crate) fn secret(&self, purpose: Purpose, actor: &str, key: &str) -> String {
        let mut hasher = blake3::Hasher::new_derive_key(purpose.context());
        for part in [&self.own, actor, key] {
            // Lengths first, so that no two lists of parts are the same bytes.
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Keeps a token; a repeat finds the first one.
    pub(crate) async fn add(&self, token: AccessToken) -> Result<AccessToken, Error> {
        let kept = self.store.add_token(token).await?;
        if let Some(grant) = grant(&kept) {
            self.live().entry(kept.hash.clone()).or_insert(grant);
        }
        Ok(kept)
    }

    /// Every token, also those that have ended.
    pub(crate) async fn all(&self) -> Result<Vec<AccessToken>, Error> {
        self.store.tokens().await
    }

    /// How many may still be used.
    pub(crate) fn count(&self, now_ms: u64) -> usize {
        self.live().values().filter(|grant| grant.is_live(now_ms)).count()
    }

    /// Ends a token, and with it every connection that came in by it. Whether it went on before.
    pub(crate) async fn revoke(&self, id: &str, now_ms: u64) -> Result<bool, Error> {
        let was_live = self.store.revoke_token(id.to_owned(), now_ms).await?;
        self.live().retain(|_, grant| {
            if grant.id == id {
                grant.revoked.cancel();
            }
            grant.id != id
        });
        self.codes.forget_those_by(&format!("token:{id}"));
        Ok(was_live)
    }

    /// Whether this actor may still do something: one that came by a token may until that is revoked.
    pub(crate) fn is_live(&self, actor: &str) -> bool {
        actor.strip_prefix("token:").is_none_or(|id| self.live().values().any(|grant| grant.id == id))
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, Grant>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept of a secret.
pub(crate) fn digest(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

/// What a row gives, unless somebody ended it. One whose permissions this build does not know gives nothing.
fn grant(token: &AccessToken) -> Option<Grant> {
    let permissions = Permissions::parse(&token.permissions).ok()?;
    token.revoked_at_ms.is_none().then(|| Grant {
        id: token.id.clone(),
        permissions,
        expires_at_ms: token.expires_at_ms,
        key: token.public_key.as_deref().and_then(PublicKey::parse),
        revoked: CancellationToken::new(),
    })
}
