//! What the writer says to the witness.

use serde::{Deserialize, Serialize};

/// A record of the witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Both files are open.
    Up {
        /// The log's incarnation.
        incarnation: u64,
    },
    /// A command was answered.
    Kept {
        /// The command.
        id: String,
        /// Where it stands.
        pos: u64,
    },
    /// A batch was answered.
    Executed {
        /// Its commands.
        ids: Vec<String>,
        /// The position of its last event.
        last_pos: u64,
    },
    /// A part of an ended goal was dropped.
    Compacted {
        /// The goal.
        goal: String,
        /// How many of its events.
        events: u64,
        /// Whether nothing is left to be dropped.
        done: bool,
    },
    /// The store refused.
    Refused {
        /// In which way.
        refusal: Refusal,
        /// Its words.
        error: String,
    },
    /// Both files are about to be closed.
    Closing,
    /// Everything was written and closed.
    Done,
}

/// In which way the store refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The disk is full: the writer waits.
    Full,
    /// The disk failed: the writer ends at once.
    Broken,
    /// Anything else: the writer closes and ends.
    Failed,
}
