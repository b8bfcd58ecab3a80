//! `debug.*`.

use pb_protocol::RpcError;
use pb_protocol::frame::Request;
use pb_protocol::methods::debug::{EventsSubscribe, EventsUnsubscribe, EventsUnsubscribeResult};
use pb_protocol::methods::params;
use serde_json::value::to_raw_value;

use super::Outcome;
use crate::debug::Subscription;
use crate::hub::Hub;

pub(super) async fn subscribe(hub: &Hub, request: &Request) -> Result<Outcome, RpcError> {
    let params = params::<EventsSubscribe>(&request.params)?;
    let (subscription, result) = Subscription::open(hub, params).await?;
    let result = to_raw_value(&result).map_err(RpcError::internal)?;
    Ok(Outcome::Debug(Some(Box::new(subscription)), result))
}

pub(super) fn unsubscribe(request: &Request) -> Result<Outcome, RpcError> {
    params::<EventsUnsubscribe>(&request.params)?;
    let result = to_raw_value(&EventsUnsubscribeResult { success: true }).map_err(RpcError::internal)?;
    Ok(Outcome::Debug(None, result))
}
