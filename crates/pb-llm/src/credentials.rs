//! `credentials.toml` in the home: keys of providers that a person keeps in a file.
//!
//! ```toml
//! [anthropic]
//! api_key = "..."
//! ```
//!
//! Nobody else may read or change it (mode 0600). The environment wins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pb_runtime::private_file::{self, PrivateFileError};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Keys, by provider.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    keys: BTreeMap<String, SecretString>,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// It is not read.
    #[error(transparent)]
    File(#[from] PrivateFileError),
    /// It is not understood. Nothing of the file is quoted: it holds keys.
    #[error("{path}, line {line}, is not understood; write it like\n[anthropic]\napi_key = \"...\"")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    api_key: SecretString,
}

impl Credentials {
    /// Reads the file at `path`; none are no error.
    pub fn read(path: &Path) -> Result<Self, CredentialsError> {
        let Some(text) = private_file::read(path)? else { return Ok(Self::default()) };
        let entries: BTreeMap<String, Entry> = toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            CredentialsError::Invalid { path: path.to_owned(), line }
        })?;
        Ok(Self { keys: entries.into_iter().map(|(name, entry)| (name, entry.api_key)).collect() })
    }

    /// From now on no text that is made fit to be shown has any of these keys.
    pub fn hold(&self) {
        for key in self.keys.values() {
            pb_runtime::secrets::hold(key.expose_secret().trim());
        }
    }

    /// The key of a provider.
    pub fn key(&self, provider: &str) -> Option<&SecretString> {
        self.keys.get(provider)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_read_and_never_quoted() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("credentials.toml");
        assert!(Credentials::read(&path).unwrap().key("anthropic").is_none());

        let write = |text: &str, mode| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        write("[anthropic]\napi_key = \"tesserakt\"\n[\"自家\"]\napi_key = \"二\"\n", 0o600);
        let credentials = Credentials::read(&path).unwrap();
        assert_eq!(credentials.key("anthropic").unwrap().expose_secret(), "tesserakt");
        assert_eq!(credentials.key("自家").unwrap().expose_secret(), "二");
        assert!(!format!("{credentials:?}").contains("tesserakt"));

        for wrong in [
            "[anthropic]\napi_key = tesserakt\n",
            "[anthropic]\napi_keys = \"tesserakt\"\n",
            "\nanthropic = \"tesserakt\"\n",
        ] {
            write(wrong, 0o600);
            let error = Credentials::read(&path).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("line 2") && !shown.contains("tesserakt"), "{shown}");
        }
        write("", 0o644);
        let shown = Credentials::read(&path).unwrap_err().to_string();
        assert!(shown.contains("run: chmod 600 /"), "{shown}");
    }
}
