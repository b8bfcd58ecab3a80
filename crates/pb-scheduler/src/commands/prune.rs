//! `audit.prune`: goals that ended so long ago are compacted now, whatever config.toml says is long.

use pb_protocol::RpcError;
use pb_protocol::methods::audit::{PruneParams, PruneResult};
use pb_store::InboxRow;

use crate::effects::Context;
use crate::retention;

/// Counts what is due, and rings. What is looked at next includes it.
///
/// # Errors
/// The parameters are not understood, or the log cannot be read.
pub(super) async fn prepare(context: &Context, row: &InboxRow) -> Result<PruneResult, RpcError> {
    let params: PruneParams = serde_json::from_str(&row.command.params).map_err(RpcError::invalid_params)?;
    let settings = &context.settings.retention;
    let (events, goals) =
        retention::due_before(&context.config.db, settings, params.older_than_days, &context.config.clock)
            .await
            .map_err(RpcError::internal)?;
    context.retention.ring_for(params.older_than_days);
    Ok(PruneResult { deleted: events, goals, waiting: false })
}
