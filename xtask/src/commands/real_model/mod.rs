//! `cargo xtask real-model`: a small model on this machine, behind the server that people run at home.
//!
//! The scripted model of `pb-testkit` says what we think that servers say; this one says what they say. It is
//! llama.cpp with SmolLM2-135M, 130 MB of wheels, in a folder of its own under `target`: ready in a second,
//! 240 MB, some 80 tokens a second. It is too small to be right: tests look at the form of its answers.

mod install;
mod server;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::Subcommand;

pub(super) use server::RealModel;

use crate::{output, process, tree};

/// The crates whose tests talk to it, and the module in which they are.
const SUITE: [&str; 8] =
    ["--package", "pb-llm", "--package", "pb-testkit", "--package", "pb", "-E", "test(/^real_model::/)"];

/// Serve a small real model on this machine, for tests and trials
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Serve until Ctrl-C, and print where
    Serve {
        /// The port; 0 is any free one
        #[arg(long, value_name = "N", default_value_t = 0)]
        port: u16,
    },
    /// Run a command that finds the model in `PB_REAL_MODEL_URL` and `PB_REAL_MODEL_NAME`
    Run {
        /// The command and its arguments
        #[arg(trailing_var_arg = true, required = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Run the tests that talk to it
    Test,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    let mut command = match &args.what {
        What::Serve { port } => return serve(start(&root, *port)?),
        What::Run { command } => {
            let (program, arguments) = command.split_first().context("no command")?;
            let mut command = process::command(program);
            command.args(arguments);
            command
        }
        What::Test => suite(&root),
    };
    let model = start(&root, 0)?;
    process::run(command.envs(model.variables()))?;
    Ok(ExitCode::SUCCESS)
}

/// Installs it where it is missing, and starts it on this port; 0 is any free one.
///
/// # Errors
/// It cannot be installed or started.
pub(super) fn start(root: &Path, port: u16) -> anyhow::Result<RealModel> {
    let python = install::python(root)?;
    RealModel::start(root, &python, port)
}

fn serve(mut model: RealModel) -> anyhow::Result<ExitCode> {
    for (name, value) in model.variables() {
        output::line(format_args!("{name}={value}"));
    }
    output::note("serving until Ctrl-C");
    model.wait()?;
    Ok(ExitCode::SUCCESS)
}

fn suite(root: &Path) -> Command {
    let mut nextest = process::cargo();
    nextest.current_dir(root).args(["nextest", "run"]).args(SUITE);
    nextest
}
