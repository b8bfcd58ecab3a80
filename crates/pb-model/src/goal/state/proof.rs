//! What a run leaves behind: the verdicts of its gates, and the files it delivers.

use serde::{Deserialize, Serialize};

use crate::{ArtifactId, GoalId, ItemId, Millis, RunId};

/// What one gate found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateResult {
    /// The run whose work was checked.
    pub run_id: RunId,
    /// The item.
    pub item_id: ItemId,
    /// The goal.
    pub goal_id: GoalId,
    /// Its place in the run's journal.
    pub step: u32,
    /// Which gate of the item, from 0.
    pub gate: u32,
    /// Its name for people.
    pub name: String,
    /// Its kind, such as `file_exists`.
    pub kind: String,
    /// Whether the item fails without it.
    pub required: bool,
    /// Whether it passed.
    pub passed: bool,
    /// One line on what was found.
    pub found: String,
    /// Whether it was run once more before delivery.
    pub recheck: bool,
    /// When it ended.
    pub at_ms: Millis,
    /// The proof.
    pub evidence: Evidence,
}

/// The proof of a gate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The program that ran, if one did.
    pub argv: Option<Vec<String>>,
    /// Its exit code, if it exited.
    pub exit_code: Option<i32>,
    /// Digest of its output, or of the file that was read (blake3, hex).
    pub output_digest: Option<String>,
    /// The end of its output.
    pub output_tail: String,
    /// How long the gate took, in milliseconds.
    pub duration_ms: u64,
    /// Digest of the workspace that the verdict is about; `None` while something else was writing there.
    pub workspace_digest: Option<String>,
    /// The files that decide what the gate finds and that the goal changed since its start.
    #[serde(default, skip_serializing_if = "Edited::is_none")]
    pub edited: Edited,
}

/// Files that decide what a gate finds and that the goal itself changed: what the gate says proves nothing
/// until a human approves it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// Their paths, relative to the workspace; at most [`EDITED_MAX`].
    pub paths: Vec<String>,
    /// Digest of all of them as they are now (blake3, hex): what an approval is of.
    pub digest: String,
}

/// Most paths of one gate that are listed as edited; the digest is of all.
pub const EDITED_MAX: usize = 20;

impl Edited {
    /// Whether nothing was changed.
    pub fn is_none(&self) -> bool {
        self.digest.is_empty()
    }
}

/// A file that a goal delivered, or had made when it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its id.
    pub id: ArtifactId,
    /// The goal.
    pub goal_id: GoalId,
    /// When it was recorded.
    pub created_at_ms: Millis,
    /// Its path, relative to the workspace.
    pub path: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its digest (blake3, hex).
    pub content_hash: String,
    /// Whether the goal changed a file that was there before.
    pub changed: bool,
    /// Whether it was not delivered: the goal failed, and this is what it had made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Whether the file was there before and is gone; size and digest are those that it had.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}
