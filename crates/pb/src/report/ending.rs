//! The end of `pb run` and `pb goal watch`.

use pb_protocol::methods::goal::StepView;

use super::{Account, exit, is_refused, questions, sections};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format;
use crate::output::{self, BAD, styled};

/// Prints how the goal ended: the tables, what went wrong, where things are, and the verdict last,
/// where the eye is.
pub(crate) fn ending(account: &Account) -> Result<Exit, Failure> {
    ending_by(account, |section| output::data(format_args!("\n{section}")))
}

/// The same beside the data, where a plan was to be and did not come.
pub(crate) fn ending_without_data(account: &Account) -> Result<Exit, Failure> {
    ending_by(account, |section| {
        output::note(format_args!("\n{section}"));
        Ok(())
    })
}

fn ending_by(account: &Account, tell: impl Fn(&str) -> anyhow::Result<()>) -> Result<Exit, Failure> {
    let goal = &account.detail.goal;
    if is_refused(goal) {
        return Err(refusal(account));
    }
    let sections = [
        sections::items(account),
        sections::gates(account),
        sections::artifacts(account),
        failures(account),
        questions::escalations(account),
        summary(account),
    ];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        tell(section)?;
    }
    Ok(exit(goal))
}

fn summary(account: &Account) -> String {
    let goal = &account.detail.goal;
    let mut lines = Vec::new();
    if let Some(workspace) = &goal.workspace {
        lines.push(format::field("workspace", format::line(workspace)));
    }
    if let Some(ended_at) = goal.completed_at {
        let took = format::duration(ended_at.saturating_sub(goal.created_at));
        let worked = format::duration(goal.spent_time_ms);
        lines.push(format::field("time", format!("{took}, of which steps ran {worked}")));
    }
    lines.extend(sections::models(goal).map(|spent| format::field("models", spent)));
    if exit(goal) != Exit::Ok {
        lines.push(format::field("journal", format!("pb goal logs {}", goal.id)));
    }
    lines.push(sections::verdict_line(goal));
    lines.join("\n")
}

/// The last failing steps of each item that failed: what was run, how it ended, what it printed.
fn failures(account: &Account) -> String {
    let failed = account.items.iter().filter(|one| one.item.status == "failed");
    let blocks = failed.flat_map(|one| {
        let last_run = one.runs.last().map(|run| run.id.as_str());
        account
            .steps
            .iter()
            .filter(move |step| {
                Some(step.run_id.as_str()) == last_run && step.outcome.as_deref() != Some("ok")
            })
            .map(failure)
    });
    blocks.collect::<Vec<_>>().join("\n\n")
}

fn failure(step: &StepView) -> String {
    let found = format::line(step.found.as_deref().unwrap_or("no outcome was recorded"));
    let item = format::line(&step.item);
    let mut text = format!(
        "{} in item {item}, attempt {}, step {}\n  {}\n  {}",
        styled(BAD, format_args!("failed {}", step.kind)),
        step.attempt,
        step.step,
        format::field("what", format::line(&step.label)),
        format::field("found", found),
    );
    let tail = tail(&step.output);
    if !tail.is_empty() {
        text.push('\n');
        text.push_str(&format::indented(tail, 4));
    }
    text
}

/// Lines of a failing step's output that are shown; `pb goal logs` shows all.
const TAIL_LINES_MAX: usize = 20;

pub(super) fn tail(output: &str) -> &str {
    let output = output.trim_end();
    let start = output.rmatch_indices('\n').nth(TAIL_LINES_MAX - 1).map_or(0, |(at, _)| at + 1);
    output.get(start..).unwrap_or_default()
}

/// A goal that intake refused has done nothing: that is an error of the request.
fn refusal(account: &Account) -> Failure {
    let goal = &account.detail.goal;
    let (code, message) = match &goal.error {
        Some(error) => (error.code.as_str(), error.message.as_str()),
        None => ("", "no reason was given"),
    };
    let failure = Failure::new(Exit::Refused, format!("the goal is refused: {}", format::line(message)));
    if code.contains("WORKSPACE") {
        failure.hint("name another folder with --workspace DIR, or leave it out for a new one")
    } else {
        failure.hint(format!("see all of it with: pb goal show {}", goal.id))
    }
}
