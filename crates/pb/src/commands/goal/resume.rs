//! `pb goal resume`.

use pb_model::goal::Answer;
use pb_protocol::methods::goal_control::{Resume, ResumeParams};

use super::{GoalId, control};
use crate::amount::amount;
use crate::exit::Exit;
use crate::failure::Failure;

/// Have a goal go on that was paused, or answer what a blocked one asks
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb goal resume 3f2a                                 it was paused
  pb goal show 3f2a                                   what it asks, and what may be answered
  pb goal resume 3f2a --answer retry
  pb goal resume 3f2a --answer approve                it counts, though the goal changed what judges it
  pb goal resume 3f2a --answer raise --to 2.50        to 2.50 USD; without --to, to twice what it is")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// The answer to each question that offers it: retry, skip, raise, finish,
    /// approve or cancel
    #[arg(long, value_name = "OPTION")]
    answer: Option<Answer>,
    /// With `raise`: what the cap is raised to, in US dollars, tokens, turns or minutes
    #[arg(long, value_name = "AMOUNT", requires = "answer", value_parser = amount)]
    to: Option<f64>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let is_over = args.answer == Some(Answer::Cancel);
    let told = |id: &str| {
        if is_over {
            format!("{id} is cancelled")
        } else {
            format!("{id} goes on; follow it with: pb goal watch {id}")
        }
    };
    control::ask(args.goal, args.json, told, |client, goal_id| async move {
        let answer = args.answer.map(|answer| answer.as_str().to_owned());
        let params = ResumeParams { goal_id, answer, to: args.to, idempotency_key: Some(control::key()) };
        client.call::<Resume>(&params).await
    })
}
