//! Where people keep credentials.

use std::path::{Path, PathBuf};

/// Under the home folder, files and folders whose purpose is to hold credentials, or which
/// usually hold some among other things.
const UNDER_HOME: &[&str] = &[
    ".ssh",
    ".aws",
    ".gnupg",
    ".netrc",
    ".config",
    ".docker",
    ".kube",
    ".azure",
    ".git-credentials",
    ".npmrc",
    ".yarnrc.yml",
    ".pypirc",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".gem/credentials",
    ".m2/settings.xml",
    ".gradle/gradle.properties",
    ".password-store",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    ".mozilla",
    ".thunderbird",
    ".pki",
    ".pgpass",
    ".my.cnf",
    ".mylogin.cnf",
    ".vault-token",
    ".terraform.d",
    ".terraformrc",
    ".oci",
    ".databricks",
    ".s3cfg",
    ".boto",
    ".fly",
    ".heroku",
    ".claude",
    ".claude.json",
    ".codex",
    ".gemini",
    ".bash_history",
    ".zsh_history",
    ".psql_history",
    ".python_history",
    ".node_repl_history",
];

/// A sensible default for [`crate::Confinement::hidden`]; the caller adds its own folders.
pub fn credential_paths(home: &Path) -> Vec<PathBuf> {
    UNDER_HOME.iter().map(|path| home.join(path)).collect()
}
