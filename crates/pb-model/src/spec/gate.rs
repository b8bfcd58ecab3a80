//! Gates: what the daemon itself checks before it believes an item.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gate_wire::GateWire;

/// One gate: a check that the daemon itself runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "GateWire")]
#[schemars(!from, deny_unknown_fields)]
pub struct GateSpec {
    /// A name for people; derived from the check if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the item fails without it; a failed optional gate leaves the verdict `partial`.
    #[serde(default = "super::yes")]
    pub required: bool,
    /// What is checked.
    #[serde(flatten)]
    pub check: Check,
}

impl GateSpec {
    /// The name shown to people.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.check.to_string())
    }
}

/// What a gate checks. Paths are relative to the workspace. It is read as part of a [`GateSpec`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Check {
    /// A program ends with the declared exit code.
    Command(GateCommand),
    /// A file exists.
    FileExists {
        /// The file.
        path: String,
    },
    /// A file contains a text or matches a regular expression; exactly one of the two is given.
    FileContains {
        /// The file.
        path: String,
        /// The text to find.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The regular expression to match (Rust `regex` syntax, multi-line).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        regex: Option<String>,
    },
    /// A file has the content that it had when the goal started.
    FileUnchanged {
        /// The file.
        path: String,
    },
    /// A test run executed at least `min` tests and exited 0. Without `argv` the output of the
    /// item's own command is read.
    TestsExecuted {
        /// The test command; the item's own if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        argv: Option<Vec<String>>,
        /// Fewest tests that count as proof; at least 1.
        #[serde(default = "one")]
        min: u64,
        /// Longest run, in seconds; [`super::TIME_LIMIT_S_DEFAULT`] if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_limit_s: Option<u64>,
    },
}

pub(super) fn one() -> u64 {
    1
}

impl Check {
    /// The check's kind, as goal files and the wire name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::FileExists { .. } => "file_exists",
            Self::FileContains { .. } => "file_contains",
            Self::FileUnchanged { .. } => "file_unchanged",
            Self::TestsExecuted { .. } => "tests_executed",
        }
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command(gate) => {
                write!(f, "`{}` exits {}", gate.argv.join(" "), gate.expect_exit)
            }
            Self::FileExists { path } => write!(f, "{path} exists"),
            Self::FileContains { path, text: Some(text), .. } => write!(f, "{path} contains {text:?}"),
            Self::FileContains { path, regex, .. } => {
                write!(f, "{path} matches /{}/", regex.as_deref().unwrap_or_default())
            }
            Self::FileUnchanged { path } => write!(f, "{path} is unchanged"),
            Self::TestsExecuted { argv: Some(argv), min, .. } => {
                write!(f, "`{}` runs at least {min} test(s)", argv.join(" "))
            }
            Self::TestsExecuted { min, .. } => write!(f, "at least {min} test(s) ran"),
        }
    }
}

/// The program of a command gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GateCommand {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Folder to run in, relative to the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Variables set on top of the fixed list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The exit code that means "passed", 0 to 255. A gate that must exit 1 declares it.
    #[serde(default)]
    pub expect_exit: i32,
    /// Longest run, in seconds; [`super::TIME_LIMIT_S_DEFAULT`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_s: Option<u64>,
}
