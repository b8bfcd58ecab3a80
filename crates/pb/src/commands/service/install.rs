//! `pb service install`: writes the unit, and has it started if asked to.

use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_runtime::{Home, LockHolder, environment};

use super::unit_file::{Found, UnitFile};
use super::{UNIT, settings, systemd, unit};
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// What to type for it to run, once the unit is written.
const TO_START: &str = "systemctl --user enable --now ponybunny";
/// The same where systemd has not read the unit.
const TO_READ_AND_START: &str = "systemctl --user daemon-reload && systemctl --user enable --now ponybunny";

/// Write the unit of the service, for this program and this home
///
/// It is written to `~/.config/systemd/user`, or as `XDG_CONFIG_HOME` says. The service starts `pb supervise`,
/// which runs the gateway and the scheduler. It does not see the variables of your shell, PATH among them:
/// `systemctl --user edit ponybunny` gives it what it needs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb service install --now     also start it, now and at each login
  pb service install --dry-run")]
pub(super) struct Args {
    /// Print the unit, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Start it now and at each login
    #[arg(long, conflicts_with = "dry_run")]
    now: bool,
    /// Write it also where it was edited, or is for another home
    #[arg(long, conflicts_with = "dry_run")]
    force: bool,
    /// For a program that will stand there, such as that of a package
    #[arg(long, hide = true, value_name = "PATH", requires = "dry_run")]
    program: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let named = environment::path("PB_HOME").map(|home| Home::at(&home)).transpose()?;
    let root = named.as_ref().map(Home::root);
    if args.dry_run {
        let program = args.program.clone().map_or_else(this_program, Ok)?;
        output::raw(&unit::text(&program, root)?)?;
        return Ok(Exit::Ok);
    }
    let home = Home::from_environment()?;
    let (file, text) = (UnitFile::of_person()?, unit::text(&this_program()?, root)?);
    let background = background(&home);
    if args.now
        && let Some(names) = &background
    {
        return Err(Failure::new(Exit::Busy, format!("running in the background: {names}"))
            .hint("stop what runs, then install: pb stop && pb service install --now"));
    }
    write(&file, &text, args.force)?;
    start(&file, args.now)?;
    if let Some(names) = &background {
        output::note(format_args!(
            "running in the background: {names}; before the service is started: pb stop"
        ));
    }
    if let Some(missed) = settings::missed(&home) {
        output::note(missed);
    }
    if !systemd::lingers() {
        output::note("it stops when you log out; to have it go on: loginctl enable-linger");
    }
    Ok(Exit::Ok)
}

/// Where the program stands that runs now.
fn this_program() -> Result<PathBuf, Failure> {
    let path = std::env::current_exe().context("cannot find out where this program stands")?;
    if path.is_file() {
        return Ok(path);
    }
    // Its name in /proc goes on with ` (deleted)`.
    let message = format!("this program is no longer there: {}", path.display());
    Err(Failure::new(Exit::Missing, message).hint("it was replaced while it ran: type the same again"))
}

/// Writes the unit where that takes nothing away from the person.
fn write(file: &UnitFile, text: &str, force: bool) -> Result<(), Failure> {
    let path = file.path().display();
    match file.found()? {
        Found::AsWritten(old) if old == text => {
            output::note(format_args!("{path} is there already"));
            return Ok(());
        }
        Found::AsWritten(old) if !force && unit::home_line(&old) != unit::home_line(text) => {
            let message = format!("{path} is for another home");
            return Err(Failure::new(Exit::Refused, message)
                .hint("to have it run this one instead: pb service install --force"));
        }
        Found::Edited if !force => return Err(file.is_edited("pb service install")),
        Found::Nothing | Found::AsWritten(_) | Found::Edited => {}
    }
    file.write(text)?;
    output::note(format_args!("wrote {path}"));
    Ok(())
}

/// Has systemd read the unit and start it, or says what to type for that.
fn start(file: &UnitFile, now: bool) -> Result<(), Failure> {
    let read = systemd::reload();
    if !now {
        match read {
            Ok(()) => output::note(format_args!("to start it, now and at each login: {TO_START}")),
            Err(why) => output::note(format_args!(
                "no systemd of yours answers ({why}); when one runs, at your next login: {TO_READ_AND_START}"
            )),
        }
        return Ok(());
    }
    read.map_err(|why| {
        let message = format!("the service is not started: no systemd of yours answers ({why})");
        let written = file.path().display();
        Failure::new(Exit::Unavailable, message)
            .hint(format!("{written} is written; when one runs, at your next login: {TO_READ_AND_START}"))
    })?;
    let was_active = systemd::is_active();
    systemd::enable_now().map_err(|why| {
        Failure::new(Exit::Unavailable, format!("the service does not start ({why})"))
            .hint("see why with: systemctl --user status ponybunny, and: pb logs")
    })?;
    if was_active {
        output::note(format_args!(
            "{UNIT} runs already; to start it anew: systemctl --user restart ponybunny"
        ));
    } else {
        output::note(format_args!("started {UNIT}; from now on it starts when you log in"));
    }
    Ok(())
}

/// The processes that run in this home without being the service's.
fn background(home: &Home) -> Option<String> {
    let locks = [
        ("supervisor", home.supervisor_lock()),
        (Daemon::Gateway.name(), home.gateway_lock()),
        (Daemon::Scheduler.name(), home.scheduler_lock()),
    ];
    let held = |lock: &Path| LockHolder::alive(lock);
    let names: Vec<String> = locks
        .iter()
        .filter_map(|(name, lock)| held(lock).map(|holder| format!("{name} (pid {})", holder.pid)))
        .collect();
    (!names.is_empty() && !systemd::is_active()).then(|| names.join(", "))
}
