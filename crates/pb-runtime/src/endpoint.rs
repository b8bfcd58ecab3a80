//! Where the gateway listens: written by it when it is bound, read first by every client.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What the gateway bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The WebSocket address, with the real port.
    pub address: SocketAddr,
    /// The Unix socket for the scheduler.
    pub socket: PathBuf,
    /// The gateway's process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// Since when, in milliseconds since 1970.
    pub started_at_ms: u64,
    /// Where the debug server listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_address: Option<SocketAddr>,
    /// Why it does not, though it should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_problem: Option<String>,
}

impl Endpoint {
    /// What the last gateway wrote, whether it still runs or not. A damaged file says nothing.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let fresh = path.with_extension("json.new");
        std::fs::write(&fresh, serde_json::to_string(self)?)?;
        std::fs::rename(&fresh, path)
    }
}
