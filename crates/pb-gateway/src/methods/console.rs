//! `console.*`: the gateway's own; no scheduler is asked.

use pb_protocol::methods::console::{InviteParams, InviteResult};
use pb_protocol::{ErrorCode, RpcError};

use super::{Caller, token};
use crate::access::{CODES_MAX, Invitation, NotMade, Purpose};
use crate::hub::Hub;

pub(super) fn invite(hub: &Hub, caller: &Caller, params: InviteParams) -> Result<InviteResult, RpcError> {
    let now = hub.clock.now_ms();
    let permissions = token::permissions(caller, &params.permissions)?;
    token::may_be_made(hub, params.expires_at, now)?;
    let key = token::key(hub, params.idempotency_key)?;
    let code = hub.access.secret(Purpose::Code, caller.actor(), &key);
    let invitation =
        Invitation { permissions, expires_at_ms: params.expires_at, by: caller.actor().to_owned() };
    let code_ends_at = hub.access.codes.add(&code, invitation, now).map_err(|why| match why {
        NotMade::Another => crate::inbox::commands::other_params(),
        NotMade::TooMany => {
            RpcError::new(ErrorCode::RateLimited, format!("{CODES_MAX} codes were made within a minute"))
                .hint("use one of them, or wait a minute")
        }
    })?;
    tracing::info!(%permissions, by = caller.actor(), "a browser is invited");
    let permissions = permissions.words().into_iter().map(str::to_owned).collect();
    Ok(InviteResult { code, code_ends_at, permissions, expires_at: params.expires_at })
}
