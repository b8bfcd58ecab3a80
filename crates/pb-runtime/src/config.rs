//! `config.toml`: settings that a person edits. A missing file means the defaults.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

mod budget;
mod context_tokens;
mod lanes;
mod notify;

pub use budget::Budget;
pub use context_tokens::{CONTEXT_TOKENS_MAX, CONTEXT_TOKENS_MIN};
pub use lanes::{LANE_MAX, LANE_MIN, Lanes};
pub use notify::{Notify, Occasion};

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How commands are confined.
    pub sandbox: Sandbox,
    /// Who may connect to the gateway.
    pub gateway: GatewaySettings,
    /// Whom the gateway takes for a scheduler.
    pub link: LinkSettings,
    /// Which models do the work of each tier.
    pub models: TierModels,
    /// Where models are, by the name that stands before the `/` of a model.
    pub providers: BTreeMap<String, Provider>,
    /// What models cost, by `provider/model`; they win over the built-in list.
    pub prices: BTreeMap<String, PriceSetting>,
    /// How many tokens models take in at once, request and answer together, by `provider/model`; what is
    /// known of a model where nothing is said.
    #[serde(deserialize_with = "context_tokens::context_tokens")]
    pub context_tokens: BTreeMap<String, u64>,
    /// How much of the trace is kept.
    pub trace: Trace,
    /// Where it can be looked at.
    pub debug: DebugSettings,
    /// How long the history of goals is kept.
    pub retention: Retention,
    /// How much room the disk must have.
    pub disk: Disk,
    /// What all goals together may spend in a day.
    pub budget: Budget,
    /// How many items of all goals run at once.
    pub lanes: Lanes,
    /// How a person is told that a goal asks or has ended.
    pub notify: Notify,
}

/// How long the history of goals is kept. Their rows, evidence, cost and audit are kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// The events of a goal that ended so many days ago are dropped.
    pub days: u64,
    /// Above so many bytes in total, those of the goals that ended first are.
    pub total_bytes: u64,
    /// A goal with so many events is stopped, and a human decides.
    pub goal_events: u64,
    /// The same by bytes.
    pub goal_bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: 90, total_bytes: 2 << 30, goal_events: 200_000, goal_bytes: 256 << 20 }
    }
}

/// How much room the disk must have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Disk {
    /// With fewer free bytes new goals are refused; those that run go on.
    pub free_bytes_min: u64,
}

impl Default for Disk {
    fn default() -> Self {
        Self { free_bytes_min: 512 << 20 }
    }
}

/// Which models do the work of each tier: `"provider/model"`, or a list whose first is preferred; and
/// how long each may be silent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TierModels {
    /// Short, well-defined work.
    #[serde(deserialize_with = "one_or_more")]
    pub simple: Vec<String>,
    /// Ordinary work.
    #[serde(deserialize_with = "one_or_more")]
    pub medium: Vec<String>,
    /// Work that needs much thought.
    #[serde(deserialize_with = "one_or_more")]
    pub complex: Vec<String>,
    /// Longest wait for the beginning of an answer, in seconds. A model without a graphics card may
    /// read a long conversation for minutes.
    pub first_byte_limit_s: Option<NonZeroU32>,
    /// Longest silence in the middle of an answer, in seconds.
    pub silence_limit_s: Option<NonZeroU32>,
}

impl TierModels {
    /// Whether no model is named.
    pub fn names_none(&self) -> bool {
        [&self.simple, &self.medium, &self.complex].into_iter().all(Vec::is_empty)
    }
}

/// Where models are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    /// What it speaks; the built-in providers know theirs.
    pub kind: Option<ProviderKind>,
    /// Where it is.
    pub base_url: Option<String>,
    /// The environment variable that holds its key.
    pub key_env: Option<String>,
}

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// `OpenAI`'s chat completions, which most servers speak.
    #[serde(rename = "openai")]
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Google's Gemini.
    Gemini,
}

/// What a model costs, in US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceSetting {
    /// Of the request.
    pub input: f64,
    /// Of the answer.
    pub output: f64,
}

/// How commands are confined.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// Folders outside the workspace in which commands may write: caches of tools. `~/` is the home
    /// of the user.
    pub tool_caches: Vec<String>,
    /// Whether agents may run commands where the kernel cannot confine them. `pb status` shows it.
    pub allow_unconfined_agents: bool,
}

impl Default for Sandbox {
    fn default() -> Self {
        let caches =
            ["~/.cargo/registry", "~/.cargo/git", "~/.npm", "~/.cache/pip", "~/.cache/go-build", "~/go/pkg"];
        Self { tool_caches: caches.map(str::to_owned).to_vec(), allow_unconfined_agents: false }
    }
}

/// How much of the trace is kept: debug events, by which nothing is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trace {
    /// For how many days; 0 is none at all, and nothing is written.
    pub days: u32,
    /// At most how many bytes; the oldest events make room for new ones.
    pub total_bytes: u64,
    /// What it keeps of the words of people, models and tools. Keys are never kept.
    pub content: Content,
}

/// What the trace keeps of the words of people, models and tools.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Their lengths and digests.
    Off,
    /// Their beginnings.
    #[default]
    Redacted,
    /// All of it, up to a limit that few texts reach.
    Full,
}

