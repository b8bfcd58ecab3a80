//! `config.toml` and `credentials.toml`: are they understood.

use pb_llm::Credentials;
use pb_runtime::Home;
use pb_runtime::config::Config;

use super::check::Check;
use crate::commands::gateway;
use crate::format;

/// The checks, and the settings when they are understood.
pub(super) fn look(home: &Home) -> (Vec<Check>, Option<Config>) {
    let (config, settings) = config(home);
    let credentials = match Credentials::read(&home.credentials()) {
        Ok(_) if home.credentials().exists() => Check::ok("credentials.toml", "understood"),
        Ok(_) => Check::ok("credentials.toml", "not there: keys come from the environment"),
        Err(error) => {
            let advice = "no key in it is used, and nothing that needs a model starts, until it is mended";
            Check::problem("credentials.toml", one_line(&error.into()), advice)
        }
    };
    (vec![config, credentials], settings)
}

fn config(home: &Home) -> (Check, Option<Config>) {
    let settings = match Config::read(&home.config()) {
        Ok(settings) => settings,
        Err(error) => {
            let advice = "correct the line, or move the file away for the defaults";
            return (Check::problem("config.toml", one_line(&error.into()), advice), None);
        }
    };
    if let Some(tls) = settings.gateway.tls.clone()
        && gateway::tls(tls).is_err()
    {
        let found = "`[gateway.tls]` does not say which certificate is shown";
        let advice = "either `cert` and `key` name PEM files, or `self_signed = true` makes a certificate";
        return (Check::problem("config.toml", found, advice), Some(settings));
    }
    let found = if home.config().exists() { "understood" } else { "not there: the defaults hold" };
    (Check::ok("config.toml", found), Some(settings))
}

/// What is wrong and where; the quoted line of the file would be several.
pub(super) fn one_line(error: &anyhow::Error) -> String {
    let lines: Vec<String> = format!("{error:#}").lines().map(|line| format::line(line.trim())).collect();
    lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}
