//! `events.*`.

use pb_protocol::RpcError;
use pb_protocol::methods::events::SubscribeParams;

use super::{Caller, Outcome};
use crate::hub::Hub;
use crate::subscription::Subscription;

pub(super) async fn subscribe(
    hub: &Hub,
    caller: &Caller,
    params: SubscribeParams,
) -> Result<Outcome, RpcError> {
    let (subscription, result) = Subscription::open(hub, params, caller.subscription_id()).await?;
    Ok(Outcome::Subscribe(Box::new(subscription), Box::new(result)))
}
