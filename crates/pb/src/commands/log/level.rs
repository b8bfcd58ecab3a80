//! `pb log level`.

use clap::ValueEnum;
use pb_protocol::client::Patience;
use pb_protocol::methods::NoParams;
use pb_protocol::methods::log::{LevelsOf, LevelsResult, ProcessLevels, SetLevels, SetLevelsParams};
use pb_runtime::Home;
use pb_runtime::logging::{Filter, FilterError};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, output, table, wait};

/// Show or change which levels the running processes write, without a restart
///
/// Levels are off, error, warn, info, debug and trace. Parts are gateway, scheduler, store, exec, llm, tools, protocol
/// and runtime, and names of crates. What is not named is written as usual: notices and worse, or what `PB_LOG` said when
/// the process started. What genai tells is never written: it may quote a key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb log level
  pb log level scheduler=debug
  pb log level gateway=trace --process gateway
  pb log level store=debug,warn --keep
  pb log level --reset")]
pub(super) struct Args {
    /// `LEVEL` for everything, `PART=LEVEL` for a part; several with commas between
    #[arg(value_name = "FILTER", value_parser = filter)]
    filter: Option<Filter>,
    /// Only this process
    #[arg(long, value_enum, value_name = "PROCESS")]
    process: Option<Process>,
    /// Also after the next start of the process, until it is reset; without it a start is as usual
    #[arg(long, requires = "filter")]
    keep: bool,
    /// As usual again; what was kept is forgotten
    #[arg(long, conflicts_with = "filter")]
    reset: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Process {
    Gateway,
    Scheduler,
}

impl Process {
    fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Scheduler => "scheduler",
        }
    }
}

fn filter(text: &str) -> Result<Filter, String> {
    text.parse().map_err(|error: FilterError| format!("{error}; {}", error.hint()))
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let process = args.process.map(Process::name);
    let mut told = wait::client(async {
        let client = connection::client(&home, Patience::None);
        if args.filter.is_none() && !args.reset {
            return Ok::<_, Failure>(client.call::<LevelsOf>(&NoParams {}).await?);
        }
        let params = SetLevelsParams {
            filter: args.filter.as_ref().map(ToString::to_string),
            keep: args.keep,
            process: process.map(str::to_owned),
            idempotency_key: None,
        };
        Ok(client.call::<SetLevels>(&params).await?)
    })?;
    told.processes.retain(|one| process.is_none_or(|process| one.process == process));
    show(args, &told)?;
    let is_unknown = told.processes.iter().any(|one| one.levels.is_none());
    Ok(if is_unknown { Exit::Unavailable } else { Exit::Ok })
}

fn show(args: &Args, told: &LevelsResult) -> Result<(), Failure> {
    if args.json {
        output::json(told)?;
    } else {
        let rows: Vec<_> = told.processes.iter().filter_map(row).collect();
        if !rows.is_empty() {
            output::data(table::render(&["PROCESS", "NOW", "AFTER A START"], rows))?;
        }
    }
    for one in &told.processes {
        if let Some(problem) = &one.problem {
            output::note(format_args!("what the {} writes is not known: {problem}", one.process));
        }
    }
    Ok(())
}

fn row(one: &ProcessLevels) -> Option<Vec<String>> {
    let levels = one.levels.as_ref()?;
    let next = levels.kept.as_ref().unwrap_or(&levels.usual);
    Some(vec![one.process.clone(), levels.now.clone(), next.clone()])
}
