//! `pb cost`.

use clap::ValueEnum;
use pb_protocol::client::Patience;
use pb_protocol::methods::cost::{Cost, CostBy, CostRow, Summary, SummaryParams};
use pb_runtime::Home;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, format, output, table, wait};

/// Show what models have cost, by day, goal or model
///
/// A call is of the day on which it was promised, in the time zone in which days are counted (section
/// `budget` of config.toml). What is assumed was charged in full, because nobody told what the call used.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pb cost\n  pb cost --by model\n  pb cost --by goal --json\n  pb cost --goal goal_0198…"
)]
pub(crate) struct Args {
    /// Sum by this
    #[arg(long, value_enum, default_value_t = By::Day)]
    by: By,
    /// Only this goal
    #[arg(long, value_name = "GOAL")]
    goal: Option<String>,
    /// At most this many rows, the last ones
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// Each goal
    Goal,
    /// Each model
    Model,
    /// Each day
    Day,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let by = match args.by {
        By::Goal => CostBy::Goal,
        By::Model => CostBy::Model,
        By::Day => CostBy::Day,
    };
    let params = SummaryParams { by, goal_id: args.goal, limit: Some(args.limit) };
    let client = connection::client(&home, Patience::None);
    let summary = wait::client(async { Ok(client.call::<Summary>(&params).await?) })?;
    if args.json {
        output::json(&summary)?;
        return Ok(Exit::Ok);
    }
    if summary.count == 0 {
        output::note("no model was called");
        return Ok(Exit::Ok);
    }
    let (heading, about) = match by {
        CostBy::Goal => ("GOAL", "TITLE"),
        CostBy::Model => ("MODEL", ""),
        CostBy::Day => ("DAY", "ZONE"),
    };
    let mut rows: Vec<Vec<String>> = summary.rows.iter().map(row).collect();
    rows.push(cells("total", &summary.total, ""));
    output::data(table::render(&[heading, "CALLS", "TOKENS", "COST", "ASSUMED", about], rows))?;
    let shown = summary.rows.len() as u64;
    if summary.count > shown {
        output::note(format_args!("the last {shown} of {}; see more with --limit", summary.count));
    }
    Ok(Exit::Ok)
}

fn row(row: &CostRow) -> Vec<String> {
    let key = if row.key.is_empty() { "unknown" } else { &row.key };
    cells(&format::line(key), &row.cost, &format::line(row.about.as_deref().unwrap_or_default()))
}

fn cells(key: &str, cost: &Cost, about: &str) -> Vec<String> {
    let money = match (cost.unpriced, cost.cost_usd > 0.0) {
        (false, _) => format::dollars(cost.cost_usd),
        (true, false) => "price unknown".to_owned(),
        (true, true) => format!("{} and more", format::dollars(cost.cost_usd)),
    };
    let assumed = match cost.assumed_tokens {
        0 => "-".to_owned(),
        tokens => format!("{}, {}", format::count(tokens, "token"), format::dollars(cost.assumed_cost_usd)),
    };
    vec![key.to_owned(), cost.calls.to_string(), cost.tokens.to_string(), money, assumed, about.to_owned()]
}
