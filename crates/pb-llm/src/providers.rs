//! Where models are: the built-in providers, under what the settings and the environment say.

use std::collections::BTreeMap;

use pb_runtime::config::{Config, ProviderKind};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::base_url::{BaseUrlError, normalize};
use crate::web::is_loopback;
use crate::{Credentials, Key};

/// A provider that everybody knows.
struct Hosted {
    name: &'static str,
    kind: ProviderKind,
    base_url: &'static str,
    base_url_env: &'static str,
    /// Variables that may hold its key; the first one is recommended.
    key_envs: &'static [&'static str],
}

const HOSTED: [Hosted; 3] = [
    Hosted {
        name: "anthropic",
        kind: ProviderKind::Anthropic,
        base_url: "https://api.anthropic.com",
        base_url_env: "ANTHROPIC_BASE_URL",
        key_envs: &["ANTHROPIC_API_KEY"],
    },
    Hosted {
        name: "openai",
        kind: ProviderKind::OpenAi,
        base_url: "https://api.openai.com/v1",
        base_url_env: "OPENAI_BASE_URL",
        key_envs: &["OPENAI_API_KEY"],
    },
    Hosted {
        name: "gemini",
        kind: ProviderKind::Gemini,
        base_url: "https://generativelanguage.googleapis.com",
        base_url_env: "GEMINI_BASE_URL",
        key_envs: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    },
];

/// Names of the hosted providers, in the order in which they are preferred.
pub(crate) fn hosted_names() -> impl Iterator<Item = &'static str> {
    HOSTED.iter().map(|hosted| hosted.name)
}

/// Reads a variable.
pub type Environment<'a> = &'a (dyn Fn(&str) -> Option<String> + Send + Sync);

/// Why a provider cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Its URL is wrong.
    #[error("the base URL `{url}` of the provider `{provider}` is not usable: {source}")]
    BaseUrl {
        /// The provider.
        provider: String,
        /// As written.
        url: String,
        /// Why.
        source: BaseUrlError,
    },
    /// It says too little.
    #[error("[providers.{provider}] has no `{key}`")]
    Incomplete {
        /// The provider.
        provider: String,
        /// What is missing.
        key: &'static str,
    },
    /// Its name cannot stand before a `/`.
    #[error("`{provider}` cannot be the name of a provider: it is empty, or holds a `/` or a space")]
    Name {
        /// The provider.
        provider: String,
    },
    /// Its key cannot be sent.
    #[error("the key in {place} holds characters that no key has")]
    Key {
        /// The variable or the file's entry.
        place: String,
    },
}

/// Where a key was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyPlace {
    Environment,
    Credentials,
}

/// A provider, ready to be called.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) kind: ProviderKind,
    pub(crate) base_url: Url,
    pub(crate) key: Key,
    /// The variable, or the entry of `credentials.toml`, that holds its key or should.
    pub(crate) key_name: Option<String>,
    pub(crate) key_place: Option<KeyPlace>,
    /// Whether it is a well-known server on this machine: its models cost nothing.
    pub(crate) is_free: bool,
}

/// Every provider that is known, by name. `local` are the servers of this machine.
pub(crate) fn known(
    config: &Config,
    credentials: &Credentials,
    environment: Environment<'_>,
    local: &[(String, u16)],
) -> Result<BTreeMap<String, Known>, ProviderError> {
    let keys = Keys { credentials, environment };
    let mut known = BTreeMap::new();
    for hosted in &HOSTED {
        known.insert(hosted.name.to_owned(), hosted_provider(hosted, config, &keys)?);
    }
    for (name, port) in local {
        known.insert(name.clone(), local_provider(name, *port, config, &keys)?);
    }
    for (name, setting) in &config.providers {
        if known.contains_key(name) {
            continue;
        }
        let name_is_fine = !name.is_empty() && !name.contains(|c: char| c == '/' || c.is_whitespace());
        if !name_is_fine {
            return Err(ProviderError::Name { provider: name.clone() });
        }
        let missing = |key| ProviderError::Incomplete { provider: name.clone(), key };
        let kind = setting.kind.ok_or_else(|| missing("kind"))?;
        let base_url = setting.base_url.as_deref().ok_or_else(|| missing("base_url"))?;
        let envs: Vec<&str> = setting.key_env.as_deref().into_iter().collect();
        let found = keys.find(name, &envs)?;
        known.insert(name.clone(), provider(name, kind, base_url, found)?);
    }
    Ok(known)
}

