//! `pb goal show`.

use pb_model::goal::Kept;
use pb_protocol::client::Patience;
use pb_protocol::domain::{Goal, Run};
use pb_protocol::methods::goal::{GoalIdParams, Status};
use pb_protocol::methods::goal_at::{At, AtParams};
use pb_runtime::Home;

use super::GoalId;
use crate::connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{BOLD, styled};
use crate::report::{self, Account, ItemAccount};
use crate::{deadline, format, output, table, wait};

/// How each cursor begins.
const CURSOR_BEGINS: &str = "c1.";

/// Show a goal whole: items, attempts, gates with their evidence, artifacts, questions
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pb goal show 3f2a
  pb goal show 3f2a --json | jq .items[].runs
  pb goal show 3f2a --at 2026-12-24T18:00     as it stood then, folded from its history
  pb goal report 3f2a          the same for who was away, to keep or to send")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// As it stood at this moment: a time, in this machine's time zone if it names none, or the cursor of an event
    #[arg(long, value_name = "TIME|CURSOR", value_parser = Moment::parse)]
    at: Option<Moment>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let account = wait::client(Box::pin(async {
        let client = connection::client(&home, Patience::None);
        if let Some(moment) = args.at {
            let params = AtParams { goal_id: args.goal.id, ..moment.params() };
            return Ok(Account::at(client.call::<At>(&params).await?));
        }
        let params = GoalIdParams { goal_id: args.goal.id };
        let detail = client.call::<Status>(&params).await?;
        Account::gather(&client, detail).await
    }))?;
    if args.json {
        output::json(&account)?;
        return Ok(Exit::Ok);
    }
    let sections = [
        goal(&account.detail.goal),
        report::items(&account),
        report::said(&account),
        report::not_done(&account),
        runs(&account),
        report::gates(&account),
        evidence(&account),
        report::artifacts(&account),
        report::escalations(&account),
        report::verdict_line(&account.detail.goal),
    ];
    let sections: Vec<&str> = sections.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    output::data(sections.join("\n\n"))?;
    Ok(Exit::Ok)
}

/// When a goal is looked at.
#[derive(Debug, Clone)]
enum Moment {
    Time(u64),
    Cursor(String),
}

impl Moment {
    fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with(CURSOR_BEGINS) {
            return Ok(Self::Cursor(text.to_owned()));
        }
        deadline::moment(text).map(Self::Time)
    }

    fn params(self) -> AtParams {
        match self {
            Self::Time(at_ms) => AtParams { time: Some(at_ms), ..AtParams::default() },
            Self::Cursor(cursor) => AtParams { cursor: Some(cursor), ..AtParams::default() },
        }
    }
}

fn goal(goal: &Goal) -> String {
    let mut lines = vec![
        styled(BOLD, format::line(&goal.title)),
        format::field("goal", &goal.id),
        format::field("status", format!("{}, phase {}", report::status(goal), goal.phase)),
    ];
    if goal.waiting {
        lines.push(format::field("waiting", "for a scheduler: pb scheduler start"));
    }
    if let Some(other) = &goal.waits_for {
        lines.push(format::field("waiting", format!("for {other}, which works in the same folder")));
    }
    if let Some(schedule) = &goal.schedule_id {
        let slot =
            goal.slot.map_or("run by hand".to_owned(), |slot| format!("slot {}", format::moment(slot)));
        lines.push(format::field("schedule", format!("{schedule}, {slot}")));
    }
    if let Some(workspace) = &goal.workspace {
        lines.push(format::field("workspace", format::line(workspace)));
    }
    lines.extend(goal.kept.as_ref().and_then(kept).map(|kept| format::field("before", kept)));
    lines.push(format::field("created", format::moment(goal.created_at)));
    if let Some(at) = goal.deadline {
        lines.push(format::field("deadline", format::moment(at)));
    }
    if let Some(at) = goal.completed_at {
        lines.push(format::field("ended", format::moment(at)));
    }
    lines.push(format::field("ran", format::duration(goal.spent_time_ms)));
    lines.extend(report::models(goal).map(|spent| format::field("models", spent)));
    for criterion in &goal.success_criteria {
        lines.push(format::field("criterion", format::line(&criterion.description)));
    }
    if goal.description != goal.title {
        lines.push(format::indented(&goal.description, 2));
    }
    lines.join("\n")
}

/// The attempts, with what happened to them on the way.
fn runs(account: &Account) -> String {
    let rows = account.items.iter().flat_map(|one| one.runs.iter().map(move |run| row(one, run)));
    table::render(&["ITEM", "ATTEMPT", "STATUS", "EXIT", "TIME", "WHAT HAPPENED"], rows.collect())
}

fn row(one: &ItemAccount, run: &Run) -> Vec<String> {
    let continued = run.continued.iter().map(|continuation| {
        let how = if continuation.ran_again { "ran again" } else { "continued" };
        format!("{how} under incarnation {}: {}", continuation.epoch, continuation.why)
    });
    let asked = (run.turns > 0).then(|| {
        let model = run.model.as_deref().unwrap_or("a model");
        format!(
            "{} of {model}, {}",
            format::count(run.turns, "answer"),
            format::count(run.tokens_used, "token")
        )
    });
    let notes: Vec<String> = asked
        .into_iter()
        .chain(continued)
        .chain(run.unconfined.iter().map(|what| format!("not confined: {what}")))
        .chain(run.error_message.clone())
        .map(|note| format::line(&note))
        .collect();
    let took = run.completed_at.map(|at| format::duration(at.saturating_sub(run.created_at)));
    vec![
        format::line(&one.item.key),
        run.run_sequence.to_string(),
        format::word(&run.status),
        run.exit_code.map_or("-".to_owned(), |code| code.to_string()),
        took.unwrap_or_else(|| "-".to_owned()),
        notes.join("\n"),
    ]
}

/// What the gates of each item's last attempt rest on.
fn evidence(account: &Account) -> String {
    let last = account.items.iter().filter_map(|one| Some((one, one.runs.last()?)));
    let rows = last.flat_map(|(one, run)| {
        run.gates.iter().map(move |gate| {
            let command = gate.argv.as_ref().map(|argv| format::excerpt(&argv.join(" ")));
            vec![
                format::line(&one.item.key),
                command.unwrap_or_else(|| format::word(&gate.kind)),
                gate.exit_code.map_or("-".to_owned(), |code| code.to_string()),
                format::duration(gate.duration_ms),
                short(gate.output_digest.as_deref()),
                short(gate.workspace_digest.as_deref()),
            ]
        })
    });
    table::render(&["ITEM", "EVIDENCE", "EXIT", "TIME", "OUTPUT", "WORKSPACE"], rows.collect())
}

/// Hex digits of a digest that people compare; `--json` has them all.
const DIGEST_CHARS: usize = 12;

fn short(digest: Option<&str>) -> String {
    digest.map_or("-".to_owned(), |digest| digest.chars().take(DIGEST_CHARS).collect())
}

/// How the files were kept as they were before the goal; an empty folder had none.
fn kept(kept: &Kept) -> Option<String> {
    match kept {
        Kept::Empty => None,
        Kept::Git { commit } => {
            let short = commit.get(..12).unwrap_or(commit);
            Some(format!("kept as git commit {short}: see pb goal diff, pb goal undo"))
        }
        Kept::Copy { bytes } => {
            Some(format!("kept as a copy ({}): see pb goal diff, pb goal undo", format::size(*bytes)))
        }
        Kept::Not { why } => Some(format!("not kept: {}", format::line(why))),
    }
}
