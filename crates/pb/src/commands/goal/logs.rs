//! `pb goal logs`.

use pb_protocol::client::Patience;
use pb_protocol::methods::goal::{GoalIdParams, StepView, Steps};
use pb_runtime::Home;

use super::GoalId;
use crate::connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{BOLD, styled};
use crate::{format, output, wait};

/// Show the journal of a goal: every step with its output
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb goal logs 3f2a\n  pb goal logs 3f2a --step 2 > output.txt")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// Print the stored output of this step and nothing else
    #[arg(long, value_name = "N")]
    step: Option<u32>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let params = GoalIdParams { goal_id: args.goal.id };
    let mut steps =
        wait::client(async { Ok(connection::client(&home, Patience::None).call::<Steps>(&params).await?) })?
            .steps;
    if let Some(number) = args.step {
        let count = steps.len();
        steps.retain(|step| step.step == number);
        if steps.is_empty() {
            let message = format!("the goal has no step {number}");
            return Err(Failure::new(Exit::Missing, message)
                .hint(format!("it has {} so far", format::count(count as u64, "step"))));
        }
    }
    if args.json {
        output::json(&steps)?;
    } else if args.step.is_some() {
        for step in &steps {
            output::raw(&step.output)?;
        }
    } else {
        for step in &steps {
            output::data(entry(step))?;
        }
    }
    Ok(Exit::Ok)
}

fn entry(step: &StepView) -> String {
    let heading =
        format!("step {}: {}, attempt {}, {}", step.step, format::line(&step.item), step.attempt, step.kind);
    let took = step
        .ended_at
        .map(|ended_at| format!(" in {}", format::duration(ended_at.saturating_sub(step.started_at))))
        .unwrap_or_default();
    let outcome = step.outcome.as_deref().unwrap_or("running");
    let found = step.found.as_deref().map(|found| format!(": {}", format::line(found))).unwrap_or_default();
    let mut text =
        format!("{}\n  {}\n  {outcome}{took}{found}\n", styled(BOLD, heading), format::line(&step.label));
    if !step.output.is_empty() {
        text.push_str(&format::indented(&step.output, 4));
        text.push('\n');
    }
    text
}
