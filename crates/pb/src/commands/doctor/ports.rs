//! The ports: free, ours, or whose.

use pb_runtime::{Endpoint, Home, port_holder, process};

use super::check::Check;
use crate::commands::gateway;
use crate::daemon::Daemon;
use crate::format;

/// The port on which the first implementation served debug events. We do not listen there; commands of goals may not
/// connect to it.
const DEBUG_PORT: u16 = 18790;

pub(super) fn look(home: &Home) -> Vec<Check> {
    vec![gateway(home), debug()]
}

fn gateway(home: &Home) -> Check {
    const NAME: &str = "port of the gateway";
    let wanted = match gateway::StartArgs::by_default(false) {
        Ok(arguments) => arguments.port,
        Err(_) => return Check::problem(NAME, "PB_PORT is no port", "set PB_PORT to a port, or unset it"),
    };
    let ours = Daemon::Gateway.holder(home).and_then(|holder| {
        let endpoint = Endpoint::read(&home.gateway_json()).filter(|endpoint| endpoint.pid == holder.pid);
        Some((holder.pid, endpoint?.address))
    });
    if let Some((pid, address)) = ours {
        return if port_holder::is_taken(address.port()) {
            Check::ok(NAME, format_args!("{address} is ours (pid {pid})"))
        } else {
            let found = format!("nobody listens on {address}, where our gateway (pid {pid}) should");
            Check::problem(NAME, found, "start it anew: pb gateway restart")
        };
    }
    match wanted {
        0 => Check::ok(NAME, "any free port will be taken"),
        port if port_holder::is_taken(port) => {
            let found = format!("{port} is taken by {}", whose(port));
            let advice = "take another: pb gateway start --port 0, or set PB_PORT=0; or end that process";
            Check::problem(NAME, found, advice)
        }
        port => Check::ok(NAME, format_args!("{port} is free")),
    }
}

fn debug() -> Check {
    let name = format!("port {DEBUG_PORT}");
    if port_holder::is_taken(DEBUG_PORT) {
        Check::ok(name, format_args!("taken by {}; we do not need it", whose(DEBUG_PORT)))
    } else {
        Check::ok(name, "free")
    }
}

fn whose(port: u16) -> String {
    match port_holder::find(port) {
        Some(pid) => {
            let name =
                process::name(pid).map(|name| format!(", {}", format::line(&name))).unwrap_or_default();
            format!("another process (pid {pid}{name})")
        }
        None => "a process of another user".to_owned(),
    }
}
