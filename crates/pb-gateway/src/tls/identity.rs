//! Certificates: read, made, told apart.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::digest;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;

/// What others may do with a key, of its mode.
const OTHERS_MODE: u32 = 0o077;

/// Reads a certificate with those that it depends on, and its key.
pub(super) fn read(
    cert: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let problem = |path: &Path, problem: String| TlsError::File { path: path.to_owned(), problem };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| problem(cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(problem(cert, "there is no certificate in it (PEM)".to_owned()));
    }
    let mode = fs::metadata(key).map_err(|error| problem(key, error.to_string()))?.mode() & 0o777;
    if mode & OTHERS_MODE != 0 {
        return Err(TlsError::KeyIsOpen { path: key.to_owned(), mode });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| problem(key, error.to_string()))?;
    Ok((chain, key))
}

/// The certificate that was signed by nobody, and its key; made where there is none yet.
pub(super) fn made(folder: &Path, names: &[String]) -> Result<(PathBuf, PathBuf), TlsError> {
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    if cert.exists() && key.exists() {
        return Ok((cert, key));
    }
    let failed =
        |error: &std::io::Error| TlsError::File { path: folder.to_owned(), problem: error.to_string() };
    let made = rcgen::generate_simple_self_signed(names)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failed(&error))?;
    write(&key, &made.signing_key.serialize_pem()).map_err(|error| failed(&error))?;
    // Last: with both there, the pair is whole.
    write(&cert, &made.cert.pem()).map_err(|error| failed(&error))?;
    Ok((cert, key))
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// SHA-256 of the first certificate, as hex digits.
pub(super) fn fingerprint(chain: &[CertificateDer<'_>]) -> String {
    chain.first().map(|cert| hex::encode(digest::digest(&digest::SHA256, cert))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::{Tls, TlsSettings};
    use super::*;

    fn names() -> Vec<String> {
        vec!["box.example".to_owned(), "192.0.2.7".to_owned()]
    }

    #[test]
    fn a_certificate_is_made_once_and_only_we_read_its_key() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("tls");
        let open = || Tls::open(&TlsSettings::SelfSigned, &folder, names()).unwrap();
        let first = open().fingerprint;
        assert_eq!(first.len(), 64);
        assert_eq!(open().fingerprint, first, "it is kept");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("key.pem"))), (0o700, 0o600));
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_file() {
        let home = tempfile::tempdir().unwrap();
        let (one, other) = (home.path().join("one"), home.path().join("other"));
        made(&one, &names()).unwrap();
        made(&other, &names()).unwrap();
        let open = |cert: PathBuf, key: PathBuf| {
            Tls::open(&TlsSettings::Files { cert, key }, home.path(), Vec::new()).unwrap_err().to_string()
        };
        let (cert, key) = (one.join("cert.pem"), one.join("key.pem"));
        assert!(open(home.path().join("none"), key.clone()).contains("none"));
        assert!(open(key.clone(), key.clone()).contains("there is no certificate in it"));
        assert!(open(cert.clone(), cert.clone()).contains("cert.pem"), "it holds no key");
        let strange = open(cert.clone(), other.join("key.pem"));
        assert_eq!(strange, "the certificate cannot be used with this key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(open(cert, key).ends_with("may be read by others (mode 644); `chmod 600` it"));
    }
}
