//! Delivery: each gate whose files changed since is run once more, while nothing else writes
//! there, and that verdict stands. Then: which files are new or changed. The same is done for a goal that can
//! only fail, so that what is said of its items is true of what it leaves.

use std::path::PathBuf;

use pb_model::freshness::{QuietRound, is_fresh};
use pb_model::goal::{Artifact, GateResult, GoalState, Item, ItemStatus};
use pb_model::{ArtifactId, GoalId};
use tokio_util::sync::CancellationToken;

use super::{Context, Done};
use crate::verify::{Subject, run_gates};
use crate::workspace::{FileMark, Manifest};

/// Most files that are listed as delivered or removed; how many more there are is told.
const ARTIFACTS_MAX: usize = 500;

pub(super) async fn publish(context: &Context, state: &GoalState, cancel: &CancellationToken) -> Done {
    let goal = state.goal.id;
    let workspace = PathBuf::from(state.goal.workspace.clone().unwrap_or_default());
    let before = context.manifest(goal, workspace.clone()).await;
    let digest = before.as_ref().map(|manifest| manifest.digest());
    let mut rechecked = Vec::new();
    for (subject, gates) in stale(state, &workspace, digest.as_deref()) {
        rechecked.extend(run_gates(context, &subject, &gates, subject.run.steps + 1, cancel).await);
    }
    let now = if rechecked.is_empty() { before } else { context.manifest(goal, workspace).await };
    let after = now.as_ref().map(|manifest| manifest.digest());
    for result in &mut rechecked {
        result.evidence.workspace_digest.clone_from(&after);
    }
    let (artifacts, unlisted) = match now {
        Some(now) => artifacts(context, goal, &now).await,
        None => (Vec::new(), 0),
    };
    let round = digest.zip(after).map(|(before, after)| QuietRound { before, after });
    Done::Published { goal, rechecked, round, artifacts, unlisted }
}

/// The gates whose verdict may not be about the files that are there now, item by item.
fn stale(state: &GoalState, workspace: &std::path::Path, now: Option<&str>) -> Vec<(Subject, Vec<usize>)> {
    let fresh = |result: &GateResult| match (&result.evidence.workspace_digest, now) {
        (Some(taken), Some(now)) => is_fresh(taken, now, &state.goal.quiet_rounds),
        _ => false,
    };
    // A review is of the work as it was when it was done.
    let is_run = |result: &GateResult, item: &Item| {
        !item.gates.get(result.gate as usize).is_some_and(|gate| gate.check.is_review())
    };
    let mut all = Vec::new();
    // What a human left out is not looked at again.
    for item in state.items.iter().filter(|item| item.status == ItemStatus::Done) {
        let Some(run) = state.last_run(item.id) else {
            continue;
        };
        let standing = state.standing_gates(run.id);
        let gates: Vec<usize> = standing
            .into_iter()
            .filter(|result| is_run(result, item) && !fresh(result))
            .map(|result| result.gate as usize)
            .collect();
        if !gates.is_empty() {
            let subject = Subject {
                goal: state.goal.clone(),
                item: item.clone(),
                run: run.clone(),
                workspace: workspace.to_owned(),
                recheck: true,
            };
            all.push((subject, gates));
        }
    }
    all
}

/// What is new, changed or gone since the start, and how many more there are than are listed. Which item did
/// it is not told: commands write what they like, items run side by side, and so do people.
async fn artifacts(context: &Context, goal: GoalId, now: &Manifest) -> (Vec<Artifact>, u64) {
    let kept = tokio::fs::read(context.start_manifest(goal)).await.ok();
    let start: Manifest = kept.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let created_at_ms = context.config.clock.now_ms();
    let artifact = |path: &String, mark: &FileMark, (changed, removed): (bool, bool)| Artifact {
        id: ArtifactId::from(context.config.ids.uuid()),
        goal_id: goal,
        created_at_ms,
        path: path.clone(),
        size_bytes: mark.size,
        content_hash: mark.digest.clone(),
        changed,
        partial: false,
        removed,
    };
    let written = now.since(&start).map(|(path, mark, changed)| (path, mark, (changed, false)));
    let gone = start.files.iter().filter(|(path, _)| !now.files.contains_key(*path));
    let mut all = written.chain(gone.map(|(path, mark)| (path, mark, (false, true))));
    let listed =
        all.by_ref().take(ARTIFACTS_MAX).map(|(path, mark, how)| artifact(path, mark, how)).collect();
    (listed, all.count() as u64)
}
