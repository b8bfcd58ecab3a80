//! `pb service uninstall`: the service is stopped, and its unit removed.

use pb_runtime::Home;

use super::systemd;
use super::unit_file::{Found, UnitFile};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Stop the service, and remove its unit; the home stays as it is
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb service uninstall")]
pub(super) struct Args {
    /// Remove it also where it was edited
    #[arg(long)]
    force: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let file = UnitFile::of_person()?;
    let path = file.path().display();
    match file.found()? {
        Found::Nothing => {
            output::note(format_args!("no service is installed: there is no {path}"));
            return Ok(Exit::Ok);
        }
        Found::Edited if !args.force => return Err(file.is_edited("pb service uninstall")),
        Found::AsWritten(_) | Found::Edited => {}
    }
    // While systemd still knows what it stops.
    let stopped = systemd::disable_now();
    file.remove()?;
    match stopped.and_then(|()| systemd::reload()) {
        Ok(()) => output::note(format_args!("stopped the service, and removed {path}")),
        Err(why) => output::note(format_args!("removed {path}; nothing was stopped ({why})")),
    }
    if let Some(folder) = file.additions() {
        output::note(format_args!("what you added to it stays: {}", folder.display()));
    }
    output::note(format_args!("your goals and settings stay: {}", home.root().display()));
    Ok(Exit::Ok)
}
