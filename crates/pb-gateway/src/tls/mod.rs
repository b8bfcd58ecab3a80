//! Connections from other machines: always through TLS (`security.md` 10).
//!
//! ```text
//!   other machine === TLS ===> pump === pair of sockets ===> the same routes and sessions as here
//! ```

mod front;
mod identity;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use tokio_rustls::TlsAcceptor;

pub(crate) use front::{HANDSHAKES_MAX, serve};

/// What a gateway shows to other machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsSettings {
    /// Somebody's certificate, and its key, as PEM files.
    Files {
        /// The certificate, and those that it depends on after it.
        cert: PathBuf,
        /// Its key; nobody else may read it.
        key: PathBuf,
    },
    /// A certificate that was signed by nobody: made once and kept in the home. Who connects knows it by its
    /// fingerprint.
    SelfSigned,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be used.
    #[error("cannot use {path}: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Others could read the key.
    #[error("{path} may be read by others (mode {mode:03o}); `chmod 600` it")]
    KeyIsOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The certificate and the key do not belong together, or are of a kind that is not known.
    #[error("the certificate cannot be used with this key")]
    Pair(#[from] rustls::Error),
    /// No certificate could be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
}

/// What is shown to other machines, ready to be used.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    /// SHA-256 of the certificate, as hex digits.
    pub(crate) fingerprint: String,
    /// The names and addresses by which other machines may call us.
    pub(crate) names: Vec<String>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the certificate, or makes one in this folder.
    pub(crate) fn open(
        settings: &TlsSettings,
        folder: &std::path::Path,
        names: Vec<String>,
    ) -> Result<Self, TlsError> {
        let (cert, key) = match settings {
            TlsSettings::Files { cert, key } => (cert.clone(), key.clone()),
            TlsSettings::SelfSigned => identity::made(folder, &names)?,
        };
        let (chain, key) = identity::read(&cert, &key)?;
        let fingerprint = identity::fingerprint(&chain);
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), fingerprint, names })
    }
}
