//! `pb inbox`.

use pb_protocol::client::Patience;
use pb_runtime::Home;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, output, report, wait};

/// What is shown of the inbox.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// At most this many questions, the latest ones
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let client = connection::client(&home, Patience::None);
    let (questions, total) = wait::client(async { Ok(super::open(&client, args.limit).await?) })?;
    if args.json {
        output::json(&serde_json::json!({"escalations": questions, "total": total}))?;
        return Ok(Exit::Ok);
    }
    if total == 0 {
        output::note("nothing waits for you");
        return Ok(Exit::Ok);
    }
    let blocks: Vec<String> = questions.iter().map(report::question).collect();
    output::data(blocks.join("\n\n"))?;
    let shown = questions.len() as u64;
    if total > shown {
        output::note(format_args!("the latest {shown} of {total}; see more with --limit"));
    }
    Ok(Exit::Ok)
}
