//! Before a goal starts: its folder, and what is in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pb_model::GoalId;
use pb_model::goal::{GoalState, Kept};
use pb_model::spec::Check;

use super::{Context, Done};
use crate::kept;
use crate::workspace::{self, Manifest};

pub(super) async fn folder(context: &Context, state: &GoalState) -> Done {
    let goal = state.goal.id;
    let folder = workspace::make(&context.config.home, goal, state.goal.spec.workspace.as_deref()).await;
    Done::Folder { goal, folder }
}

pub(super) async fn baseline(context: &Context, state: &GoalState, folder: PathBuf) -> Done {
    let goal = state.goal.id;
    if state.runs.iter().any(|run| run.item_id.is_some()) {
        // It goes on after an answer: what was there at its start was noted then.
        let baseline = state.goal.baseline.clone();
        return Done::Baseline { goal, workspace: folder, baseline, kept: None };
    }
    let manifest = context.manifest(goal, folder.clone()).await;
    if let Some(manifest) = &manifest {
        write_manifest(&context.start_manifest(goal), manifest).await;
    }
    let kept = keep(context, goal, folder.clone(), manifest).await;
    let mut baseline = BTreeMap::new();
    for path in unchanged_files(state) {
        let digest = workspace::file_digest(&folder.join(&path)).ok();
        baseline.insert(path, digest);
    }
    Done::Baseline { goal, workspace: folder, baseline, kept: Some(kept) }
}

/// Keeps the files, so that what the goal does to them can be undone.
async fn keep(context: &Context, goal: GoalId, folder: PathBuf, manifest: Option<Arc<Manifest>>) -> Kept {
    let Some(manifest) = manifest else {
        return Kept::Not { why: "the folder cannot be looked at as a whole".to_owned() };
    };
    let home = context.config.home.clone();
    let keep = move || kept::keep(&home, (goal, kept::Which::Start), &folder, &manifest);
    match tokio::task::spawn_blocking(keep).await {
        Ok(kept) => kept,
        Err(error) => Kept::Not { why: error.to_string() },
    }
}

/// Without it delivery lists every file of the workspace, so a failure is no reason to stop.
async fn write_manifest(path: &Path, manifest: &Manifest) {
    let Ok(text) = serde_json::to_vec(manifest) else {
        return;
    };
    if let Err(error) = tokio::fs::write(path, text).await {
        tracing::warn!(path = %path.display(), %error, "cannot keep the manifest of the workspace");
    }
}

fn unchanged_files(state: &GoalState) -> Vec<String> {
    let gates = state.items.iter().flat_map(|item| &item.gates);
    gates
        .filter_map(|gate| match &gate.check {
            Check::FileUnchanged { path } => Some(path.clone()),
            Check::Command(_)
            | Check::FileExists { .. }
            | Check::FileContains { .. }
            | Check::TestsExecuted { .. }
            | Check::JsonSchema { .. }
            | Check::Http(_)
            | Check::ChangesWithin { .. }
            | Check::FilesLack { .. }
            | Check::Review { .. } => None,
        })
        .collect()
}
