//! The files of a goal as they were kept before it wrote: what `pb goal diff` and `pb goal undo` share.

use std::path::PathBuf;

use anyhow::Context;
use pb_model::goal::{GoalState, GoalStatus};
use pb_runtime::Home;
use pb_scheduler::kept::{self, Changes, KeptError, Which};
use pb_store::LogReader;

use super::GoalId;
use crate::exit::Exit;
use crate::failure::Failure;

/// Ids that are told when a part fits several goals.
const IDS_TOLD_MAX: usize = 5;

/// A goal, and what is different from what was kept of its folder.
pub(super) struct Compared {
    pub(super) state: GoalState,
    pub(super) folder: PathBuf,
    pub(super) changes: Changes,
}

/// The goal that is meant. The store is read as it is: no process needs to run.
pub(super) async fn find(log: &LogReader, wanted: &GoalId) -> Result<GoalState, Failure> {
    let part = wanted.id.trim();
    let ids = log.goal_ids_like(part, IDS_TOLD_MAX).await.context("cannot look for the goal")?;
    let id = match ids.as_slice() {
        [only] => only,
        [] => {
            return Err(
                Failure::new(Exit::Missing, format!("there is no goal `{part}`")).hint("see: pb goal list")
            );
        }
        several => {
            let message = format!("`{part}` is a part of several ids: {}", several.join(", "));
            return Err(Failure::new(Exit::Usage, message).hint("say more of it"));
        }
    };
    let id = id.parse().context("a stored id is none")?;
    let state = log.state(id).await.context("cannot read the goal")?;
    state.ok_or_else(|| Failure::new(Exit::Missing, format!("there is no goal `{part}`")))
}

/// Opens the store of a home.
pub(super) async fn store(home: &Home) -> Result<LogReader, Failure> {
    let path = home.state_db();
    if !path.exists() {
        return Err(
            Failure::new(Exit::Missing, "no goal has been run here").hint("PB_HOME says which home is meant")
        );
    }
    Ok(LogReader::open(&path).await.context("cannot read the goals")?)
}

/// Compares the goal's folder with what was kept of it.
pub(super) fn compare(home: &Home, state: GoalState, which: Which) -> Result<Compared, Failure> {
    let goal = &state.goal;
    let (Some(folder), Some(kept)) = (goal.workspace.as_deref().map(PathBuf::from), &goal.kept) else {
        return Err(Failure::new(Exit::Missing, "the goal has not started, so nothing was changed by it"));
    };
    let kept = match which {
        Which::Start => kept.clone(),
        Which::Undone => kept::undone(home, goal.id).map_err(failure)?,
    };
    let changes = kept::changes(home, (goal.id, which), &kept, &folder).map_err(failure)?;
    Ok(Compared { state, folder, changes })
}

/// Whether it may still write into its folder.
pub(super) fn is_open(state: &GoalState) -> bool {
    match state.goal.status {
        GoalStatus::Queued | GoalStatus::Active => true,
        GoalStatus::Blocked | GoalStatus::Completed | GoalStatus::Cancelled | GoalStatus::Failed => false,
    }
}

pub(super) fn failure(error: KeptError) -> Failure {
    let exit = match &error {
        KeptError::NotKept(_) => Exit::Missing,
        KeptError::NoWayBack(_) => Exit::Refused,
        KeptError::Io { .. } | KeptError::Git { .. } | KeptError::Damaged(_) | KeptError::Workspace(_) => {
            Exit::Failed
        }
    };
    Failure::of(exit, &anyhow::Error::new(error))
}
