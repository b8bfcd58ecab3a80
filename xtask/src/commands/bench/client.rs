//! A connection to the gateway, as any client has one.

use anyhow::Context;
use pb_protocol::client::{self, Connection, Events};
use pb_runtime::endpoint::Endpoint;
use pb_runtime::{Home, token};
use tokio::task::JoinSet;

/// Connects. The connection ends when the set is dropped.
pub(super) async fn connect(home: &Home) -> anyhow::Result<(Connection, Events, JoinSet<()>)> {
    let endpoint = Endpoint::read(&home.gateway_json()).context("the gateway wrote no address")?;
    let token = token::read(&home.token()).ok();
    let (client, events, driver) = client::connect(&endpoint.address.to_string(), token.as_deref()).await?;
    let mut tasks = JoinSet::new();
    tasks.spawn(driver.run());
    Ok((client, events, tasks))
}
