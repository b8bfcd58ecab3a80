//! What is looked at before a daemon that runs is ended for another one.

use pb_runtime::Home;
use pb_runtime::config::Config;

use crate::commands::gateway;
use crate::exit::Exit;
use crate::failure::Failure;

/// Whether both daemons can start with this config.toml.
///
/// # Errors
/// They cannot; nothing was ended.
pub(crate) fn check_settings(home: &Home) -> Result<(), Failure> {
    let wrong = |error: String| Failure::new(Exit::Config, error).hint("nothing was stopped");
    let settings = Config::read(&home.config()).map_err(|error| {
        let error = anyhow::Error::from(error);
        wrong(format!("{error:#}"))
    })?;
    if let Some(tls) = settings.gateway.tls {
        gateway::tls(tls)?;
    }
    Ok(())
}
