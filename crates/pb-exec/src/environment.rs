//! The environment of a tool: an allow list of what ours has, plus what the goal file gives.

use std::collections::BTreeMap;

/// Variables that tools need to find things, and that are not secret by what they are for.
const ALLOWED: &[&str] = &[
    // Who and where.
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TZ",
    "TERM",
    "LANG",
    "LANGUAGE",
    "NO_COLOR",
    // Tool chains.
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOROOT",
    "GOCACHE",
    "GOMODCACHE",
    "JAVA_HOME",
    "GRADLE_USER_HOME",
    "NVM_DIR",
    "PNPM_HOME",
    "BUN_INSTALL",
    "DENO_DIR",
    "VOLTA_HOME",
    "PYENV_ROOT",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "RBENV_ROOT",
    "GEM_HOME",
    "ASDF_DIR",
    "ASDF_DATA_DIR",
    "MISE_DATA_DIR",
    // Certificates of the network one sits in.
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "CARGO_HTTP_CAINFO",
    "GIT_SSL_CAINFO",
    "NO_PROXY",
    "no_proxy",
];

/// Prefixes that are allowed as a whole.
const ALLOWED_PREFIXES: &[&str] = &["LC_"];

/// Allowed unless the URL has a user or a password in it.
const PROXIES: &[&str] =
    &["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// Refused even when a list above allows them.
const SECRET_WORDS: &[&str] = &["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"];

/// The environment for a [`crate::Job`]: what is allowed of `source`, then `extra` as it is.
pub fn build(
    source: impl IntoIterator<Item = (String, String)>,
    extra: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> =
        source.into_iter().filter(|(name, value)| is_allowed(name, value)).collect();
    environment.extend(extra.clone());
    environment
}

fn is_allowed(name: &str, value: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    if SECRET_WORDS.iter().any(|word| upper.contains(word)) {
        return false;
    }
    if PROXIES.contains(&name) {
        // In a proxy URL an at sign can only end the user information.
        return !value.contains('@');
    }
    ALLOWED.contains(&name) || ALLOWED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_allowed_passes_and_extra_is_taken_as_given() {
        let pairs = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
            list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let source = pairs(&[
            ("PATH", "/usr/bin"),
            ("LANG", "C.UTF-8"),
            ("LC_ALL", "C"),
            ("LC_API_KEY", "k"),
            ("MY_API_KEY", "k"),
            ("GITHUB_TOKEN", "t"),
            ("LD_PRELOAD", "/tmp/x.so"),
            ("SSH_AUTH_SOCK", "/tmp/agent"),
            ("PB_STEP", "outer"),
            ("http_proxy", "http://proxy:3128"),
            ("https_proxy", "http://me:pw@proxy:3128"),
            ("no_proxy", "localhost"),
        ]);
        let extra = pairs(&[("LANG", "zh_CN.UTF-8"), ("TEST_TOKEN", "given")]);
        assert_eq!(
            build(source, &extra),
            pairs(&[
                ("PATH", "/usr/bin"),
                ("LANG", "zh_CN.UTF-8"),
                ("LC_ALL", "C"),
                ("TEST_TOKEN", "given"),
                ("http_proxy", "http://proxy:3128"),
                ("no_proxy", "localhost"),
            ])
        );
    }
}
