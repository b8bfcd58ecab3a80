//! `auth.*`: who is on this connection, proved after it was opened (`wire.md` §2.5).

use pb_protocol::methods::auth::{
    Authenticated, Challenge as ChallengeResult, HelloParams, TokenParams, VerifyParams,
};
use pb_protocol::{ErrorCode, Permission, RpcError};
use serde_json::value::to_raw_value;

use super::{Caller, Outcome};
use crate::access::{Challenge, Grant, NoProof, PublicKey};
use crate::admit::Admitted;
use crate::hub::Hub;

pub(super) fn hello(hub: &Hub, caller: &Caller, params: &HelloParams) -> Result<ChallengeResult, RpcError> {
    let key = public_key(&params.public_key)?;
    let unknown = "Unknown public key. Use auth.pair to register.";
    let grant = hub.access.find_by_key(key, hub.clock.now_ms()).ok_or_else(|| failed(unknown))?;
    challenge(hub, caller, grant, Some(key))
}

pub(super) fn pair(hub: &Hub, caller: &Caller, params: &TokenParams) -> Result<ChallengeResult, RpcError> {
    let now = hub.clock.now_ms();
    let secret = secret(hub, caller, params, now)?;
    let Some(grant) = hub.access.find(secret, now) else {
        hub.access.throttle.failed(caller.who(), now);
        let error = RpcError::new(ErrorCode::InvalidToken, "Invalid or expired pairing token");
        return Err(error.hint("`pb gateway pair` makes one"));
    };
    if grant.key.is_some() {
        let error = RpcError::new(ErrorCode::InvalidToken, "Token already paired to a device");
        return Err(error
            .hint("that device signs in with auth.hello; for another one, `pb gateway pair` makes a token"));
    }
    challenge(hub, caller, grant, None)
}

pub(super) fn token(hub: &Hub, caller: &Caller, params: &TokenParams) -> Result<Outcome, RpcError> {
    let now = hub.clock.now_ms();
    let secret = secret(hub, caller, params, now)?;
    if hub.access.is_own(secret) {
        return authenticated(hub, Admitted::by_own_token(caller.who()));
    }
    let Some(grant) = hub.access.find(secret, now) else {
        hub.access.throttle.failed(caller.who(), now);
        return Err(failed("Authentication failed: Invalid or expired token"));
    };
    if !grant.permissions.allow(&[Permission::Admin]) {
        let error = failed("Authentication failed: Token requires admin permission for direct auth");
        return Err(
            error.hint("pair a key with it by auth.pair, or send it as `Authorization: Bearer TOKEN`")
        );
    }
    authenticated(hub, Admitted::by_grant(grant, caller.who()))
}

pub(super) async fn verify(hub: &Hub, caller: &Caller, params: VerifyParams) -> Result<Outcome, RpcError> {
    let now = hub.clock.now_ms();
    if params.signature.is_empty() {
        return Err(RpcError::invalid_params("signature required"));
    }
    not_too_many(hub, caller, now)?;
    // Whatever comes of it, a challenge is answered once.
    let challenge = caller.take_challenge().ok_or_else(|| failed("No pending authentication"))?;
    let key = match challenge.key {
        Some(key) => key,
        None => public_key(params.public_key.as_deref().unwrap_or_default())?,
    };
    challenge.check(key, &params.signature, now).map_err(|why| match why {
        NoProof::Expired => RpcError::new(ErrorCode::ChallengeExpired, "Challenge expired"),
        NoProof::Wrong => {
            hub.access.throttle.failed(caller.who(), now);
            RpcError::new(ErrorCode::SignatureInvalid, "Invalid signature")
                .hint("sign the 32 bytes that the challenge's digits stand for, with the key that was named")
        }
    })?;
    let grant = challenge.grant;
    if challenge.key.is_none() && !hub.access.bind(&grant.id, key, now).await.map_err(RpcError::internal)? {
        let error = failed("Failed to bind public key");
        return Err(error.hint("another token has this key, or this token has another key or has ended"));
    }
    authenticated(hub, Admitted::by_grant(grant, caller.who()))
}

fn public_key(digits: &str) -> Result<PublicKey, RpcError> {
    PublicKey::parse(digits).ok_or_else(|| {
        RpcError::invalid_params("Invalid public key format").hint("a publicKey is 64 hex digits")
    })
}

/// The secret that was said, if a secret of theirs is looked at now.
fn secret<'a>(hub: &Hub, caller: &Caller, params: &'a TokenParams, now_ms: u64) -> Result<&'a str, RpcError> {
    if params.token.is_empty() {
        return Err(RpcError::invalid_params("token required"));
    }
    not_too_many(hub, caller, now_ms)?;
    Ok(&params.token)
}

fn not_too_many(hub: &Hub, caller: &Caller, now_ms: u64) -> Result<(), RpcError> {
    let Some(wait) = hub.access.throttle.wait(caller.who(), now_ms) else { return Ok(()) };
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let error = RpcError::new(ErrorCode::RateLimited, "too many wrong tokens or signatures came from here");
    Err(error.hint(format!("try again in {seconds} s")))
}

fn challenge(
    hub: &Hub,
    caller: &Caller,
    grant: Grant,
    key: Option<PublicKey>,
) -> Result<ChallengeResult, RpcError> {
    let challenge = Challenge::new(grant, key, hub.clock.now_ms())
        .ok_or_else(|| RpcError::internal("the system gives no random numbers"))?;
    let digits = challenge.digits();
    caller.set_challenge(challenge);
    Ok(ChallengeResult { challenge: digits })
}

fn authenticated(hub: &Hub, admitted: Admitted) -> Result<Outcome, RpcError> {
    let result = Authenticated {
        success: true,
        session_id: hub.ids.uuid().simple().to_string(),
        permissions: admitted.permissions.words().into_iter().map(str::to_owned).collect(),
    };
    let session_id = result.session_id.clone();
    let result = to_raw_value(&result).map_err(RpcError::internal)?;
    Ok(Outcome::Authenticated { session_id, admitted: Box::new(admitted), result })
}

fn failed(message: &str) -> RpcError {
    RpcError::new(ErrorCode::AuthFailed, message)
}