impl Content {
    /// The word in config.toml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Redacted => "redacted",
            Self::Full => "full",
        }
    }
}

impl Trace {
    /// Whether nothing is written.
    pub fn is_off(&self) -> bool {
        self.days == 0 || self.total_bytes == 0
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self { days: 7, total_bytes: 512 * 1024 * 1024, content: Content::default() }
    }
}

/// Who may connect to the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewaySettings {
    /// What other machines are shown; they may connect only where there is something.
    pub tls: Option<TlsSettings>,
    /// Whether others than our own user may connect without a token, to prove with a device's key who they are.
    pub pending_connections: bool,
}

/// What other machines are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// A certificate (PEM), and those that it depends on after it.
    pub cert: Option<PathBuf>,
    /// Its key (PEM).
    pub key: Option<PathBuf>,
    /// Whether a certificate is made that nobody has signed.
    pub self_signed: bool,
    /// Names by which other machines call this one, beside its address.
    pub names: Vec<String>,
}

/// Where is listened for who looks into what happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DebugSettings {
    /// The port, on loopback only; 0 takes a free one. One above the gateway's if nothing is said.
    pub port: Option<u16>,
}

/// Whom the gateway takes for a scheduler.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkSettings {
    /// Whether one of the first implementation, which keeps no log, may connect. What it says is shown
    /// live, marked `legacy`; it is given nothing to do.
    pub legacy_peers: bool,
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

/// A text, or a list of texts.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected \"provider/model\", or a list of such")]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }
    Ok(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(one) => vec![one],
        OneOrMore::More(more) => more,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_defaults() {
        let config: Config = toml::from_str("[retention]\ndays = 7\n[disk]\nfree_bytes_min = 0").unwrap();
        let retention = Retention { days: 7, ..Retention::default() };
        assert_eq!((config.retention, config.disk), (retention, Disk { free_bytes_min: 0 }));
        let config = Config::default();
        assert_eq!((config.retention.days, config.retention.total_bytes), (90, 2_147_483_648));
        assert_eq!((config.retention.goal_events, config.retention.goal_bytes), (200_000, 268_435_456));
        assert_eq!(config.disk.free_bytes_min, 536_870_912);
    }

    #[test]
    fn models_are_one_or_more() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("config.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Config::read(&path)
        };
        let config = read(
            r#"
            [models]
            simple = "ollama/qwen2.5:3b"
            complex = ["anthropic/claude-opus-4-5", "自家/大"]
            silence_limit_s = 5
            [providers."自家"]
            kind = "openai"
            base_url = "http://10.0.0.1:8000"
            key_env = "OUR_KEY"
            [prices."自家/大"]
            input = 3
            output = 15.5
            "#,
        )
        .unwrap();
        assert_eq!(config.models.simple, ["ollama/qwen2.5:3b"]);
        assert_eq!(config.models.complex, ["anthropic/claude-opus-4-5", "自家/大"]);
        assert_eq!(config.models.medium, Vec::<String>::new());
        assert!(!config.models.names_none());
        assert_eq!(config.models.silence_limit_s, NonZeroU32::new(5));
        let waits = read("[models]\nfirst_byte_limit_s = 600").unwrap().models;
        assert_eq!((waits.first_byte_limit_s, waits.names_none()), (NonZeroU32::new(600), true));
        let provider = Provider {
            kind: Some(ProviderKind::OpenAi),
            base_url: Some("http://10.0.0.1:8000".to_owned()),
            key_env: Some("OUR_KEY".to_owned()),
        };
        assert_eq!(config.providers, BTreeMap::from([("自家".to_owned(), provider)]));
        assert_eq!(config.trace, Trace { days: 7, total_bytes: 536_870_912, content: Content::Redacted });
        let content = |text: &str| read(text).unwrap().trace.content;
        assert_eq!(content("[trace]\ncontent = 'off'"), Content::Off);
        assert_eq!(content("[trace]\ncontent = 'full'"), Content::Full);
        assert_eq!(read("[trace]\ndays = 1").unwrap().trace, Trace { days: 1, ..config.trace });
        assert!(!config.trace.is_off() && read("[trace]\ndays = 0").unwrap().trace.is_off());
        let price = PriceSetting { input: 3.0, output: 15.5 };
        assert_eq!(config.prices, BTreeMap::from([("自家/大".to_owned(), price)]));

        let debug = |text: &str| read(text).unwrap().debug.port;
        assert_eq!((debug(""), debug("[debug]\nport = 0")), (None, Some(0)));

        let link = |text: &str| read(text).unwrap().link.legacy_peers;
        assert!(!link("") && !link("[link]") && link("[link]\nlegacy_peers = true"));

        for wrong in [
            "[link]\nlegacy_peers = 1",
            "[debug]\nport = 65536",
            "[trace]\ncontent = 'all'",
            "[models]\nhuge = 'a/b'",
            "[models]\nsimple = 3",
            "[models]\nsilence_limit_s = 0",
            "[providers.a]\napi_key = 'x'",
        ] {
            assert!(matches!(read(wrong), Err(ConfigError::Invalid { .. })), "{wrong}");
        }
    }
}
