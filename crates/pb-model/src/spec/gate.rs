//! Gates: what the daemon itself checks before it believes an item.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::gate_wire::GateWire;
use crate::Tier;

/// One gate: a check that the daemon itself runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "GateWire")]
#[schemars(!try_from, deny_unknown_fields)]
pub struct GateSpec {
    /// A name for people; derived from the check if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the item fails without it; a failed optional gate leaves the verdict `partial`.
    #[serde(default = "super::yes")]
    pub required: bool,
    /// Files that decide what it finds, besides those that can be told from it. If the goal changed one, a
    /// person is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<String>,
    /// Whether the goal may change what decides it: writing that is its task.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_change: bool,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
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
        /// The negative control: with this command the check must not pass.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        control: Vec<String>,
    },
    /// A file is JSON and holds against a JSON Schema; exactly one of the two is given.
    JsonSchema {
        /// The file.
        path: String,
        /// The schema.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        schema: Option<Map<String, Value>>,
        /// The file that holds the schema.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        schema_path: Option<String>,
    },
    /// A server on this machine answers as it should.
    Http(GateHttp),
    /// Since the goal's start only files that match one of these patterns are new, changed or gone.
    ChangesWithin {
        /// The patterns: `*` stays in its folder, `**` goes through all.
        paths: Vec<String>,
        /// Most files that may be new, changed or gone; no limit if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_files: Option<u32>,
    },
    /// No file that matches one of these patterns contains a text or matches a regular expression; exactly
    /// one of the two is given.
    FilesLack {
        /// The patterns: `*` stays in its folder, `**` goes through all.
        paths: Vec<String>,
        /// The text that is not to be found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The regular expression that is not to match (Rust `regex` syntax, multi-line).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        regex: Option<String>,
    },
    /// A model that did not do the work looks at it, point by point. It judges only beside a required gate
    /// of another kind, and only once: it is not repeated before delivery.
    Review {
        /// What has to be true, one point each.
        rubric: Vec<String>,
        /// How much it asks of a model.
        #[serde(default)]
        tier: Tier,
        /// The model that does it, `provider/model`; by tier if absent, and somebody else than who did the
        /// work where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
    },
}

fn one() -> u64 {
    1
}

impl Check {
    /// Whether a model decides it.
    pub fn is_review(&self) -> bool {
        matches!(self, Self::Review { .. })
    }

    /// The check's kind, as goal files and the wire name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::FileExists { .. } => "file_exists",
            Self::FileContains { .. } => "file_contains",
            Self::FileUnchanged { .. } => "file_unchanged",
            Self::TestsExecuted { .. } => "tests_executed",
            Self::JsonSchema { .. } => "json_schema",
            Self::Http(_) => "http",
            Self::ChangesWithin { .. } => "changes_within",
            Self::FilesLack { .. } => "files_lack",
            Self::Review { .. } => "review",
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
            Self::JsonSchema { path, schema_path: Some(schema), .. } => {
                write!(f, "{path} holds against {schema}")
            }
            Self::JsonSchema { path, .. } => write!(f, "{path} holds against a JSON Schema"),
            Self::Http(gate) => write!(f, "{} answers {}", gate.url, gate.status),
            Self::ChangesWithin { paths, max_files: Some(max), .. } => {
                write!(f, "at most {max} file(s) changed, only within {}", paths.join(", "))
            }
            Self::ChangesWithin { paths, .. } => write!(f, "changes are only within {}", paths.join(", ")),
            Self::FilesLack { paths, text: Some(text), .. } => {
                write!(f, "{text:?} is in no {}", paths.join(", "))
            }
            Self::FilesLack { paths, regex, .. } => {
                write!(f, "/{}/ matches in no {}", regex.as_deref().unwrap_or_default(), paths.join(", "))
            }
            Self::Review { rubric, .. } => write!(f, "a review finds: {}", rubric.join("; ")),
        }
    }
}

/// The program of a command gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
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
    /// The negative control: with this command the check must not pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub control: Vec<String>,
}

/// What a server on this machine answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
pub struct GateHttp {
    /// Where it is asked: `http://` and `127.0.0.1`, `[::1]` or `localhost`. It is a GET; redirects are not
    /// followed.
    pub url: String,
    /// The status that it answers with.
    #[serde(default = "ok_status", skip_serializing_if = "is_ok_status")]
    pub status: u16,
    /// A text that the answer contains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A regular expression that the answer matches (Rust `regex` syntax, multi-line).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// The server, which is started for the check and ended after it; one that runs already if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argv: Option<Vec<String>>,
    /// How long it may take to answer, in seconds; [`super::HTTP_TIME_LIMIT_S_DEFAULT`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_s: Option<u64>,
}

fn ok_status() -> u16 {
    super::HTTP_STATUS_DEFAULT
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_ok_status(status: &u16) -> bool {
    *status == super::HTTP_STATUS_DEFAULT
}
