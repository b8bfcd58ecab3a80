//! `token.*`: the gateway's own; no scheduler is asked.

use pb_protocol::methods::goal::Accepted;
use pb_protocol::methods::token::{CreateParams, CreateResult, ListResult, RevokeParams, Token};
use pb_protocol::{Permission, Permissions, RpcError};
use pb_store::AccessToken;

use super::Caller;
use crate::access::{NAME_CHARS_MAX, TOKENS_MAX, digest};
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
    if params.expires_at.is_some_and(|at| at <= now) {
        return Err(RpcError::invalid_params("expiresAt: it has passed already"));
    }
    if hub.access.count(now) >= TOKENS_MAX {
        let problem = format!("there are {TOKENS_MAX} access tokens");
        return Err(RpcError::new(pb_protocol::ErrorCode::RateLimited, problem)
            .hint("revoke some: pb gateway tokens, pb gateway revoke ID"));
    }
    let key = match params.idempotency_key {
        Some(key) if key.is_empty() || key.len() > KEY_BYTES_MAX => {
            let problem = format!("idempotencyKey: a key has 1 to {KEY_BYTES_MAX} bytes");
            return Err(RpcError::invalid_params(problem));
        }
        Some(key) => key,
        None => format!("{:016x}{:016x}", hub.ids.number(), hub.ids.number()),
    };
    let secret = hub.access.secret(caller.actor(), &key);
    let hash = digest(&secret);
    let wanted = AccessToken {
        // A part of the digest, so that a repeat is the same token.
        id: hash.chars().take(ID_CHARS).collect(),
        name: name.to_owned(),
        hash,
        permissions: permissions.to_string(),
        created_at_ms: now,
        created_by: caller.actor().to_owned(),
        expires_at_ms: params.expires_at,
        revoked_at_ms: None,
        public_key: None,
    };
    let kept = hub.access.add(wanted.clone()).await.map_err(RpcError::internal)?;
    if (&kept.name, &kept.permissions, kept.expires_at_ms)
        != (&wanted.name, &wanted.permissions, wanted.expires_at_ms)
    {
        return Err(crate::inbox::commands::other_params());
    }
    tracing::info!(id = %kept.id, %permissions, by = caller.actor(), "an access token is made");
    Ok(CreateResult { secret, token: shown(kept, now) })
}

/// Characters of a token's id.
const ID_CHARS: usize = 32;

/// What a token is to allow: reading always, and nothing that its maker may not.
fn permissions(caller: &Caller, words: &[String]) -> Result<Permissions, RpcError> {
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
