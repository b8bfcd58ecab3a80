//! Going on after a stop or a crash: end what an earlier incarnation left running, then take over
//! its claims (`durability.md` §4).

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use pb_model::RunId;
use pb_model::goal::GoalState;
use pb_runtime::Home;

use crate::effects::run_of_step;
use crate::workspace;

/// How long leftovers have to end.
const LEFTOVERS_DEADLINE: Duration = Duration::from_secs(5);

/// Ends every process that runs for one of these goals' runs. Their keepers end them by
/// themselves when the scheduler dies; this waits for that and ends those whose keeper died too.
pub(crate) async fn end_leftovers(goals: &[GoalState]) {
    let runs: BTreeSet<RunId> = goals.iter().flat_map(GoalState::running).map(|run| run.id).collect();
    if runs.is_empty() {
        return;
    }
    let ended = tokio::task::spawn_blocking(move || {
        let ours = |step: &str| run_of_step(step).is_some_and(|run| runs.contains(&run));
        let leftovers = pb_exec::leftovers::find(ours);
        (leftovers.len(), pb_exec::leftovers::end(&leftovers, LEFTOVERS_DEADLINE))
    });
    match ended.await {
        Ok((0, _)) => {}
        Ok((found, 0)) => tracing::warn!(found, "ended processes that an earlier incarnation had left"),
        Ok((found, left)) => {
            tracing::error!(found, left, "some processes of an earlier incarnation do not end");
        }
        Err(error) => tracing::error!(%error, "cannot look for processes of an earlier incarnation"),
    }
}

/// Removes the files that agents of these goals were writing when an earlier incarnation was killed. A
/// call that is made again writes them anew.
pub(crate) async fn remove_unfinished(goals: &[GoalState]) {
    let writing = goals.iter().filter(|state| state.agent_runs());
    let folders: BTreeSet<PathBuf> =
        writing.filter_map(|state| state.goal.workspace.as_ref()).map(PathBuf::from).collect();
    if folders.is_empty() {
        return;
    }
    let removed = tokio::task::spawn_blocking(move || {
        folders.iter().map(|folder| workspace::remove_unfinished(folder)).sum::<usize>()
    });
    match removed.await {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "removed files that were being written"),
        Err(error) => tracing::error!(%error, "cannot look for files that were being written"),
    }
}

/// Removes the TMPDIRs of steps that are over.
pub(crate) async fn clear_temporary(home: &Home) {
    let folder = home.temporary();
    let cleared = tokio::task::spawn_blocking(move || {
        for entry in std::fs::read_dir(folder)?.flatten() {
            std::fs::remove_dir_all(entry.path())?;
        }
        std::io::Result::Ok(())
    });
    if let Ok(Err(error)) = cleared.await {
        tracing::warn!(%error, "cannot clear the steps' temporary folders");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::scratch;

    /// A file that was being written is in each folder; an agent was at work in the first.
    #[tokio::test]
    async fn unfinished_files_are_removed_where_an_agent_was_at_work() {
        const UNFINISHED: &str = ".pb-0123456789abcdef.tmp";
        let agent = "title = 'a'\n[[items]]\nid = 'a'\nkind = 'agent'\nprompt = 'Write.'";
        let command = "title = 'a'\n[[items]]\nid = 'a'\nkind = 'command'\nargv = ['true']";
        let folders: Vec<tempfile::TempDir> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
        let mut goals = vec![
            scratch::begun(scratch::goal(agent), Some("a")),
            scratch::goal(agent),
            scratch::begun(scratch::goal(command), Some("a")),
        ];
        for (goal, folder) in goals.iter_mut().zip(&folders) {
            goal.goal.workspace = Some(folder.path().to_str().unwrap().to_owned());
            std::fs::write(folder.path().join(UNFINISHED), "half").unwrap();
        }
        remove_unfinished(&goals).await;
        let left: Vec<bool> = folders.iter().map(|folder| folder.path().join(UNFINISHED).exists()).collect();
        assert_eq!(left, [false, true, true]);
    }
}
