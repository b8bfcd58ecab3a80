//! What is asked of systemd, with its own programs.

use std::path::Path;
use std::process::{Command, Stdio};

use pb_runtime::environment;

use super::UNIT;
use crate::format;

/// Where logind keeps whose services go on after they have logged out: a file for each, named after the user.
const LINGER: &str = "/var/lib/systemd/linger";

/// Has systemd read all units anew.
///
/// # Errors
/// No systemd of the person's runs; why.
pub(super) fn reload() -> Result<(), String> {
    systemctl(&["daemon-reload"])
}

/// Has the service started now and at each login.
///
/// # Errors
/// systemd says why not.
pub(super) fn enable_now() -> Result<(), String> {
    systemctl(&["enable", "--quiet", "--now", UNIT])
}

/// Has the service stopped, and not started any more.
///
/// # Errors
/// systemd says why not.
pub(super) fn disable_now() -> Result<(), String> {
    systemctl(&["disable", "--quiet", "--now", UNIT])
}

/// Whether the service runs.
pub(super) fn is_active() -> bool {
    systemctl(&["is-active", "--quiet", UNIT]).is_ok()
}

/// Whether what the person's systemd runs goes on after they have logged out.
pub(super) fn lingers() -> bool {
    let user = rustix::process::geteuid().as_raw().to_string();
    if let Ok(told) = printed("loginctl", &["show-user", &user, "--property=Linger", "--value"]) {
        return told == "yes";
    }
    // Who is not logged in is not known to logind.
    let name = environment::text("USER").or_else(|| environment::text("LOGNAME"));
    name.is_some_and(|name| Path::new(LINGER).join(name).exists())
}

fn systemctl(words: &[&str]) -> Result<(), String> {
    let words: Vec<&str> = ["--user"].iter().chain(words).copied().collect();
    printed("systemctl", &words).map(|_| ())
}

/// What a program prints; why it does not succeed, in one line.
#[expect(
    clippy::disallowed_methods,
    reason = "pb_exec runs the commands of goals; these are systemd's own, and end at once"
)]
fn printed(program: &str, words: &[&str]) -> Result<String, String> {
    let ran = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if ran.status.success() {
        return Ok(text(&ran.stdout));
    }
    let said = text(&ran.stderr);
    let said = if said.is_empty() { ran.status.to_string() } else { said };
    Err(format!("{program}: {}", format::line(&said)))
}
