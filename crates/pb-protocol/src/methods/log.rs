//! `log.*`: what gateway and scheduler write into their logs, changed while they run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Method, NoParams, Permission};

/// `log.levels`.
#[derive(Debug)]
pub struct LevelsOf;

impl Method for LevelsOf {
    const NAME: &'static str = "log.levels";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Shows which levels of which parts the processes write into their logs";
    type Params = NoParams;
    type Result = LevelsResult;
}

/// `log.setLevels`.
#[derive(Debug)]
pub struct SetLevels;

impl Method for SetLevels {
    const NAME: &'static str = "log.setLevels";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str =
        "Changes what the running processes write into their logs, until they start anew or for good";
    type Params = SetLevelsParams;
    type Result = LevelsResult;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// What is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SetLevelsParams {
    /// `LEVEL` and `PART=LEVEL`, with commas between, such as `info,scheduler=debug`; what is not named is written as
    /// usual. Absent: all is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Whether it stays so after the next start.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep: bool,
    /// `gateway` or `scheduler`; both if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// A repeat changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// What each process writes now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LevelsResult {
    /// Those that were asked.
    pub processes: Vec<ProcessLevels>,
}

/// What a process writes, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessLevels {
    /// `gateway` or `scheduler`.
    pub process: String,
    /// What it writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Levels>,
    /// Why it is not known, and not changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Filters such as `info,scheduler=debug`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Levels {
    /// What is written.
    pub now: String,
    /// What is written where nobody asks for anything else.
    pub usual: String,
    /// What is written from the next start on, if somebody asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

impl From<pb_runtime::logging::Levels> for Levels {
    fn from(levels: pb_runtime::logging::Levels) -> Self {
        Self { now: levels.now, usual: levels.usual, kept: levels.kept }
    }
}
