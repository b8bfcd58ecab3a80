//! The service that `pb service install` makes, under a real systemd.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use super::systemd::{self, Systemd};
use crate::output;

/// A home whose name needs quoting.
const HOME: &str = "home 家 50% $x";
/// What a person writes with `systemctl --user edit`: any free port, as their own gateway may be running.
const PORT: &str = "[Service]\nEnvironment=PB_PORT=0\n";
const UNIT: &str = "ponybunny.service";

/// Installs the service, has it work, breaks it, and removes it; or says why not.
///
/// # Errors
/// Something of it does not work.
pub(super) fn works(pb: &Path, goal: &Path) -> anyhow::Result<()> {
    if let Some(why) = systemd::obstacle() {
        output::note(format_args!("not tried under a systemd: {why}"));
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let added = at("user/.config/systemd/user/ponybunny.service.d");
    for made in [&added, &at("run")] {
        fs::create_dir_all(made)?;
    }
    fs::write(added.join("port.conf"), PORT)?;
    let variables =
        vec![("HOME", at("user")), ("PB_HOME", at(HOME)), ("PB_LOCAL_MODEL_PORTS", "none".into())];
    let person = Systemd::start(variables, at("run"))?;
    let text = |path: &Path| path.to_str().map(str::to_owned).context("the folder's name is no UTF-8");
    let (pb, goal) = (text(pb)?, text(goal)?);

    // It comes back when the service has said that it is ready.
    person.told(&[&pb, "service", "install", "--now"])?;
    let main = || person.told(&["systemctl", "--user", "show", "--property=MainPID", "--value", UNIT]);
    let is_active = || person.told(&["systemctl", "--user", "is-active", UNIT]).is_ok();
    let runs = || person.told(&[&pb, "status"]).is_ok();
    if !is_active() || !runs() {
        bail!("the service was started, and does not run");
    }
    person.told(&[&pb, "run", &goal, "--workspace", &text(&at("out"))?])?;

    // It is the same service before and after; systemd ends what says that it stops.
    person.told(&[&pb, "restart"])?;
    if !is_active() || !runs() {
        bail!("both were started anew, and systemd takes the service for one that stops");
    }

    let before = main()?;
    person.told(&["kill", "-KILL", &before])?;
    systemd::wait_until("the service is started again", || {
        main().is_ok_and(|now| now != before && now != "0") && is_active() && runs()
    })?;
    person.told(&[&pb, "run", &goal, "--workspace", &text(&at("out"))?])?;

    person.told(&[&pb, "service", "uninstall"])?;
    if is_active() || runs() {
        bail!("the service was uninstalled, and runs");
    }
    if !at(HOME).join("state.db").exists() {
        bail!("the service was uninstalled, and the home is gone");
    }
    output::note(
        "under a systemd of its own the service starts, reaches a goal, is started again, and is removed",
    );
    Ok(())
}
