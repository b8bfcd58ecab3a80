//! A process that was started in the background tells its starter when it is ready, or why it is not.
//!
//! The starter gives it one end of a pipe as standard input; it writes one line there.

use std::os::fd::AsFd;

use serde::{Deserialize, Serialize};

/// What a started process says, as one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// It serves; one line for people.
    Ready(String),
    /// It gave up.
    Failed {
        /// What it would have printed.
        error: String,
        /// The exit code it ends with.
        exit_code: u8,
    },
}

impl Readiness {
    /// Tells the starter. Harmless when nobody listens.
    pub fn tell(&self) {
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        let _ = rustix::io::write(std::io::stdin().as_fd(), line.as_bytes()); // The starter may be gone.
    }
}
