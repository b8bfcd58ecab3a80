//! A home whose goals are asked for over the wire: what the faults of whole goals share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_model::GoalId;
use pb_model::goal::{GoalState, GoalStatus};
use pb_runtime::Home;
use pb_store::LogReader;
use serde_json::Value;
use tokio::time::sleep;

use crate::follower;

/// Pause between two looks at the store, which rings no bell here.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Asks for a goal, and gives its id.
///
/// # Errors
/// It is refused, or there is no answer.
pub async fn submit(home: &Home, goal: &Value) -> anyhow::Result<GoalId> {
    let answer = follower::call(home, "goal.submit", goal).await?;
    Ok(answer["id"].as_str().context("an answer without an id")?.parse()?)
}

/// The goal as the store has it now.
pub async fn state(home: &Home, goal: GoalId) -> Option<GoalState> {
    let log = LogReader::open(&home.state_db()).await.ok()?;
    log.state(goal).await.ok()?
}

/// Whether nothing more happens to the goal by itself.
pub fn is_at_rest(state: &GoalState) -> bool {
    match state.goal.status {
        GoalStatus::Completed | GoalStatus::Failed | GoalStatus::Cancelled | GoalStatus::Blocked => true,
        GoalStatus::Queued | GoalStatus::Active => false,
    }
}

/// Waits until each goal is at rest.
///
/// # Errors
/// One is not in time (I9).
pub async fn all_at_rest(
    home: &Home,
    goals: &[GoalId],
    within: Duration,
) -> anyhow::Result<BTreeMap<GoalId, GoalState>> {
    let began = Instant::now();
    let mut ended = BTreeMap::new();
    loop {
        for goal in goals.iter().filter(|goal| !ended.contains_key(*goal)).copied().collect::<Vec<_>>() {
            if let Some(state) = state(home, goal).await.filter(is_at_rest) {
                ended.insert(goal, state);
            }
        }
        if ended.len() == goals.len() {
            return Ok(ended);
        }
        if began.elapsed() > within {
            let open: Vec<_> = goals.iter().filter(|goal| !ended.contains_key(goal)).collect();
            bail!("I9: {open:?} have not ended");
        }
        sleep(LOOK_AGAIN).await; // wait: the state is in another process's file
    }
}

/// Processes that stand in a folder, or below it: tools, and what those left behind.
pub fn processes_in(folder: &Path) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let stands = |pid: &u32| {
        let cwd: Option<PathBuf> = std::fs::read_link(format!("/proc/{pid}/cwd")).ok(); // It may have ended.
        cwd.is_some_and(|cwd| cwd.starts_with(folder))
    };
    pids.filter(stands).collect()
}

/// Waits until no process stands in a folder; gives those that still do.
pub async fn nobody_in(folder: &Path, within: Duration) -> Vec<u32> {
    let began = Instant::now();
    loop {
        let left = processes_in(folder);
        if left.is_empty() || began.elapsed() > within {
            return left;
        }
        sleep(LOOK_AGAIN).await; // wait: other processes ring no bell
    }
}
