//! `goal.at`.

use pb_protocol::RpcError;
use pb_protocol::domain::{Artifact, Escalation, Goal, Run, WorkItem};
use pb_protocol::methods::debug_queries::ItemWithRuns;
use pb_protocol::methods::goal::GoalDetail;
use pb_protocol::methods::goal_at::{AtParams, AtResult};
use pb_store::Cursor;

use super::resolve;
use crate::hub::Hub;
use crate::replay::{FoldError, Until, at_cursor, fold};

pub(in crate::methods) async fn at(hub: &Hub, params: AtParams) -> Result<AtResult, RpcError> {
    let goal = resolve(hub, &params.goal_id).await?;
    let log = hub.feed.reader().ok_or_else(|| RpcError::goal_not_found(goal))?;
    let until = match (params.cursor, params.time) {
        (Some(cursor), None) => at_cursor(&log, &cursor).await?,
        (None, Some(at_ms)) => Until::Time(at_ms),
        _ => return Err(RpcError::invalid_params("give either `cursor` or `time`")),
    };
    let folded = fold(&log, goal, until).await.map_err(|error| match error {
        FoldError::Compacted { .. } => {
            RpcError::invalid_params(error).hint("goal.status shows how it stands now")
        }
        other => RpcError::internal(other),
    })?;
    let identity = log.identity().await.map_err(RpcError::internal)?;
    let Some(state) = &folded.state else {
        let there = log.goal_history(goal).await.map_err(RpcError::internal)?.is_some();
        let error = RpcError::goal_not_found(goal);
        return Err(if there { error.hint("the goal was made after that moment") } else { error });
    };
    let with_runs = |item: &pb_model::goal::Item| {
        let runs = state.runs.iter().filter(|run| run.item_id == Some(item.id));
        ItemWithRuns {
            work_item: WorkItem::of(item, state),
            runs: runs.map(|run| Run::of(run, state)).collect(),
        }
    };
    Ok(AtResult {
        detail: GoalDetail {
            goal: Goal::from(&state.goal),
            artifacts: state.artifacts.iter().map(Artifact::from).collect(),
            escalations: state.escalations.iter().map(Escalation::from).collect(),
        },
        work_items: state.items.iter().map(with_runs).collect(),
        seq: folded.seq,
        at: folded.at_ms,
        cursor: identity.map(|log| Cursor::at(&log, folded.pos).to_string()).unwrap_or_default(),
    })
}
