//! `log.*`: of this process, and over the link of the scheduler's.

use std::time::Duration;

use pb_protocol::RpcError;
use pb_protocol::ipc::{LogLevels, LogLevelsChange, LogLevelsTold};
use pb_protocol::methods::log::{Levels, LevelsResult, ProcessLevels, SetLevelsParams};
use pb_runtime::logging::{self, Filter};

use super::Caller;
use crate::hub::Hub;

const GATEWAY: &str = "gateway";
const SCHEDULER: &str = "scheduler";
/// How long a scheduler may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(3);

pub(super) async fn levels(hub: &Hub) -> Result<LevelsResult, RpcError> {
    Ok(LevelsResult { processes: vec![ours(logging::levels()), theirs(hub, None).await] })
}

pub(super) async fn set_levels(
    hub: &Hub,
    caller: &Caller,
    params: SetLevelsParams,
) -> Result<LevelsResult, RpcError> {
    let filter: Option<Filter> =
        params.filter.as_deref().map(str::parse).transpose().map_err(|error: logging::FilterError| {
            RpcError::invalid_params(format!("filter: {error}")).hint(error.hint())
        })?;
    let (of_gateway, of_scheduler) = match params.process.as_deref() {
        None => (true, true),
        Some(GATEWAY) => (true, false),
        Some(SCHEDULER) => (false, true),
        Some(other) => {
            let problem = format!("process: `{other}` is neither {GATEWAY} nor {SCHEDULER}");
            return Err(RpcError::invalid_params(problem));
        }
    };
    let mut processes = Vec::new();
    if of_gateway {
        processes.push(ours(logging::change(filter.clone(), params.keep)));
    }
    if of_scheduler {
        let change = LogLevelsChange { filter: filter.map(|filter| filter.to_string()), keep: params.keep };
        processes.push(theirs(hub, Some(change)).await);
    }
    let asked = params.filter.as_deref().unwrap_or("reset");
    tracing::info!(
        asked,
        keep = params.keep,
        by = caller.actor(),
        "what is written into the logs is changed"
    );
    Ok(LevelsResult { processes })
}

fn ours(levels: Result<logging::Levels, logging::LevelsError>) -> ProcessLevels {
    of(GATEWAY, levels.map(Levels::from).map_err(|error| error.to_string()))
}

async fn theirs(hub: &Hub, change: Option<LogLevelsChange>) -> ProcessLevels {
    let request_id = format!("{:016x}", hub.ids.number());
    let asked = LogLevels { request_id: request_id.clone(), change };
    let told = hub.link.levels.ask(request_id, asked, ANSWER_MAX).await;
    let levels = told.and_then(|LogLevelsTold { levels, error, .. }| {
        levels.ok_or_else(|| error.unwrap_or_else(|| "it says not why".to_owned()))
    });
    of(SCHEDULER, levels)
}

fn of(process: &str, levels: Result<Levels, String>) -> ProcessLevels {
    let (levels, problem) = match levels {
        Ok(levels) => (Some(levels), None),
        Err(problem) => (None, Some(problem)),
    };
    ProcessLevels { process: process.to_owned(), levels, problem }
}
