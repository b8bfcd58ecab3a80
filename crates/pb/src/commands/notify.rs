//! `pb notify`: whether a person is told.

use std::path::PathBuf;

use clap::Subcommand;
use pb_runtime::config::Config as Settings;
use pb_runtime::{Clock, Home, Ids, environment};
use pb_scheduler::notify::{Notice, Programs};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{format, output, wait};

/// Names the processes of a test in the keeper's mark.
const STEP: &str = "notify-test";

/// What `--help` says beyond the line.
const ABOUT: &str = "\
See whether you are told when a goal asks or ends

Goals tell by notify-send where there is a desktop, or by any program:

  [notify]                                    in $PB_HOME/config.toml
  command = [\"my-notifier\", \"{title}\", \"{text}\"]
  on = [\"question\", \"end\"]                    which; both if absent
  desktop = true                              or false; by itself if absent

The program runs as you, without a shell, for at most 10 s, and gets PB_EVENT (question, completed,
failed, cancelled, blocked, test), PB_GOAL_ID, PB_TITLE, PB_STATUS, PB_VERDICT, PB_SUMMARY,
PB_ESCALATION_ID and PB_NEXT. Where no argument names {title} or {text}, both are one more argument.
A scheduler that runs takes changes when it is started again.";

/// See whether you are told when a goal asks or ends
#[derive(Debug, clap::Args)]
#[command(long_about = ABOUT, after_help = "Examples:\n  pb notify test")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Send one now, from here, and say what came of it
    Test,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let Action::Test = args.action;
    let home = Home::from_environment()?;
    home.prepare()?;
    let settings = Settings::read(&home.config()).map_err(anyhow::Error::from)?;
    let programs = Programs::of(&settings.notify, environment::all());
    if programs.is_empty() {
        let message =
            "nobody is told: there is no desktop with notify-send here, and config.toml names no program";
        let hint = format!("name one under [notify] in {}; see: pb notify --help", home.config().display());
        return Err(Failure::new(Exit::Missing, message).hint(hint));
    }
    let clock = Clock::System;
    let config = pb_scheduler::Config {
        db: home.state_db(),
        socket: home.gateway_socket(),
        exe: PathBuf::from("/proc/self/exe"),
        ids: Ids::random(clock.clone()),
        clock,
        home,
    };
    let names = format::line(&programs.names().join(", "));
    let told = wait::client(async { Ok(programs.tell(&Notice::test(), &config, STEP).await) })?;
    match told {
        Ok(()) => output::data(format_args!("sent by {names}, which says that all is well"))?,
        Err(error) => {
            let message = format!("the notification did not arrive: {}", format::line(&error.to_string()));
            return Err(Failure::new(Exit::Failed, message).hint("see: pb notify --help"));
        }
    }
    Ok(Exit::Ok)
}
