//! `cargo xtask bench turn`: from one answer of a model to the next, on real processes and a real disk.
//!
//! The model is scripted and answers at once, so what is measured is ours: deciding, making durable,
//! calling a tool, and putting the next request together. The target stands in [`rows`].

pub(super) mod load;
pub(super) mod model;
mod reference;
mod rows;
pub(super) mod script;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use model::ScriptedModel;

use super::daemons::Daemons;
use super::figures::Figures;
use super::{disk, session};
use crate::{output, process, tree};

/// The file that the agent reads a line of in every turn.
const FILE: &str = "note.txt";
/// One of its lines; it has one for each turn.
const LINE: &str = "A pony walks along the river. 小马沿着河边走。\n";

/// Measure the turns of an agent against a scripted model, in an empty home
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Turns of one tool call each, before the one that finishes
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=999))]
    turns: u32,
    /// Also write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    output::note("building pb and the scripted model (release)");
    let pb = process::build_pb(&root, true)?;
    let scripted = process::build_binary(&root, ("pb-testkit", "pb-scripted-model"), true)?;
    let home = session::empty_folder(&tree::target(&root))?;
    let beside = session::empty_folder(&tree::target(&root))?;
    let workspace = workspace(beside.path(), args.turns)?;
    // Ours, not the measuring thread's: an interruption ends it too.
    let model = Arc::new(ScriptedModel::start(&scripted, beside.path(), &script::of(args.turns))?);
    fs::write(home.path().join("config.toml"), settings(model.port())).context("cannot write config.toml")?;
    let daemons = Arc::new(Daemons::new(pb, home.path())?);
    let (turns, measured) = (args.turns, Arc::clone(&model));
    let figures =
        session::unless_interrupted(&daemons, move |daemons| measure(turns, daemons, &measured, &workspace))?;
    figures.tell(args.json.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// A folder with a file that has a line for each turn.
pub(super) fn workspace(beside: &Path, turns: u32) -> anyhow::Result<PathBuf> {
    let workspace = beside.join("workspace");
    fs::create_dir(&workspace)
        .and_then(|()| fs::write(workspace.join(FILE), LINE.repeat(turns as usize)))
        .context("cannot make the workspace")?;
    Ok(workspace)
}

/// The scripted model does the work of every tier, and nothing else is asked.
pub(super) fn settings(port: u16) -> String {
    format!(
        "[models]\nsimple = \"scripted/scripted\"\nmedium = \"scripted/scripted\"\n\
         complex = \"scripted/scripted\"\n\n\
         [providers.scripted]\nkind = \"openai\"\nbase_url = \"http://127.0.0.1:{port}/v1\"\n"
    )
}

fn measure(
    turns: u32,
    daemons: &Daemons,
    model: &ScriptedModel,
    workspace: &Path,
) -> anyhow::Result<Figures> {
    output::note("measuring the disk");
    let fsync = disk::fsync(daemons.home().root())?;
    daemons.start_both()?;
    output::note(format_args!("running one agent for {turns} turns"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = runtime.block_on(load::run(daemons.home(), turns, workspace))?;
    let heard = model.turns(turns)?;
    output::note(format_args!("calling the scripted model without us, {} times", reference::CALLS));
    let plain = reference::round_trips(model.port(), heard.middle_body_bytes())?;
    daemons.stop()?;
    Ok(Figures::new(daemons.home().root(), fsync, rows::of(&heard, &told, &plain)))
}