fn hosted_provider(hosted: &Hosted, config: &Config, keys: &Keys<'_>) -> Result<Known, ProviderError> {
    let setting = config.providers.get(hosted.name).cloned().unwrap_or_default();
    let from_environment = || (keys.environment)(hosted.base_url_env);
    let base_url = setting.base_url.or_else(from_environment).unwrap_or_else(|| hosted.base_url.to_owned());
    let found = match setting.key_env.as_deref() {
        Some(env) => keys.find(hosted.name, &[env])?,
        None => keys.find(hosted.name, hosted.key_envs)?,
    };
    provider(hosted.name, setting.kind.unwrap_or(hosted.kind), &base_url, found)
}

fn local_provider(name: &str, port: u16, config: &Config, keys: &Keys<'_>) -> Result<Known, ProviderError> {
    let setting = config.providers.get(name).cloned().unwrap_or_default();
    let base_url = setting.base_url.unwrap_or_else(|| format!("http://127.0.0.1:{port}"));
    let envs: Vec<&str> = setting.key_env.as_deref().into_iter().collect();
    let found = keys.find(name, &envs)?;
    let known = provider(name, setting.kind.unwrap_or(ProviderKind::OpenAi), &base_url, found)?;
    Ok(Known { is_free: is_loopback(&known.base_url), ..known })
}

fn provider(name: &str, kind: ProviderKind, base_url: &str, found: Found) -> Result<Known, ProviderError> {
    let wrong = |source| ProviderError::BaseUrl {
        provider: name.to_owned(),
        url: without_userinfo(base_url),
        source,
    };
    let base_url = normalize(kind, base_url).map_err(wrong)?;
    if matches!(found.key, Key::Present(_)) && base_url.scheme() == "http" && !is_loopback(&base_url) {
        tracing::warn!(provider = name, "its key is sent without encryption: {base_url}");
    }
    Ok(Known { kind, base_url, key: found.key, key_name: found.name, key_place: found.place, is_free: false })
}

/// A URL with a password in it is an error that is shown.
fn without_userinfo(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}

struct Keys<'a> {
    credentials: &'a Credentials,
    environment: Environment<'a>,
}

struct Found {
    key: Key,
    name: Option<String>,
    place: Option<KeyPlace>,
}

impl Keys<'_> {
    /// The key of a provider: in one of these variables, else in the file.
    fn find(&self, provider: &str, envs: &[&str]) -> Result<Found, ProviderError> {
        let in_environment = envs.iter().find_map(|env| Some((*env, (self.environment)(env)?)));
        if let Some((env, key)) = in_environment {
            let key = sendable(&SecretString::from(key), env)?;
            return Ok(Found {
                key: Key::Present(key),
                name: Some(env.to_owned()),
                place: Some(KeyPlace::Environment),
            });
        }
        if let Some(key) = self.credentials.key(provider) {
            let name = format!("credentials.toml [{provider}]");
            let key = sendable(key, &name)?;
            return Ok(Found {
                key: Key::Present(key),
                name: Some(name),
                place: Some(KeyPlace::Credentials),
            });
        }
        let wanted = envs.first();
        let missing = |env: &&str| {
            Key::Missing(format!("there is no key: set {env}, or put it into credentials.toml [{provider}]"))
        };
        Ok(Found {
            key: wanted.map_or(Key::NotNeeded, missing),
            name: wanted.map(|env| (*env).to_owned()),
            place: None,
        })
    }
}

/// The key without blanks around it, as a header can carry it.
fn sendable(key: &SecretString, place: &str) -> Result<SecretString, ProviderError> {
    let trimmed = key.expose_secret().trim();
    if trimmed.is_empty() || !trimmed.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ProviderError::Key { place: place.to_owned() });
    }
    pb_runtime::secrets::hold(trimmed);
    Ok(SecretString::from(trimmed))
}
