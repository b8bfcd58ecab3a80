//! What a goal changed in its folder, as the gateway asks: it knows no folders.

use std::path::PathBuf;

use pb_model::GoalId;
use pb_protocol::ipc::{Frame, GoalDiff, GoalDiffTold};
use pb_protocol::methods::goal_diff::{DiffResult, FileChange};
use pb_runtime::Home;
use pb_store::LogReader;

use crate::kept::{self, Changes, Which};
use crate::service::Config;

/// Most comparisons at once; who asks for more is told so.
pub(super) const AT_ONCE_MAX: usize = 2;
/// Most files that are told.
const FILES_MAX: usize = 500;
/// Most bytes of all names and lines together, as they stand in the frame, whose line has at most 1 MiB.
const BYTES_MAX: usize = 900 * 1024;
/// Most bytes of the lines of one file.
const FILE_BYTES_MAX: usize = 100 * 1024;

/// Says that there is too much to do.
pub(super) fn busy(asked: GoalDiff) -> Frame {
    told(asked, Err("it compares other folders; ask again in a moment".to_owned()))
}

/// Compares, and tells what came of it.
pub(super) async fn answer(config: Config, asked: GoalDiff) -> Frame {
    let result = compare(config, &asked.goal_id).await;
    told(asked, result)
}

fn told(asked: GoalDiff, result: Result<DiffResult, String>) -> Frame {
    let (result, error) = match result {
        Ok(result) => (Some(result), None),
        Err(error) => (None, Some(error)),
    };
    Frame::GoalDiffTold(Box::new(GoalDiffTold { request_id: asked.request_id, result, error }))
}

async fn compare(config: Config, goal_id: &str) -> Result<DiffResult, String> {
    let id: GoalId = goal_id.parse().map_err(|_| format!("`{goal_id}` is no id of a goal"))?;
    let cannot_read = |error: pb_store::Error| format!("the goal cannot be read: {error}");
    let log = LogReader::open(&config.db).await.map_err(cannot_read)?;
    let state = log.state(id).await.map_err(cannot_read)?.ok_or_else(|| format!("there is no goal {id}"))?;
    let (Some(folder), Some(kept)) = (state.goal.workspace.map(PathBuf::from), state.goal.kept) else {
        return Err("the goal has not started, so nothing was changed by it".to_owned());
    };
    let home: Home = config.home;
    let work = move || {
        let changes = kept::changes(&home, (id, Which::Start), &kept, &folder);
        changes.map(|changes| bounded(&changes)).map_err(|error| error.to_string())
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
}

/// As much of it as fits on a line of the link.
fn bounded(changes: &Changes) -> DiffResult {
    let mut left = BYTES_MAX;
    let mut told = Vec::new();
    for change in changes.all.iter().take(FILES_MAX) {
        let name = framed(&change.path);
        if name > left {
            break;
        }
        left -= name;
        let diff = changes.unified(change).ok().filter(|diff| framed(diff) <= left.min(FILE_BYTES_MAX));
        left -= diff.as_deref().map_or(0, framed);
        told.push(FileChange { path: change.path.clone(), change: change.what.as_str().to_owned(), diff });
    }
    DiffResult { left_out: changes.all.len() - told.len(), changes: told }
}

/// How many bytes a text is in a frame.
fn framed(text: &str) -> usize {
    serde_json::to_string(text).map_or(usize::MAX, |text| text.len())
}
