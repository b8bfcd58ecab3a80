//! Running the gates of a run when its command has ended.

use std::path::PathBuf;

use pb_model::RunId;
use pb_model::freshness::QuietRound;
use pb_model::goal::GoalState;
use tokio_util::sync::CancellationToken;

use super::{Context, Done};
use crate::verify::{Subject, run_gates};

pub(super) async fn verify(
    context: &Context,
    state: &GoalState,
    run: RunId,
    cancel: &CancellationToken,
) -> Option<Done> {
    let run = state.run(run)?;
    let subject = Subject {
        goal: state.goal.clone(),
        item: state.item(run.item_id?)?.clone(),
        run: run.clone(),
        workspace: PathBuf::from(state.goal.workspace.as_deref()?),
        recheck: false,
    };
    // While another item runs, what the workspace looks like says nothing about this verdict.
    let alone = state.running().count() == 1;
    let before = digest(context, &subject, alone).await;
    let gates = subject.item.gates.iter().enumerate().filter(|(_, gate)| !gate.check.is_review());
    let gates: Vec<usize> = gates.map(|(gate, _)| gate).collect();
    let mut results = run_gates(context, &subject, &gates, run.steps + 1, cancel).await;
    let after = digest(context, &subject, before.is_some()).await;
    for result in &mut results {
        result.evidence.workspace_digest.clone_from(&after);
    }
    let round = before.zip(after).map(|(before, after)| QuietRound { before, after });
    Some(Done::Verified {
        goal: state.goal.id,
        run: run.id,
        epoch: run.epoch,
        results,
        round,
        runs: state.runs.len(),
    })
}

async fn digest(context: &Context, subject: &Subject, wanted: bool) -> Option<String> {
    if !wanted {
        return None;
    }
    let manifest = context.manifest(subject.goal.id, subject.workspace.clone()).await?;
    Some(manifest.digest())
}
