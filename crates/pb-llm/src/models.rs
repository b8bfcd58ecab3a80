//! The models that are available, and which of them do the work of a tier.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use pb_model::Tier;
use pb_runtime::Home;
use pb_runtime::config::{Config, TierModels};

use crate::closest::closest;
use crate::credentials::CredentialsError;
use crate::discover::{self, PORTS_VARIABLE, PortsError};
use crate::prices::{PriceError, Prices};
use crate::providers::{self, Environment, KeyPlace, Known, ProviderError};
use crate::windows::Windows;
use crate::{ChatModel, Credentials, GenaiModel, Key, Limits, ModelAt, Price, Web, defaults};

/// What is available.
#[derive(Debug, Clone)]
pub struct Models {
    web: Web,
    limits: Limits,
    prices: Prices,
    windows: Windows,
    providers: BTreeMap<String, Known>,
    /// Those of them that the settings name.
    named: BTreeSet<String>,
    /// Each model once, in the order in which it was found.
    found: Vec<(String, Source)>,
    /// Servers whose models are all in `found`.
    complete: BTreeSet<String>,
    /// Candidates of each tier, the preferred one first.
    tiers: BTreeMap<Tier, Vec<String>>,
}

/// Why a model is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The settings name it.
    Config,
    /// There is a key in the environment.
    Environment,
    /// There is a key in `credentials.toml`.
    Credentials,
    /// A server on this machine has it.
    Local,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Config => "config",
            Self::Environment => "environment",
            Self::Credentials => "credentials",
            Self::Local => "local",
        })
    }
}

/// What there is to say about a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// `provider/model`.
    pub name: String,
    /// What stands before the first `/`.
    pub provider: String,
    /// The tiers for which it is a candidate.
    pub tiers: Vec<Tier>,
    /// What it costs, if anybody has said.
    pub price: Option<Price>,
    /// How many tokens it takes in at once.
    pub context_tokens: u64,
    /// Why it is available.
    pub source: Source,
    /// The variable, or the entry of `credentials.toml`, that holds its key or should.
    pub key_name: Option<String>,
    /// Whether it needs a key and has none: a call will say so.
    pub key_is_missing: bool,
}

/// Why nobody can say what is available.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// The file with the keys.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A provider.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// A price.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The ports of servers on this machine.
    #[error(transparent)]
    Ports(#[from] PortsError),
    /// A tier's model has no provider that is known.
    #[error("the model `{model}` in [models] names no provider that is known; there are {known}")]
    UnknownProvider {
        /// The model, as written.
        model: String,
        /// All providers.
        known: String,
    },
}

/// A model that was asked for by name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownModelError {
    /// Nobody has it.
    #[error("there is no model `{wanted}`{}", meant(closest.as_deref()))]
    None {
        /// As written.
        wanted: String,
        /// The most similar one.
        closest: Option<String>,
    },
    /// More than one has this ending.
    #[error("`{wanted}` may be {}; name the provider too", models.join(" or "))]
    Ambiguous {
        /// As written.
        wanted: String,
        /// Those that have it.
        models: Vec<String>,
    },
}

