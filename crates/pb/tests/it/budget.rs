//! Budgets: what is promised and spent stays below them, and nothing is asked that might break one.

use std::fs;

use insta::assert_snapshot;
use pb_testkit::model_server::Wire;
use serde_json::{Value, json};

use crate::model::{Scripted, agent_file, finish, plan, planner, shell, worker, write};

/// A price in US dollars for a million tokens.
const PRICES: &str = "[prices.\"scripted/scripted\"]\ninput = 2.5\noutput = 10\n";

/// Tokens and dollars.
type Spent = (u64, f64);

/// What was settled and what was promised, at the moment of most of both: one for each.
fn most_committed(events: &[Value]) -> Spent {
    let mut settled: Spent = (0, 0.0);
    let mut promised: Vec<(String, Spent)> = Vec::new();
    let mut most: Spent = (0, 0.0);
    let spent = |data: &Value, tokens: &str, cost: &str| {
        (data[tokens].as_u64().unwrap(), data[cost].as_f64().unwrap_or_default())
    };
    for event in events {
        let data = &event["data"];
        let call = format!("{} {}", data["runId"], data["step"]);
        match event["event"].as_str().unwrap() {
            "model.requested" => promised.push((call, spent(data, "reservedTokens", "reservedCostUsd"))),
            "model.answered" | "model.failed" => {
                let before = promised.len();
                promised.retain(|(one, _)| *one != call);
                assert_eq!(promised.len() + 1, before, "it settles what was promised: {event}");
                let (tokens, usd) = spent(data, "tokens", "costUsd");
                settled = (settled.0 + tokens, settled.1 + usd);
            }
            _ => {}
        }
        let sum = promised.iter().fold(settled, |sum, (_, one)| (sum.0 + one.0, sum.1 + one.1));
        most = (most.0.max(sum.0), most.1.max(sum.1));
    }
    assert_eq!(promised.len(), 0, "at its end a goal has promised nothing");
    most
}

/// A plan with one agent item, and a worker that goes on and on.
fn never_done() -> Scripted {
    on_and_on("")
}

fn on_and_on(settings: &str) -> Scripted {
    let items = json!([{
        "id": "work",
        "kind": "agent",
        "prompt": "Go on.",
        "effect": "idempotent",
        "gates": [{"kind": "file_exists", "path": "done"}],
    }]);
    let round = worker([shell("echo x >> rounds").usage(2000, 100)]).repeat_last();
    Scripted::on(Wire::OpenAi, settings, [planner([plan(&items)]), round])
}

