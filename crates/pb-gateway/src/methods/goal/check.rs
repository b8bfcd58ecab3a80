//! `goal.check`: what a goal file says, for those who have no command line.

use std::path::PathBuf;

use pb_model::goal_file::{self, DeclaredInput, Problems, ResolveContext};
use pb_protocol::RpcError;
use pb_protocol::methods::goal_check::{CheckParams, CheckResult, FileInput, FileProblem};

use crate::hub::Hub;

pub(in crate::methods) fn check(hub: &Hub, params: &CheckParams) -> Result<CheckResult, RpcError> {
    let folder = params.folder.as_ref().map_or_else(|| hub.home.workspaces(), PathBuf::from);
    if !folder.is_absolute() {
        return Err(RpcError::invalid_params("folder: it is an absolute path"));
    }
    let file = match goal_file::parse(&params.goal_file) {
        Ok(file) => file,
        Err(problems) => return Ok(wrong(Vec::new(), &problems)),
    };
    let inputs = file.inputs().map(declared).collect();
    let context = ResolveContext { cwd: &folder, file_dir: &folder, set: &params.inputs };
    Ok(match file.resolve(&context) {
        Ok(goal) => CheckResult { goal: Some(goal), inputs, problems: Vec::new(), left_out: 0 },
        Err(problems) => wrong(inputs, &problems),
    })
}

fn wrong(inputs: Vec<FileInput>, problems: &Problems) -> CheckResult {
    let left_out = problems.left_out();
    CheckResult { goal: None, inputs, left_out, problems: problems.iter().map(shown).collect() }
}

fn declared(input: DeclaredInput) -> FileInput {
    let DeclaredInput { name, description, default, is_path } = input;
    FileInput { name, description, default, is_path }
}

fn shown(problem: &goal_file::Problem) -> FileProblem {
    let goal_file::Problem { line, column, message, hint } = problem.clone();
    FileProblem { line, column, message, hint }
}