fn meant(closest: Option<&str>) -> String {
    closest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl Models {
    /// Finds what is available: what the settings name; else what there are keys for, and what
    /// servers on this machine have. These are asked only if the settings name no model.
    ///
    /// # Errors
    /// The settings, the credentials or a variable are wrong.
    pub async fn find(
        config: &Config,
        home: &Home,
        environment: Environment<'_>,
    ) -> Result<Self, ModelsError> {
        let credentials = Credentials::read(&home.credentials())?;
        let ports = match environment(PORTS_VARIABLE) {
            Some(text) => discover::parse_ports(&text)?,
            None => discover::usual_ports(),
        };
        let providers = providers::known(config, &credentials, environment, &with_usual(&ports))?;
        let mut models = Self {
            web: Web::default(),
            limits: limits(&config.models),
            prices: Prices::new(&config.prices)?,
            windows: Windows::new(&config.context_tokens),
            providers,
            named: config.providers.keys().cloned().collect(),
            found: Vec::new(),
            complete: BTreeSet::new(),
            tiers: BTreeMap::new(),
        };
        if config.models.names_none() {
            models.take_hosted();
            // A server that the settings put elsewhere is not at its usual port.
            let moved = |name: &str| config.providers.get(name).is_some_and(|it| it.base_url.is_some());
            let ports: Vec<_> = ports.into_iter().filter(|(name, _)| !moved(name)).collect();
            models.take_local(discover::local_models(&models.web, &ports).await);
        } else {
            models.take_configured(&config.models)?;
        }
        Ok(models)
    }

    /// With other limits on how long a model may be silent and how much it may say.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The models to call for work of this tier, the preferred one first; the one that is
    /// `wanted`, as `provider/model` or the end of one that is unique. Empty when there are none.
    ///
    /// # Errors
    /// There is no model of this name.
    pub fn candidates(
        &self,
        tier: Tier,
        wanted: Option<&str>,
    ) -> Result<Vec<Arc<dyn ChatModel>>, UnknownModelError> {
        let names = match wanted {
            Some(wanted) => vec![self.resolve(wanted)?],
            None => self.tiers.get(&tier).cloned().unwrap_or_default(),
        };
        Ok(names.into_iter().filter_map(|name| self.model(name)).collect())
    }

    /// Every model that was found.
    pub fn list(&self) -> Vec<ModelInfo> {
        self.found.iter().filter_map(|(name, source)| self.info(name, *source)).collect()
    }

    /// Where keys were found: names of variables, and entries of `credentials.toml`. No key.
    pub fn keys(&self) -> BTreeSet<String> {
        let present = self.providers.values().filter(|known| matches!(known.key, Key::Present(_)));
        present.filter_map(|known| known.key_name.clone()).collect()
    }

    /// Where the providers are that the person has something to do with, by name.
    pub fn endpoints(&self) -> BTreeMap<String, String> {
        let used = self.used_providers().into_iter();
        used.map(|(name, known)| (name.to_owned(), known.base_url.to_string())).collect()
    }

    /// Whether there is no model.
    pub fn is_empty(&self) -> bool {
        self.tiers.values().all(Vec::is_empty)
    }

    /// When the built-in prices were right, as `YYYY-MM`.
    pub fn prices_as_of(&self) -> &str {
        self.prices.as_of()
    }

    /// The connections.
    pub(crate) fn web(&self) -> &Web {
        &self.web
    }

    /// The providers that the person has something to do with: there is a key, the settings name it, or one of its
    /// models was found.
    pub(crate) fn used_providers(&self) -> Vec<(&str, &Known)> {
        let is_found = |name: &str| {
            let of = |model: &String| model.split_once('/').is_some_and(|(provider, _)| provider == name);
            self.found.iter().any(|(model, _)| of(model))
        };
        let is_used = |(name, known): &(&String, &Known)| {
            matches!(known.key, Key::Present(_)) || self.named.contains(*name) || is_found(name)
        };
        self.providers.iter().filter(is_used).map(|(name, known)| (name.as_str(), known)).collect()
    }

    fn take_configured(&mut self, configured: &TierModels) -> Result<(), ModelsError> {
        let of = |tier| match tier {
            Tier::Simple => &configured.simple,
            Tier::Medium => &configured.medium,
            Tier::Complex => &configured.complex,
        };
        for tier in Tier::ALL {
            for model in of(tier) {
                if self.provider_of(model).is_none() {
                    let known: Vec<&str> = self.providers.keys().map(String::as_str).collect();
                    return Err(ModelsError::UnknownProvider {
                        model: model.clone(),
                        known: known.join(", "),
                    });
                }
                self.take(model.clone(), Source::Config);
            }
            let nearest = nearest(tier).into_iter().map(of).find(|models| !models.is_empty());
            self.tiers.insert(tier, nearest.cloned().unwrap_or_default());
        }
        Ok(())
    }

    fn take_hosted(&mut self) {
        for name in providers::hosted_names() {
            let Some(Known { key: Key::Present(_), key_place: Some(place), .. }) = self.providers.get(name)
            else {
                continue;
            };
            let source = match place {
                KeyPlace::Environment => Source::Environment,
                KeyPlace::Credentials => Source::Credentials,
            };
            for tier in Tier::ALL {
                if let Some(model) = defaults::model(name, tier) {
                    let model = format!("{name}/{model}");
                    self.tiers.entry(tier).or_default().push(model.clone());
                    self.take(model, source);
                }
            }
        }
    }

    /// The first model of each server is a candidate, after the hosted ones.
    fn take_local(&mut self, local: Vec<(String, String)>) {
        for (server, model) in local {
            let model = format!("{server}/{model}");
            if self.complete.insert(server) {
                for tier in Tier::ALL {
                    self.tiers.entry(tier).or_default().push(model.clone());
                }
            }
            self.take(model, Source::Local);
        }
    }

    fn take(&mut self, model: String, source: Source) {
        if !self.found.iter().any(|(name, _)| *name == model) {
            self.found.push((model, source));
        }
    }

    fn resolve(&self, wanted: &str) -> Result<String, UnknownModelError> {
        let names = || self.found.iter().map(|(name, _)| name.as_str());
        let provider = wanted.split_once('/').map(|(provider, _)| provider);
        let takes_any = provider.is_some_and(|provider| !self.complete.contains(provider))
            && self.provider_of(wanted).is_some();
        if takes_any || names().any(|name| name == wanted) {
            return Ok(wanted.to_owned());
        }
        let ends_so = |name: &&str| {
            let before = name.strip_suffix(wanted).filter(|_| !wanted.is_empty());
            before.is_some_and(|before| before.ends_with('/'))
        };
        let ending: Vec<&str> = names().filter(ends_so).collect();
        match ending.as_slice() {
            [one] => Ok((*one).to_owned()),
            [] => Err(UnknownModelError::None {
                wanted: wanted.to_owned(),
                closest: closest(wanted, names()).map(str::to_owned),
            }),
            more => Err(UnknownModelError::Ambiguous {
                wanted: wanted.to_owned(),
                models: more.iter().map(|name| (*name).to_owned()).collect(),
            }),
        }
    }

    /// The provider of `provider/model`.
    fn provider_of(&self, model: &str) -> Option<(&str, &Known)> {
        let (provider, model) = model.split_once('/')?;
        let (name, known) = self.providers.get_key_value(provider)?;
        (!model.is_empty()).then_some((name, known))
    }

    fn price_of(&self, model: &str, known: &Known) -> Option<Price> {
        let free = known.is_free.then(Price::default);
        self.prices.of(model).or(free)
    }

    fn model(&self, name: String) -> Option<Arc<dyn ChatModel>> {
        let (_, known) = self.provider_of(&name)?;
        let at = ModelAt {
            kind: known.kind,
            base_url: known.base_url.clone(),
            key: known.key.clone(),
            price: self.price_of(&name, known),
            context_tokens: self.windows.of(&name, known.is_free),
            limits: self.limits,
            name,
        };
        Some(Arc::new(GenaiModel::new(at, &self.web)))
    }

    fn info(&self, name: &str, source: Source) -> Option<ModelInfo> {
        let (provider, known) = self.provider_of(name)?;
        let serves =
            |tier: &Tier| self.tiers.get(tier).is_some_and(|models| models.iter().any(|model| model == name));
        Some(ModelInfo {
            name: name.to_owned(),
            provider: provider.to_owned(),
            tiers: Tier::ALL.into_iter().filter(serves).collect(),
            price: self.price_of(name, known),
            context_tokens: self.windows.of(name, known.is_free),
            source,
            key_name: known.key_name.clone(),
            key_is_missing: matches!(known.key, Key::Missing(_)),
        })
    }
}

/// How long a model may be silent, as the settings say.
fn limits(settings: &TierModels) -> Limits {
    let seconds = |setting: NonZeroU32| Duration::from_secs(setting.get().into());
    let usual = Limits::default();
    Limits {
        first_byte: settings.first_byte_limit_s.map_or(usual.first_byte, seconds),
        silence: settings.silence_limit_s.map_or(usual.silence, seconds),
        ..usual
    }
}

/// The tiers whose models do the work of `tier`, nearest first; of two, the more capable one.
fn nearest(tier: Tier) -> [Tier; 3] {
    match tier {
        Tier::Simple => [Tier::Simple, Tier::Medium, Tier::Complex],
        Tier::Medium => [Tier::Medium, Tier::Complex, Tier::Simple],
        Tier::Complex => [Tier::Complex, Tier::Medium, Tier::Simple],
    }
}

/// The usual servers too: the settings may name a model of one that is not looked for.
fn with_usual(ports: &[(String, u16)]) -> Vec<(String, u16)> {
    let usual = discover::usual_ports();
    let others = usual.into_iter().filter(|(name, _)| !ports.iter().any(|(taken, _)| taken == name));
    ports.iter().cloned().chain(others).collect()
}

/// What to tell a person who has no model: what was looked for, and what to do; three lines.
pub fn no_model_text(home: &Home) -> String {
    format!(
        "no model found: there is no ANTHROPIC_API_KEY, OPENAI_API_KEY or GEMINI_API_KEY, and no Ollama, \
         LM Studio, llama-server or vLLM on this machine\n\
         get one: `export ANTHROPIC_API_KEY=...`, or `ollama pull qwen2.5:3b` and `ollama serve`\n\
         or name your own in {}: [providers.NAME] with kind and base_url, and [models] medium = \"NAME/MODEL\"",
        home.config().display()
    )
}
