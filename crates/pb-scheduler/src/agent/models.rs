//! The models of this daemon: which are there, and how many tokens a byte is for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pb_llm::{ChatModel, Cooldown, Models, no_model_text};
use pb_model::Tier;
use pb_model::goal::Hindrance;
use pb_model::spec::{AgentSpec, GoalSpec, Work};
use pb_runtime::config::Config;
use pb_runtime::{Home, environment};

/// How long nothing found is believed. A local server may be started at any time.
const NOTHING_FOUND_FOR: Duration = Duration::from_secs(2);
/// Most candidates of one call.
const CANDIDATES_MAX: usize = 4;

/// What a conversation needs of models.
#[derive(Debug)]
pub(crate) struct ModelSource {
    home: Home,
    settings: Config,
    found: tokio::sync::Mutex<Option<(Arc<Models>, Instant)>>,
    /// Tokens a byte of each model, as its last answer showed.
    ratios: Mutex<HashMap<String, f64>>,
    cooldown: Cooldown,
}

impl ModelSource {
    pub(crate) fn new(home: Home, settings: Config) -> Self {
        Self {
            home,
            settings,
            found: tokio::sync::Mutex::default(),
            ratios: Mutex::default(),
            cooldown: Cooldown::default(),
        }
    }

    /// What is there. Looked for once; again while nothing is found.
    pub(crate) async fn models(&self) -> Result<Arc<Models>, Hindrance> {
        let mut found = self.found.lock().await;
        if let Some((models, at)) = found.as_ref()
            && (!models.is_empty() || at.elapsed() < NOTHING_FOUND_FOR)
        {
            return Ok(Arc::clone(models));
        }
        let models = Models::find(&self.settings, &self.home, &environment::text).await.map_err(|error| {
            Hindrance::NoModel {
                why: chain(&error),
                hint: "mend that, then `pb scheduler restart`".to_owned(),
            }
        })?;
        let models = Arc::new(models);
        *found = Some((Arc::clone(&models), Instant::now()));
        Ok(models)
    }

    /// Who may do the work of a tier, the preferred one first; under a money cap only those whose
    /// price is known (`security.md` 28).
    pub(crate) async fn candidates(
        &self,
        tier: Tier,
        name: Option<&str>,
        capped: bool,
    ) -> Result<Vec<Arc<dyn ChatModel>>, Hindrance> {
        let models = self.models().await?;
        if models.is_empty() {
            let mut lines = no_model_text(&self.home).lines().map(str::to_owned).collect::<Vec<_>>();
            let why = if lines.is_empty() { "no model was found".to_owned() } else { lines.remove(0) };
            return Err(Hindrance::NoModel { why, hint: lines.join("; ") });
        }
        let mut candidates = models.candidates(tier, name).map_err(|error| Hindrance::Unusable {
            why: chain(&error),
            hint: "see `pb models list`".to_owned(),
        })?;
        if capped {
            let unpriced = candidates.first().map(|model| model.name().to_owned()).unwrap_or_default();
            candidates.retain(|model| model.price().is_some());
            if candidates.is_empty() {
                return Err(unpriced_hindrance(&unpriced));
            }
        }
        candidates.truncate(CANDIDATES_MAX);
        Ok(candidates)
    }

    /// Whether money bounds what the goal, or one of its agents, asks models.
    pub(crate) fn is_capped(&self, spec: &GoalSpec, agent: Option<&AgentSpec>) -> bool {
        spec.budget_cost_usd.or(spec.budget_call_usd).or(self.settings.budget.day_usd).is_some()
            || agent.is_some_and(|agent| agent.budget_usd.is_some())
    }

    /// Whether money bounds what is asked of models outside goals.
    pub(crate) fn is_day_capped(&self) -> bool {
        self.settings.budget.day_usd.is_some()
    }

    /// Whether the goal's models can do what it asks for: they exist, and under a money cap have a
    /// price. That no model is there at all is no fault of the goal.
    pub(crate) async fn check(&self, spec: &GoalSpec) -> Result<(), Hindrance> {
        let agents = spec.items.iter().filter_map(|item| match &item.work {
            Work::Agent(agent) => {
                Some((agent.tier, agent.model.as_deref().or(spec.model.as_deref()), Some(agent)))
            }
            Work::Command(_) => None,
        });
        let planner = spec.items.is_empty().then_some((Tier::Medium, spec.model.as_deref(), None));
        for (tier, named, agent) in agents.chain(planner) {
            let capped = self.is_capped(spec, agent);
            if let Err(unusable @ Hindrance::Unusable { .. }) = self.candidates(tier, named, capped).await {
                return Err(unusable);
            }
        }
        Ok(())
    }

    pub(crate) fn cooldown(&self) -> &Cooldown {
        &self.cooldown
    }

    /// Tokens a byte of a model, once it has answered.
    pub(crate) fn ratio(&self, model: &str) -> Option<f64> {
        self.ratios.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied()
    }

    /// Notes what an answer showed.
    pub(crate) fn note_ratio(&self, model: &str, ratio: f64) {
        self.ratios.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_owned(), ratio);
    }
}

/// A money cap cannot be held for a model that costs nobody knows what.
fn unpriced_hindrance(model: &str) -> Hindrance {
    Hindrance::Unusable {
        why: format!("there is a money budget, and nobody has said what `{model}` costs"),
        hint: format!(
            "put this line at the top of config.toml, in USD for a million tokens, then `pb scheduler restart`: \
             prices.\"{model}\" = {{ input = 1.00, output = 5.00 }}"
        ),
    }
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
