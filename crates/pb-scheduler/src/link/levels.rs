//! What this process writes into its log, as the gateway asks.

use pb_protocol::ipc::{LogLevels, LogLevelsChange, LogLevelsTold};
use pb_runtime::logging::{self, Filter, Levels};

/// Does what is asked, and tells what is written now.
pub(super) fn answer(asked: LogLevels) -> LogLevelsTold {
    let (levels, error) = match asked.change.as_ref().map_or_else(levels, change) {
        Ok(levels) => (Some(levels.into()), None),
        Err(error) => (None, Some(error)),
    };
    LogLevelsTold { request_id: asked.request_id, levels, error }
}

fn levels() -> Result<Levels, String> {
    logging::levels().map_err(|error| error.to_string())
}

fn change(change: &LogLevelsChange) -> Result<Levels, String> {
    let filter: Option<Filter> = change
        .filter
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error: logging::FilterError| error.to_string())?;
    logging::change(filter, change.keep).map_err(|error| error.to_string())
}
