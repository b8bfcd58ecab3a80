//! `events.*`.

use pb_protocol::RpcError;
use pb_protocol::frame::Request;
use pb_protocol::methods::events::{Subscribe, Unsubscribe};
use pb_protocol::methods::params;

use super::{Caller, Outcome};
use crate::hub::Hub;
use crate::subscription::Subscription;

pub(super) async fn subscribe(hub: &Hub, caller: &Caller, request: &Request) -> Result<Outcome, RpcError> {
    let params = params::<Subscribe>(&request.params)?;
    let (subscription, result) = Subscription::open(hub, params, caller.subscription_id()).await?;
    Ok(Outcome::Subscribe(Box::new(subscription), Box::new(result)))
}

pub(super) fn unsubscribe(request: &Request) -> Result<Outcome, RpcError> {
    let params = params::<Unsubscribe>(&request.params)?;
    Ok(Outcome::Unsubscribe(params.subscription_id))
}
