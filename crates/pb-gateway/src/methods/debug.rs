//! `debug.*`.

use pb_protocol::RpcError;
use pb_protocol::methods::debug::{EventsSubscribeParams, EventsUnsubscribeResult};
use serde_json::value::to_raw_value;

use super::Outcome;
use crate::debug::Subscription;
use crate::hub::Hub;

pub(super) async fn subscribe(hub: &Hub, params: EventsSubscribeParams) -> Result<Outcome, RpcError> {
    let (subscription, result) = Subscription::open(hub, params).await?;
    let result = to_raw_value(&result).map_err(RpcError::internal)?;
    Ok(Outcome::Debug(Some(Box::new(subscription)), result))
}

pub(super) fn unsubscribe() -> Result<Outcome, RpcError> {
    let result = to_raw_value(&EventsUnsubscribeResult { success: true }).map_err(RpcError::internal)?;
    Ok(Outcome::Debug(None, result))
}
