//! A device proves that it has its key (Ed25519, RFC 8032; `wire.md` §2.5).

use ed25519_dalek::{Signature, VerifyingKey};
use ring::rand::{SecureRandom, SystemRandom};

use super::Grant;

/// How long a challenge may be answered, in milliseconds.
const GOOD_FOR_MS: u64 = 30_000;
/// Bytes of a challenge, and of a public key.
const KEY_BYTES: usize = 32;

/// A device's public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublicKey([u8; KEY_BYTES]);

impl PublicKey {
    /// Reads 64 hex digits.
    pub(crate) fn parse(digits: &str) -> Option<Self> {
        let mut bytes = [0; KEY_BYTES];
        hex::decode_to_slice(digits, &mut bytes).ok().map(|()| Self(bytes))
    }

    /// Its digits, as they are kept.
    pub(crate) fn digits(self) -> String {
        hex::encode(self.0)
    }
}

/// What a connection is to sign, for which token.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    bytes: [u8; KEY_BYTES],
    until_ms: u64,
    /// What is given to who signs it.
    pub(crate) grant: Grant,
    /// Whose key it must be; none while a token is paired, when any new one will do.
    pub(crate) key: Option<PublicKey>,
}

/// Why a signature proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoProof {
    Expired,
    Wrong,
}

impl Challenge {
    /// A fresh one; `None` where the system gives no random numbers.
    pub(crate) fn new(grant: Grant, key: Option<PublicKey>, now_ms: u64) -> Option<Self> {
        let mut bytes = [0; KEY_BYTES];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self { bytes, until_ms: now_ms.saturating_add(GOOD_FOR_MS), grant, key })
    }

    /// Its digits, as the device is told.
    pub(crate) fn digits(&self) -> String {
        hex::encode(self.bytes)
    }

    /// Whether this signature is by this key.
    pub(crate) fn check(&self, key: PublicKey, signature: &str, now_ms: u64) -> Result<(), NoProof> {
        if now_ms >= self.until_ms {
            return Err(NoProof::Expired);
        }
        let mut bytes = [0; Signature::BYTE_SIZE];
        hex::decode_to_slice(signature, &mut bytes).map_err(|_| NoProof::Wrong)?;
        // Strictly: under a key of small order, signatures can be made up that are of every fourth challenge.
        let key = VerifyingKey::from_bytes(&key.0).map_err(|_| NoProof::Wrong)?;
        key.verify_strict(&self.bytes, &Signature::from_bytes(&bytes)).map_err(|_| NoProof::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use pb_protocol::Permissions;
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use tokio_util::sync::CancellationToken;

    use super::*;

    fn grant() -> Grant {
        Grant {
            id: "t1".to_owned(),
            permissions: Permissions::default(),
            expires_at_ms: None,
            key: None,
            revoked: CancellationToken::new(),
        }
    }

    #[test]
    fn the_bytes_are_signed_by_the_key_that_is_named_and_in_time() {
        let pair = |seed: u8| Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let key = |pair: &Ed25519KeyPair| PublicKey::parse(&hex::encode(pair.public_key())).unwrap();
        let (mine, other) = (pair(1), pair(2));
        let challenge = Challenge::new(grant(), None, 1_000).unwrap();
        let signed = |pair: &Ed25519KeyPair, bytes: &[u8]| hex::encode(pair.sign(bytes));
        let right = signed(&mine, &challenge.bytes);
        assert_eq!(challenge.check(key(&mine), &right, 30_999), Ok(()));
        assert_eq!(challenge.check(key(&mine), &right, 31_000), Err(NoProof::Expired));
        let digits = signed(&mine, challenge.digits().as_bytes());
        let again = Challenge::new(grant(), None, 1_000).unwrap();
        for (key, signature) in [
            (key(&other), right.clone()),
            (key(&mine), signed(&other, &challenge.bytes)),
            (key(&mine), digits),
            (key(&mine), signed(&mine, &again.bytes)),
            (key(&mine), "00".repeat(64)),
            (key(&mine), right.get(..126).unwrap().to_owned()),
            (key(&mine), "马".to_owned()),
            (PublicKey([0; 32]), "00".repeat(64)),
        ] {
            assert_eq!(challenge.check(key, &signature, 1_000), Err(NoProof::Wrong), "{signature}");
        }
    }

    #[test]
    fn nothing_is_signed_by_a_key_of_small_order() {
        for key in [[0; KEY_BYTES], std::array::from_fn(|at| u8::from(at == 0))] {
            for _ in 0..64 {
                let challenge = Challenge::new(grant(), None, 0).unwrap();
                for signature in ["00".repeat(64), format!("01{}", "00".repeat(63))] {
                    assert_eq!(challenge.check(PublicKey(key), &signature, 0), Err(NoProof::Wrong));
                }
            }
        }
    }

    #[test]
    fn a_key_is_64_hex_digits() {
        let good = "ab".repeat(32);
        assert_eq!(PublicKey::parse(&good.to_uppercase()).unwrap().digits(), good);
        for wrong in ["", "ab", &"ab".repeat(33), &"zz".repeat(32), &"马".repeat(64)] {
            assert_eq!(PublicKey::parse(wrong), None, "{wrong}");
        }
    }
}
