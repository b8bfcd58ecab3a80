//! `pb completions`: what shells and `man` want to know of the command line.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Print what a shell completes after `pb`, or write the manual pages
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  pb completions bash > ~/.local/share/bash-completion/completions/pb
  pb completions zsh > ~/.zfunc/_pb
  pb completions fish > ~/.config/fish/completions/pb.fish
  pb completions --man ~/.local/share/man/man1"
)]
pub(crate) struct Args {
    /// For this shell, to standard output
    #[arg(value_enum, value_name = "SHELL", required_unless_present = "man")]
    shell: Option<Shell>,
    /// Write a manual page for each command into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "shell")]
    man: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut cli = Cli::command();
    if let Some(folder) = &args.man {
        let written = pages(cli, folder)?;
        output::note(format_args!("{written} manual pages are in {}", folder.display()));
        return Ok(Exit::Ok);
    }
    if let Some(shell) = args.shell {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut cli, "pb", &mut script);
        output::raw(&String::from_utf8_lossy(&script))?;
    }
    Ok(Exit::Ok)
}

/// Writes a page for each command that is shown; how many.
fn pages(mut cli: Command, folder: &Path) -> anyhow::Result<usize> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // Each page names its whole command: `pb-goal-show`.
    cli.build();
    let mut written = 0;
    let mut left = vec![cli.disable_help_subcommand(true)];
    while let Some(command) = left.pop() {
        left.extend(
            command.get_subcommands().filter(|one| !one.is_hide_set() && one.get_name() != "help").cloned(),
        );
        let man = clap_mangen::Man::new(command);
        let path = folder.join(man.get_filename());
        let mut page = Vec::new();
        man.render(&mut page).context("a page cannot be made")?;
        std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
        written += 1;
    }
    Ok(written)
}
