//! How the person's files were kept before a goal first wrote.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the workspace was kept, as it was when the goal started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Kept {
    /// There was nothing in it.
    Empty,
    /// As a commit of the workspace's own git repository, under `refs/ponybunny/<goal>`.
    Git {
        /// The commit.
        commit: String,
    },
    /// As a copy in the home.
    Copy {
        /// Its size.
        bytes: u64,
    },
    /// Not at all: what the goal changes cannot be undone.
    Not {
        /// Why, in words.
        why: String,
    },
}
