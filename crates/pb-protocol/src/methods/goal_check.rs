//! `goal.check`: a goal file, before anything is asked for.

use std::collections::BTreeMap;

use pb_model::GoalSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Method, Permission};

/// `goal.check`.
#[derive(Debug)]
pub struct Check;

impl Method for Check {
    const NAME: &'static str = "goal.check";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str =
        "Reads a goal file, and gives the goal as goal.submit takes it, or what is wrong and where";
    type Params = CheckParams;
    type Result = CheckResult;
}

/// The goal file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckParams {
    /// Its text (TOML).
    pub goal_file: String,
    /// The folder that its paths are relative to, absolute; that of the workspaces in the home if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Values of its inputs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, String>,
}

/// What it is: a goal, or problems.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// The goal, with its inputs filled in; absent if something is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<GoalSpec>,
    /// The inputs that it declares, by their names; none where what it says cannot be read.
    #[serde(default)]
    pub inputs: Vec<FileInput>,
    /// What is wrong, in reading order; at most 100.
    pub problems: Vec<FileProblem>,
    /// How many more there are.
    pub left_out: usize,
}

/// An input that a goal file declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileInput {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its value when none is given; without one it has to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether it is a path.
    #[serde(default)]
    pub is_path: bool,
}

/// One thing that is wrong with a goal file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileProblem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
