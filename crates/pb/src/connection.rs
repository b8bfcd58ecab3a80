//! The gateway of a home: where it is, and how long a command waits for it.
//!
//! The client connects, waits, repeats and resumes by itself (`pb-protocol/src/client/mod.rs`). What is
//! here is what it asks us, and what people are told meanwhile.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use pb_protocol::client::{self, Client, Config, NotFound, Patience, Place};
use pb_runtime::{Endpoint, Home, LockHolder, token};

use crate::failure::Failure;
use crate::output;

/// A gateway that has not come back by then is the person's business.
pub(crate) const TELL_AFTER: Duration = Duration::from_secs(10);

/// How long a goal that is followed, or handed over, waits for the gateway.
pub(crate) const MINUTES: Patience = Patience::Within(Duration::from_mins(5));

/// A client of the home's gateway.
pub(crate) fn client(home: &Home, patience: Patience) -> Client {
    let home = home.clone();
    Client::new(Config { find: Arc::new(move || find(&home)), patience })
}

/// Where the gateway is. Asked anew each time, because one that was started again may listen elsewhere.
fn find(home: &Home) -> Result<Place, NotFound> {
    // The lock first: an address in a file that nobody holds may be anybody's by now, and our
    // token is not for them.
    let holder = LockHolder::alive(&home.gateway_lock()).ok_or(NotFound::NotRunning)?;
    let endpoint = Endpoint::read(&home.gateway_json())
        .filter(|endpoint| endpoint.pid == holder.pid)
        .ok_or(NotFound::Starting)?;
    let path = home.token();
    let token = token::read(&path).map_err(|source| NotFound::Token { path, source })?;
    Ok(Place { address: endpoint.address.to_string(), token: Some(token) })
}

/// Waits for an answer, and tells the person when that takes long.
pub(crate) async fn patiently<T>(
    answer: impl Future<Output = Result<T, client::Error>>,
) -> Result<T, Failure> {
    tokio::pin!(answer);
    if let Ok(answer) = tokio::time::timeout(TELL_AFTER, &mut answer).await {
        return Ok(answer?);
    }
    tell_away();
    Ok(answer.await?)
}

/// Tells that the gateway stays away.
pub(crate) fn tell_away() {
    output::note("the gateway does not answer; start it with: pb gateway start");
}
