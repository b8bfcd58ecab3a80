//! `goal.check`: what a goal file says, for those who have no command line.

use std::path::{Path, PathBuf};

use pb_model::GoalSpec;
use pb_model::goal_file::{self, Problems, ResolveContext};
use pb_protocol::RpcError;
use pb_protocol::methods::goal_check::{CheckParams, CheckResult, FileProblem};

use crate::hub::Hub;

pub(in crate::methods) fn check(hub: &Hub, params: &CheckParams) -> Result<CheckResult, RpcError> {
    let folder = params.folder.as_ref().map_or_else(|| hub.home.workspaces(), PathBuf::from);
    if !folder.is_absolute() {
        return Err(RpcError::invalid_params("folder: it is an absolute path"));
    }
    Ok(match read(params, &folder) {
        Ok(goal) => CheckResult { goal: Some(goal), problems: Vec::new(), left_out: 0 },
        Err(problems) => CheckResult {
            goal: None,
            left_out: problems.left_out(),
            problems: problems.iter().map(shown).collect(),
        },
    })
}

fn read(params: &CheckParams, folder: &Path) -> Result<GoalSpec, Problems> {
    let context = ResolveContext { cwd: folder, file_dir: folder, set: &params.inputs };
    goal_file::parse(&params.goal_file)?.resolve(&context)
}

fn shown(problem: &goal_file::Problem) -> FileProblem {
    let goal_file::Problem { line, column, message, hint } = problem.clone();
    FileProblem { line, column, message, hint }
}