#[test]
fn a_token_budget_that_is_too_small_for_one_call_asks_nobody() {
    let scripted = never_done();
    let ran = scripted.env.pb(["run", "Go on and on", "--budget-tokens", "100"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("budget_too_small", ran);
    assert_eq!(scripted.model.requests().len(), 0);
}

#[test]
fn a_token_budget_is_never_exceeded_by_what_is_spent_and_promised() {
    const CAP: u64 = 20_000;
    let scripted = never_done();
    let env = &scripted.env;
    let ran = env.pb(["run", "Go on and on", "--budget-tokens", &CAP.to_string()]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    let goal = env.only_goal();
    let told = env.show(&goal);
    assert_eq!((&told["status"], &told["reason"]), (&json!("blocked"), &json!("needs_human")), "{told}");
    assert_eq!(told["escalations"][0]["escalation_type"], "budget", "{told}");
    let (tokens, _) = most_committed(&env.events(&goal));
    assert!(tokens <= CAP, "{tokens} of {CAP} tokens were spent and promised");
    let spent = told["spent_tokens"].as_u64().unwrap();
    assert!(spent > CAP / 2, "the budget is there to be used: {spent} of {CAP}");
    let requests = scripted.model.requests();
    assert_eq!(told["spent_turns"], requests.len(), "every request was paid for");
    // An answer may be no longer than what is left.
    for request in requests {
        let longest = &request.body["max_completion_tokens"];
        let longest = longest.as_u64().or(request.body["max_tokens"].as_u64()).unwrap();
        assert!(longest < CAP, "{longest}");
    }
}

#[test]
fn security_28_a_money_budget_is_refused_as_long_as_nobody_has_said_what_the_model_costs() {
    let scripted = never_done();
    let env = &scripted.env;
    let ran = env.pb(["run", "Go on and on", "--budget-usd", "0.50"]);
    assert_snapshot!("budget_unpriced", ran);
    let (_, line) = ran.raw_stderr.split_once("restart`: ").unwrap();
    let config = env.home().join("config.toml");
    let told = format!("{line}{}", fs::read_to_string(&config).unwrap());
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 0);
    assert_eq!(scripted.model.requests().len(), 0);
    // The line that is told is one that can be put there.
    fs::write(&config, told).unwrap();
    let ran = env.pb(["scheduler", "restart"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
}

#[test]
fn with_a_price_a_money_budget_works_and_costs_are_shown() {
    let items = json!([{
        "id": "hello",
        "kind": "agent",
        "prompt": "Write Hello.",
        "gates": [{"kind": "file_contains", "path": "hello.txt", "text": "Hello"}],
    }]);
    let script = [planner([plan(&items)]), worker([write("hello.txt", "Hello"), finish("Done.")])];
    let scripted = Scripted::on(Wire::OpenAi, PRICES, script);
    let env = &scripted.env;
    let ran = env.pb(["run", "Create hello.txt", "--budget-usd", "0.50"]);
    assert_snapshot!("budget_priced", ran);
    let goal = env.only_goal();
    // 1000 + 800 + 900 tokens at 2.50, 100 + 40 + 20 at 10.00 for a million.
    assert_eq!(env.show(&goal)["spent_cost_usd"], 0.00835);
    let (_, usd) = most_committed(&env.events(&goal));
    assert!(usd > 0.00835 && usd <= 0.5, "{usd}");
}

#[test]
fn a_money_budget_is_never_exceeded_by_what_is_spent_and_promised() {
    const CAP: f64 = 0.06;
    let scripted = on_and_on(PRICES);
    let env = &scripted.env;
    let ran = env.pb(["run", "Go on and on", "--budget-usd", &CAP.to_string()]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    let goal = env.only_goal();
    let (_, usd) = most_committed(&env.events(&goal));
    assert!(usd <= CAP + 1e-9, "{usd} of {CAP} dollars were spent and promised");
    let told = env.show(&goal);
    assert!(told["spent_cost_usd"].as_f64().unwrap() > CAP / 2.0, "the budget is there to be used: {told}");
    assert_eq!(told["spent_turns"], scripted.model.requests().len());
}

#[test]
fn a_turn_budget_bounds_the_answers_of_plan_and_work_together() {
    let scripted = never_done();
    let ran = scripted.env.pb(["run", "Go on and on", "--budget-turns", "3"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("budget_turns", ran);
    assert_eq!(scripted.turns(), [0, 0, 1]);
}

#[test]
fn an_item_gets_its_share_of_the_budget_and_not_more() {
    let scripted = Scripted::saying([worker([shell("echo x >> rounds").usage(2000, 100)]).repeat_last()]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Shares", "budget_percent = 50"));
    let ran = env.pb(["run", "goal.toml", "--budget-tokens", "40000"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    let goal = env.only_goal();
    let (tokens, _) = most_committed(&env.events(&goal));
    assert!(tokens <= 20_000, "{tokens} of half of 40000");
    let why = env.show(&goal)["items"][0]["runs"][0]["error_message"].clone();
    assert_eq!(why, "the item's share of the budget is used up");
}

/// Nobody can know before what a provider will count; what it counts is charged, and the work stops.
#[test]
fn a_call_that_costs_more_than_was_put_aside_is_charged_in_full_and_ends_the_work() {
    let scripted = Scripted::saying([worker([shell("echo x >> rounds").usage(90_000, 100)]).repeat_last()]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Overruns", ""));
    let ran = env.pb(["run", "goal.toml", "--budget-tokens", "50000"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_eq!(scripted.turns(), [0]);
    let goal = env.only_goal();
    assert_eq!(env.show(&goal)["spent_tokens"], 90_100);
    let overrun = env.events(&goal).iter().filter(|event| event["data"]["overrun"] == true).count();
    assert_eq!(overrun, 1);
    assert!(!env.file("out/rounds").exists(), "what it called is not done any more");
}
