//! Which providers have a key, by name, and whether they are reached and take it, without spending.

use std::time::Duration;

use pb_llm::reach::{Found, Reach};
use pb_llm::{Models, no_model_text};
use pb_runtime::config::Config;
use pb_runtime::{Home, SchedulerInfo, environment};

use super::check::Check;
use super::settings::one_line;
use crate::daemon::Daemon;
use crate::format;

/// How long a provider may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

pub(super) async fn look(home: &Home, settings: Option<&Config>, offline: bool) -> Vec<Check> {
    let Some(settings) = settings else {
        let found = "not looked for: config.toml is not understood";
        return vec![Check::warning("models", found, "correct config.toml first")];
    };
    let models = match Models::find(settings, home, &environment::text).await {
        Ok(models) => models,
        Err(error) => {
            let advice = "correct what it names; until then only goals without a model run";
            return vec![Check::problem("models", one_line(&error.into()), advice)];
        }
    };
    let mut checks = Vec::new();
    if models.is_empty() {
        let text = no_model_text(home);
        let (found, advice) = text.split_once('\n').unwrap_or((text.as_str(), ""));
        checks.push(Check::warning("models", found, advice.replace('\n', "; ")));
    }
    let reached = models.reach((!offline).then_some(ANSWER_LIMIT)).await;
    checks.extend(reached.into_iter().map(|reach| judge(&reach)));
    checks.extend(missing_in_scheduler(home, &models));
    checks
}

fn judge(reach: &Reach) -> Check {
    let name = format!("model {}", format::line(&reach.provider));
    let at = format::line(&reach.base_url);
    let key = reach.key_name.as_deref().unwrap_or("none");
    match &reach.found {
        Found::Answers => Check::ok(name, format_args!("{at} answers; key: {key}")),
        Found::NotAsked => Check::ok(name, format_args!("{at} was not asked; key: {key}")),
        Found::NoKey => Check::warning(name, format_args!("{at} has no key"), format_args!("set {key}")),
        Found::RefusesKey(status) => {
            let found = format!("{at} refuses the key in {key} (HTTP {status})");
            Check::problem(name, found, "put in a key that is valid, then: pb scheduler restart")
        }
        Found::Says(status) => {
            let found = format!("{at} is there, and answers HTTP {status}; key: {key}");
            Check::warning(name, found, format_args!("try a call: pb models test; it costs a few tokens"))
        }
        Found::Unreachable(why) => {
            let found = format!("{at} is not reached: {}; key: {key}", format::line(why));
            Check::warning(name, found, "check its address, that it runs, and the way there (network, proxy)")
        }
    }
}

/// Keys of this shell that the running scheduler was started without.
fn missing_in_scheduler(home: &Home, models: &Models) -> Option<Check> {
    let scheduler = Daemon::Scheduler.holder(home)?;
    let info = SchedulerInfo::read(&home.scheduler_json(), scheduler.pid)?;
    let lacks: Vec<String> = models.keys().into_iter().filter(|key| !info.keys.contains(key)).collect();
    if lacks.is_empty() {
        return None;
    }
    let found = format!("set here, but not in the running scheduler: {}", lacks.join(", "));
    Some(Check::warning("keys", found, "to use them: pb scheduler restart"))
}
