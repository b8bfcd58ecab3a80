//! `goal.diff`: what a goal changed in its folder.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::GoalIdParams;
use super::{Method, Permission};

/// `goal.diff`.
#[derive(Debug)]
pub struct Diff;

impl Method for Diff {
    const NAME: &'static str = "goal.diff";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str =
        "Compares a goal's folder with what was kept of it before the goal wrote; a scheduler has to run";
    type Params = GoalIdParams;
    type Result = DiffResult;
}

/// What is different.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffResult {
    /// The files, by path; at most 500.
    pub changes: Vec<FileChange>,
    /// How many more there are.
    pub left_out: usize,
}

/// A file that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange {
    /// Its path, relative to the folder.
    pub path: String,
    /// `added`, `changed`, `mode` or `deleted`.
    pub change: String,
    /// Line by line, as a unified diff; absent where that would be too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}
