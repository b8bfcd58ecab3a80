//! Codes by which a browser comes in at the console: each once, within a minute (`security.md` 4).
//!
//! They stand in addresses, which end up in the list of processes and in a browser's history. So they are worth
//! nothing once they were used, and are kept in memory only, as digests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pb_protocol::Permissions;
use pb_store::AccessToken;

use super::digest;

/// Most codes at once, used ones until their time is over among them.
pub(crate) const CODES_MAX: usize = 32;
/// How long a code is good, in milliseconds.
const GOOD_FOR_MS: u64 = 60_000;
/// Characters of a token's id.
const ID_CHARS: usize = 32;

/// What an access token gives, or a code to the browser that brings it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invitation {
    /// What one may do by it.
    pub(crate) permissions: Permissions,
    /// When that ends by itself.
    pub(crate) expires_at_ms: Option<u64>,
    /// Who made it.
    pub(crate) by: String,
}

impl Invitation {
    /// The access token with this secret that gives it.
    pub(crate) fn token(self, secret: &str, name: &str, now_ms: u64) -> AccessToken {
        let hash = digest(secret);
        AccessToken {
            // A part of the digest, so that a repeat is the same token.
            id: hash.chars().take(ID_CHARS).collect(),
            name: name.to_owned(),
            hash,
            permissions: self.permissions.to_string(),
            created_at_ms: now_ms,
            created_by: self.by,
            expires_at_ms: self.expires_at_ms,
            revoked_at_ms: None,
            public_key: None,
        }
    }
}

/// Why there is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotMade {
    TooMany,
    /// The same was asked for with other parameters.
    Another,
}

/// Why a code gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoCode {
    /// It was used, or is too old.
    Spent,
    /// There was none of late.
    Unknown,
}

/// The codes of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    by_digest: Mutex<HashMap<String, Code>>,
}

#[derive(Debug)]
struct Code {
    invitation: Invitation,
    until_ms: u64,
    is_used: bool,
}

impl Codes {
    /// Keeps a code, and says until when it is good; a repeat finds the first one.
    pub(crate) fn add(&self, code: &str, invitation: Invitation, now_ms: u64) -> Result<u64, NotMade> {
        let mut codes = self.codes();
        codes.retain(|_, one| now_ms < one.until_ms);
        let digest = digest(code);
        if let Some(known) = codes.get(&digest) {
            return if known.invitation == invitation { Ok(known.until_ms) } else { Err(NotMade::Another) };
        }
        if codes.len() >= CODES_MAX {
            return Err(NotMade::TooMany);
        }
        let until_ms = now_ms.saturating_add(GOOD_FOR_MS);
        codes.insert(digest, Code { invitation, until_ms, is_used: false });
        Ok(until_ms)
    }

    /// Uses a code up.
    pub(crate) fn take(&self, code: &str, now_ms: u64) -> Result<Invitation, NoCode> {
        let mut codes = self.codes();
        let found = codes.get_mut(&digest(code)).ok_or(NoCode::Unknown)?;
        if std::mem::replace(&mut found.is_used, true) || now_ms >= found.until_ms {
            return Err(NoCode::Spent);
        }
        Ok(found.invitation.clone())
    }

    /// Drops what somebody made who may make none any more.
    pub(super) fn forget_those_by(&self, actor: &str) {
        self.codes().retain(|_, one| one.invitation.by != actor);
    }

    fn codes(&self) -> MutexGuard<'_, HashMap<String, Code>> {
        self.by_digest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation() -> Invitation {
        let permissions = Permissions::parse("read").unwrap();
        Invitation { permissions, expires_at_ms: None, by: "token:a".to_owned() }
    }

    #[test]
    fn a_code_is_good_once_and_for_a_minute() {
        let codes = Codes::default();
        assert_eq!(codes.add("a", invitation(), 1_000), Ok(61_000));
        assert_eq!(codes.add("a", invitation(), 2_000), Ok(61_000), "a repeat is the same");
        assert_eq!(
            codes.add("a", Invitation { by: "b".to_owned(), ..invitation() }, 2_000),
            Err(NotMade::Another)
        );
        assert_eq!(codes.take("b", 3_000), Err(NoCode::Unknown));
        assert_eq!(codes.take("a", 60_999), Ok(invitation()));
        assert_eq!(codes.take("a", 60_999), Err(NoCode::Spent));
        assert_eq!(codes.add("a", invitation(), 60_999), Ok(61_000), "a repeat does not make it good again");
        assert_eq!(codes.take("a", 60_999), Err(NoCode::Spent));
        codes.add("late", invitation(), 0).unwrap();
        assert_eq!(codes.take("late", 60_000), Err(NoCode::Spent));
    }

    #[test]
    fn codes_are_few_and_end_with_who_made_them() {
        let codes = Codes::default();
        for n in 0..CODES_MAX {
            codes.add(&n.to_string(), invitation(), 0).unwrap();
        }
        assert_eq!(codes.add("more", invitation(), 59_999), Err(NotMade::TooMany));
        assert_eq!(codes.add("more", invitation(), 60_000), Ok(120_000), "old ones give way");
        codes.forget_those_by("token:a");
        assert_eq!(codes.take("more", 60_000), Err(NoCode::Unknown));
    }
}
