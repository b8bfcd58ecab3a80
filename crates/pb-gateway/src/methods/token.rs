//! `token.*`: the gateway's own; no scheduler is asked.

use pb_protocol::methods::goal::Accepted;
use pb_protocol::methods::token::{CreateParams, CreateResult, ListResult, RevokeParams, Token};
use pb_protocol::{Permission, Permissions, RpcError};
use pb_store::AccessToken;

use super::Caller;
use crate::access::{Invitation, NAME_CHARS_MAX, Purpose, TOKENS_MAX};
use crate::hub::Hub;

/// Longest idempotency key, in bytes.
const KEY_BYTES_MAX: usize = 256;

pub(super) async fn create(
    hub: &Hub,
    caller: &Caller,
    params: CreateParams,
) -> Result<CreateResult, RpcError> {
    let now = hub.clock.now_ms();
    let permissions = permissions(caller, &params.permissions)?;
    let name = params.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        let problem = format!("name: it has 1 to {NAME_CHARS_MAX} characters on one line");
        return Err(RpcError::invalid_params(problem));
    }
    may_be_made(hub, params.expires_at, now)?;
    let key = key(hub, params.idempotency_key)?;
    let secret = hub.access.secret(Purpose::Token, caller.actor(), &key);
    let given = Invitation { permissions, expires_at_ms: params.expires_at, by: caller.actor().to_owned() };
    let wanted = given.token(&secret, name, now);
    let kept = hub.access.add(wanted.clone()).await.map_err(RpcError::internal)?;
    if (&kept.name, &kept.permissions, kept.expires_at_ms)
        != (&wanted.name, &wanted.permissions, wanted.expires_at_ms)
    {
        return Err(crate::inbox::commands::other_params());
    }
    tracing::info!(id = %kept.id, %permissions, by = caller.actor(), "an access token is made");
    Ok(CreateResult { secret, token: shown(kept, now) })
}

/// Refuses what would end before it begins, and one token too many.
pub(super) fn may_be_made(hub: &Hub, expires_at_ms: Option<u64>, now_ms: u64) -> Result<(), RpcError> {
    if expires_at_ms.is_some_and(|at| at <= now_ms) {
        return Err(RpcError::invalid_params("expiresAt: it has passed already"));
    }
    if hub.access.count(now_ms) < TOKENS_MAX {
        return Ok(());
    }
    let problem = format!("there are {TOKENS_MAX} access tokens");
    Err(RpcError::new(pb_protocol::ErrorCode::RateLimited, problem)
        .hint("revoke some: pb gateway tokens, pb gateway revoke ID"))
}

/// The idempotency key, or one that nobody else has.
pub(super) fn key(hub: &Hub, asked: Option<String>) -> Result<String, RpcError> {
    match asked {
        Some(key) if key.is_empty() || key.len() > KEY_BYTES_MAX => {
            let problem = format!("idempotencyKey: a key has 1 to {KEY_BYTES_MAX} bytes");
            Err(RpcError::invalid_params(problem))
        }
        Some(key) => Ok(key),
        None => Ok(format!("{:016x}{:016x}", hub.ids.number(), hub.ids.number())),
    }
}

/// What a token is to allow: reading always, and nothing that its maker may not.
pub(super) fn permissions(caller: &Caller, words: &[String]) -> Result<Permissions, RpcError> {
    let wrong = |error| RpcError::invalid_params(format!("permissions: {error}"));
    let mut list = vec![Permission::Read];
    for word in words {
        list.push(word.parse().map_err(wrong)?);
    }
    let asked = Permissions::of(&list);
    if caller.permissions().cover(asked) {
        return Ok(asked);
    }
    let problem = format!("permissions: you have {}, and cannot give {asked}", caller.permissions());
    Err(RpcError::invalid_params(problem))
}

pub(super) async fn list(hub: &Hub) -> Result<ListResult, RpcError> {
    let now = hub.clock.now_ms();
    let all = hub.access.all().await.map_err(RpcError::internal)?;
    Ok(ListResult { tokens: all.into_iter().map(|token| shown(token, now)).collect() })
}

pub(super) async fn revoke(hub: &Hub, params: RevokeParams) -> Result<Accepted, RpcError> {
    let now = hub.clock.now_ms();
    let id = params.token_id;
    let was_live = hub.access.revoke(&id, now).await.map_err(RpcError::internal)?;
    if !was_live {
        let all = hub.access.all().await.map_err(RpcError::internal)?;
        if all.iter().all(|token| token.id != id) {
            return Err(RpcError::invalid_params(format!("tokenId: there is no access token {id}"))
                .hint("see them with: pb gateway tokens"));
        }
    }
    tracing::info!(%id, was_live, "an access token is revoked");
    Ok(Accepted { success: true, waiting: false })
}

fn shown(token: AccessToken, now_ms: u64) -> Token {
    let status = match (token.revoked_at_ms, token.expires_at_ms) {
        (Some(_), _) => "revoked",
        (None, Some(at)) if at <= now_ms => "expired",
        (None, _) => "live",
    };
    Token {
        id: token.id,
        name: token.name,
        permissions: token.permissions.split(',').map(str::to_owned).collect(),
        status: status.to_owned(),
        created_at: token.created_at_ms,
        created_by: token.created_by,
        expires_at: token.expires_at_ms,
        revoked_at: token.revoked_at_ms,
        public_key: token.public_key,
    }
}
