//! `pb models`: which models there are, and whether one answers.

use std::io::Write;
use std::time::Instant;

use clap::Subcommand;
use pb_llm::{ChatRequest, Delta, Message, ModelInfo, Models, no_model_text};
use pb_model::Tier;
use pb_runtime::config::Config;
use pb_runtime::{Home, environment};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{format, output, table, wait};

/// Most tokens of a test's answer.
const TEST_TOKENS_MAX: u32 = 64;

/// See which models there are, and whether one answers
///
/// Shows what this shell has: keys in its environment, credentials.toml, config.toml, and servers on this
/// machine. The running scheduler has what it was started with.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb models list\n  pb models test\n  pb models test ollama/qwen2.5:3b")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the models that are there, and for which work they are taken
    List(ListArgs),
    /// Ask a model for a few words, and tell what that took
    Test(TestArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb models list\n  pb models list --json")]
struct ListArgs {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb models test\n  pb models test anthropic/claude-haiku-4-5 --json")]
struct TestArgs {
    /// The model, `provider/model` [default: the one for ordinary work]
    #[arg(value_name = "MODEL")]
    model: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    match &args.action {
        Action::List(args) => wait::client(list(&home, args)),
        Action::Test(args) => wait::client(test(&home, args)),
    }
}

async fn find(home: &Home) -> Result<Models, Failure> {
    let settings = Config::read(&home.config()).map_err(anyhow::Error::from)?;
    let found = Models::find(&settings, home, &environment::text).await;
    found.map_err(|error| Failure::of(Exit::Config, &error.into()))
}

async fn list(home: &Home, args: &ListArgs) -> Result<Exit, Failure> {
    let models = find(home).await?.list();
    if args.json {
        let models: Vec<_> = models.iter().map(as_json).collect();
        output::json(&json!({ "models": models }))?;
        return Ok(Exit::Ok);
    }
    if models.is_empty() {
        output::note(no_model_text(home));
        return Ok(Exit::Ok);
    }
    let rows = models.iter().map(row).collect();
    output::data(table::render(&["MODEL", "TIERS", "USD PER M TOKENS", "CONTEXT", "FROM", "KEY"], rows))?;
    Ok(Exit::Ok)
}

fn as_json(model: &ModelInfo) -> serde_json::Value {
    json!({
        "name": model.name,
        "tiers": model.tiers,
        "price": model.price,
        "contextTokens": model.context_tokens,
        "source": model.source.to_string(),
        "key": model.key_name,
        "keyIsMissing": model.key_is_missing,
    })
}

fn row(model: &ModelInfo) -> Vec<String> {
    let tiers: Vec<&str> = model.tiers.iter().map(|tier| tier.as_str()).collect();
    let price = match model.price {
        Some(price) if price.input == 0.0 && price.output == 0.0 => "free".to_owned(),
        Some(price) => format!("{} in, {} out", price.input, price.output),
        None => "unknown".to_owned(),
    };
    let key = match (&model.key_name, model.key_is_missing) {
        (Some(name), true) => format!("{name} (missing)"),
        (Some(name), false) => name.clone(),
        (None, _) => "-".to_owned(),
    };
    vec![
        model.name.clone(),
        if tiers.is_empty() { "-".to_owned() } else { tiers.join(", ") },
        price,
        model.context_tokens.to_string(),
        model.source.to_string(),
        key,
    ]
}

async fn test(home: &Home, args: &TestArgs) -> Result<Exit, Failure> {
    let models = find(home).await?;
    let candidates = models
        .candidates(Tier::Medium, args.model.as_deref())
        .map_err(|error| Failure::new(Exit::Usage, error).hint("see which there are with: pb models list"))?;
    let Some(model) = candidates.first() else {
        return Err(Failure::relayed(Exit::Config, &format!("error: {}", no_model_text(home))));
    };
    if !args.json {
        output::note(format_args!("asking {}", model.name()));
    }
    let request = ChatRequest {
        messages: vec![Message::User { text: "Say hello in five words or fewer.".to_owned() }],
        tools: Vec::new(),
        output_tokens_max: TEST_TOKENS_MAX,
    };
    let (began, mut first) = (Instant::now(), None);
    let mut listener = |delta: Delta| {
        first.get_or_insert_with(|| began.elapsed());
        if let Delta::Text(text) = delta
            && !args.json
        {
            let _ = write!(std::io::stderr(), "{}", format::printable(&text)); // Nobody may be looking.
        }
    };
    let answered = model.call(&request, &mut listener).await;
    let took = began.elapsed();
    let answer = answered.map_err(|error| {
        Failure::new(Exit::Unavailable, &error)
            .hint("check its key, its address and that it runs: pb models list")
    })?;
    let first_ms = first.map(millis);
    let usage = answer.usage;
    let cost = usage.zip(model.price()).map(|(usage, price)| price.cost(usage));
    if args.json {
        output::json(&json!({
            "model": answer.model,
            "text": answer.said.text,
            "inputTokens": usage.map(|usage| usage.input_tokens),
            "outputTokens": usage.map(|usage| usage.output_tokens),
            "costUsd": cost.map(format::usd_value),
            "firstMs": first_ms,
            "totalMs": millis(took),
        }))?;
        return Ok(Exit::Ok);
    }
    let tokens = match usage {
        Some(usage) => format!("{} tokens in, {} out", usage.input_tokens, usage.output_tokens),
        None => {
            "it does not report tokens, so each call is charged with all that was put aside for it".to_owned()
        }
    };
    let cost = cost.map_or_else(|| "price unknown".to_owned(), format::usd);
    let first = first_ms.map_or_else(|| "-".to_owned(), format::duration);
    output::note("");
    output::data(format_args!(
        "{} answers: first word after {first}, all after {}; {tokens}; {cost}",
        answer.model,
        format::duration(millis(took))
    ))?;
    Ok(Exit::Ok)
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
