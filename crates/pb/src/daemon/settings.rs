//! What is looked at before a daemon that runs is ended for another one.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use pb_runtime::config::Config;
use pb_runtime::{Endpoint, Home};

use super::Daemon;
use crate::commands::gateway;
use crate::exit::Exit;
use crate::failure::Failure;

/// Arguments that are about how the process runs, and not about what it does.
const OF_THE_PROCESS: [&str; 2] = ["--foreground", "--report-ready"];

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

/// The arguments after `pb NAME start` with which the daemon runs that is there now.
pub(crate) fn arguments(home: &Home, daemon: Daemon) -> Option<Vec<OsString>> {
    let pid = daemon.holder(home)?.pid;
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let all: Vec<OsString> = line
        .split(|byte| *byte == 0)
        .map(|argument| OsString::from_vec(argument.to_vec()))
        .skip_while(|argument| argument != "start")
        .collect();
    let (_start, rest) = all.split_first()?;
    let asked = |argument: &&OsString| {
        !argument.is_empty() && OF_THE_PROCESS.iter().all(|of_process| argument != of_process)
    };
    let mut arguments: Vec<OsString> = rest.iter().filter(asked).cloned().collect();
    // One that took any free port goes on with the one that its clients know.
    let listens = Endpoint::read(&home.gateway_json()).filter(|endpoint| endpoint.pid == pid);
    if let Some(endpoint) = listens
        && let Some(port) = arguments.iter_mut().skip_while(|argument| *argument != "--port").nth(1)
    {
        *port = endpoint.address.port().to_string().into();
    }
    Some(arguments)
}
