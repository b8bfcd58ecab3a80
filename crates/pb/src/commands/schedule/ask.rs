//! What `pb schedule run|pause|resume|remove` have in common.

use std::future::Future;

use pb_protocol::client::{Client, Error, Patience};
use pb_protocol::methods::goal::Accepted;
use pb_protocol::methods::schedule::{Get, GetParams, ScheduleParams};
use pb_runtime::{Clock, Home, Ids};

use super::ScheduleId;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, output, wait};

/// Asks for something about a schedule, and says in `told` what comes of it.
pub(super) fn control<F: Future<Output = Result<Accepted, Error>>>(
    schedule: ScheduleId,
    json: bool,
    told: impl Fn(&str) -> String,
    call: impl FnOnce(Client, ScheduleParams) -> F,
) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    wait::client(async {
        let client = connection::client(&home, Patience::None);
        // The whole id first, so that what is asked about can be named.
        let id = client.call::<Get>(&GetParams { schedule_id: schedule.id }).await?.id;
        let accepted = call(client, params(id.clone())).await?;
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

/// The parameters, with a fresh key.
pub(super) fn params(schedule_id: String) -> ScheduleParams {
    let key = Ids::random(Clock::System).uuid().to_string();
    ScheduleParams { schedule_id, idempotency_key: Some(key) }
}
