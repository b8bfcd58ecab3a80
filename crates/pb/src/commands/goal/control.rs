//! What `pb goal cancel|pause|resume|retry|prioritize` have in common.

use std::future::Future;

use pb_protocol::client::{Client, Error, Patience};
use pb_protocol::methods::goal::{Accepted, GoalIdParams, Status};
use pb_runtime::{Clock, Home, Ids};

use super::GoalId;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, output, wait};

/// Asks for something about a goal, and says in `told` what comes of it.
pub(super) fn ask<F: Future<Output = Result<Accepted, Error>>>(
    goal: GoalId,
    json: bool,
    told: impl Fn(&str) -> String,
    call: impl FnOnce(Client, String) -> F,
) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    wait::client(async {
        let client = connection::client(&home, Patience::None);
        // The whole id first, so that what is asked about can be named.
        let id = client.call::<Status>(&GoalIdParams { goal_id: goal.id }).await?.goal.id;
        let accepted = call(client, id.clone()).await?;
        if json {
            output::json(&accepted)?;
        } else if accepted.waiting {
            output::note(format_args!("{id}: this is done when a scheduler runs: pb scheduler start"));
        } else {
            output::note(told(&id));
        }
        Ok(Exit::Ok)
    })
}

/// A fresh idempotency key.
pub(super) fn key() -> String {
    Ids::random(Clock::System).uuid().to_string()
}
