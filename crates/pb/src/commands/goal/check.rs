//! `pb goal check`.

use pb_model::spec::{Check, ItemSpec};
use pb_model::{GoalSpec, Work, plan};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::goal_source::{GoalSource, Unusable};
use crate::output::{BOLD, styled};
use crate::{format, output, table};

/// Check a goal file and print its plan; nothing is run and nothing needs to run
///
/// Exits 65 when the file is wrong.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pb goal check hello.toml\n  pb goal check changelog.toml --set repo=../other --json"
)]
pub(super) struct Args {
    #[command(flatten)]
    source: GoalSource,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    if args.json {
        return as_json(args);
    }
    let spec = args.source.read()?;
    output::data(head(&spec))?;
    let items = table::render(
        &["WAVE", "ITEM", "KIND", "NEEDS", "EFFECT", "RETRIES", "DOES"],
        waves(&spec)?
            .iter()
            .zip(1..)
            .flat_map(|(wave, number)| wave.iter().map(move |item| item_row(number, item)))
            .collect(),
    );
    let gates = table::render(&["ITEM", "GATE", "CHECKS"], spec.items.iter().flat_map(gate_rows).collect());
    for section in [items, gates].iter().filter(|section| !section.is_empty()) {
        output::data(format_args!("\n{section}"))?;
    }
    Ok(Exit::Ok)
}

fn as_json(args: &Args) -> Result<Exit, Failure> {
    match args.source.read_or_problems() {
        Ok(spec) => {
            let waves: Vec<Vec<&str>> =
                waves(&spec)?.iter().map(|wave| wave.iter().map(|item| item.id.as_str()).collect()).collect();
            output::json(&json!({"ok": true, "waves": waves, "goal": spec}))?;
            Ok(Exit::Ok)
        }
        Err(Unusable::Wrong(problems)) => {
            let listed: Vec<_> = problems.iter().collect();
            output::json(&json!({"ok": false, "problems": listed, "left_out": problems.left_out()}))?;
            Ok(Exit::BadData)
        }
        Err(Unusable::Unread(failure)) => Err(failure),
    }
}

/// The items in the order in which they may start; those of a wave run side by side.
fn waves(spec: &GoalSpec) -> anyhow::Result<Vec<Vec<&ItemSpec>>> {
    let order = plan::order(&spec.items)?;
    let items = |wave: Vec<usize>| wave.into_iter().filter_map(|index| spec.items.get(index)).collect();
    Ok(order.into_iter().map(items).collect())
}

fn head(spec: &GoalSpec) -> String {
    let mut lines = vec![styled(BOLD, format::line(&spec.title))];
    let workspace = spec.workspace.as_deref().unwrap_or("a new folder in the home");
    lines.push(format::field("workspace", format::line(workspace)));
    for (name, value) in &spec.inputs {
        lines.push(format::field("input", format!("{name} = {}", format::line(value))));
    }
    let budgets = [
        spec.budget_time_minutes.map(|minutes| format::count(minutes, "minute")),
        spec.budget_tokens.map(|tokens| format::count(tokens, "token")),
        spec.budget_cost_usd.map(|usd| format!("{usd:.2} USD")),
        spec.budget_turns.map(|turns| format::count(turns, "answer")),
        spec.budget_call_tokens.map(|tokens| format!("{} a call", format::count(tokens, "token"))),
        spec.budget_call_usd.map(|usd| format!("{usd:.2} USD a call")),
        spec.deadline_ms.map(|at| format!("done by {}", format::moment(at))),
    ];
    let budgets: Vec<String> = budgets.into_iter().flatten().collect();
    if !budgets.is_empty() {
        lines.push(format::field("budget", budgets.join(", ")));
    }
    for criterion in &spec.success_criteria {
        lines.push(format::field("criterion", format::line(&criterion.description)));
    }
    if spec.items.is_empty() {
        lines.push(format::field("plan", "none: a model has to make it"));
    }
    lines.join("\n")
}

fn item_row(wave: usize, item: &ItemSpec) -> Vec<String> {
    let (kind, does) = match &item.work {
        Work::Command(command) => ("command", command.argv.join(" ")),
        Work::Agent(agent) => ("agent", agent.prompt.clone()),
    };
    vec![
        wave.to_string(),
        item.id.clone(),
        kind.to_owned(),
        if item.needs.is_empty() { "-".to_owned() } else { item.needs.join(", ") },
        item.effect().as_str().to_owned(),
        item.retries().to_string(),
        format::excerpt(&does),
    ]
}

fn gate_rows(item: &ItemSpec) -> Vec<Vec<String>> {
    if item.gates.is_empty() {
        return vec![vec![item.id.clone(), "none".to_owned(), "it will end unverified".to_owned()]];
    }
    let row = |gate: &pb_model::GateSpec| {
        let optional = if gate.required { "" } else { " (optional)" };
        let check: &Check = &gate.check;
        vec![
            item.id.clone(),
            format!("{}{optional}", format::word(check.kind())),
            format::excerpt(&gate.label()),
        ]
    };
    item.gates.iter().map(row).collect()
}
