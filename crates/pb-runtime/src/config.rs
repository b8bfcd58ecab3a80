//! `config.toml`: settings that a person edits. A missing file means the defaults.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How commands are confined.
    pub sandbox: Sandbox,
}

/// How commands are confined.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// Folders outside the workspace in which commands may write: caches of tools. `~/` is the home
    /// of the user.
    pub tool_caches: Vec<String>,
}

impl Default for Sandbox {
    fn default() -> Self {
        let caches =
            ["~/.cargo/registry", "~/.cargo/git", "~/.npm", "~/.cache/pip", "~/.cache/go-build", "~/go/pkg"];
        Self { tool_caches: caches.map(str::to_owned).to_vec() }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is wrong; the source shows the line.
    #[error("{path} is not valid")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
}

impl Config {
    /// Reads the settings at `path`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|source| ConfigError::Invalid { path: path.to_owned(), source: Box::new(source) }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConfigError::Io { path: path.to_owned(), source }),
        }
    }
}

impl Sandbox {
    /// The tool caches, absolute; those that name no absolute path are left out.
    pub fn tool_caches(&self, user_home: Option<&Path>) -> Vec<PathBuf> {
        let resolve = |text: &String| match (text.strip_prefix("~/"), user_home) {
            (Some(rest), Some(home)) => Some(home.join(rest)),
            (Some(_), None) => None,
            (None, _) => Some(PathBuf::from(text)),
        };
        self.tool_caches.iter().filter_map(resolve).filter(|path| path.is_absolute()).collect()
    }
}
