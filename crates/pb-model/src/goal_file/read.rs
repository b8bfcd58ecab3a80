//! Reads the tree of a goal file into its [`shape`](super::shape).
//!
//! Where a value cannot be read its default stands in, and the log says that the item (or the
//! goal's own part) is not to be judged further.

use toml::Spanned;
use toml::de::DeTable;

use super::log::Log;
use super::node::Node;
use super::read_gate;
use super::read_inputs::inputs;
use super::shape::{Agent, Budget, Command, Criterion, Goal, Item, Work};
use super::table::Table;
use crate::Tier;
use crate::goal::{ADDED_ITEMS_MAX, QUESTIONS_MAX};
use crate::spec::{Ask, CriterionType, Effect, Lane, RETRIES_MAX, TURNS_MAX};

const U64: std::ops::RangeInclusive<i128> = 0..=u64::MAX as i128;

/// Reads the whole file; `log` has the problems.
pub(super) fn goal(log: &mut Log, document: &Spanned<DeTable<'_>>) -> Goal {
    let mut table = Table::root(log, document);
    let mut goal = Goal {
        // The inputs come first: every later text may name them.
        inputs: table.or_default(log, "inputs", inputs),
        title: table.required(log, "title", Node::template),
        description: table.optional(log, "description", Node::template),
        workspace: table.optional(log, "workspace", Node::template),
        priority: table.optional(log, "priority", |node, log| node.integer(log, 0..=100)),
        model: table.optional(log, "model", Node::text),
        tags: table.or_default(log, "tags", Node::texts),
        deadline_ms: table.optional(log, "deadline", Node::moment),
        ask: table
            .or_default(log, "ask", |node, log| node.word(log, &Ask::ALL.map(|ask| (ask.as_str(), ask)))),
        max_questions: table
            .optional(log, "max_questions", |node, log| node.integer(log, 1..=QUESTIONS_MAX.into())),
        answer_within: table.optional(log, "answer_within", Node::time_limit),
        approve: table.or_default(log, "approve", Node::texts),
        approve_plan: table.or_default(log, "approve_plan", Node::flag),
        max_added_items: table
            .optional(log, "max_added_items", |node, log| node.integer(log, 0..=ADDED_ITEMS_MAX.into())),
        budget: Budget::default(),
        success_criteria: Vec::new(),
        items: Vec::new(),
    };
    let (budget, criteria, items) = (table.get("budget"), table.get("success_criteria"), table.get("items"));
    // Tables inside are read when all keys of this one are known, for the sake of hints.
    let outside = table.known();
    goal.budget = budget.and_then(|node| self::budget(log, &node, &outside)).unwrap_or_default();
    let criteria = criteria.and_then(|node| node.list(log, "an array of tables or strings"));
    for (n, node) in criteria.iter().flatten().enumerate() {
        goal.success_criteria.extend(criterion(log, n, node, &outside));
    }
    let items = items.and_then(|node| node.list(log, "an array of tables"));
    for (n, node) in items.iter().flatten().enumerate() {
        goal.items.push(item(log, n, node, &outside));
    }
    table.finish(log, &[]);
    goal
}

fn budget(log: &mut Log, node: &Node, outside: &[&'static str]) -> Option<Budget> {
    let mut table = node.table(log, "the budget")?;
    let budget = Budget {
        tokens: table.optional(log, "tokens", |node, log| node.integer(log, U64)),
        time_minutes: table.optional(log, "time_minutes", |node, log| node.integer(log, U64)),
        cost_usd: table.optional(log, "cost_usd", Node::number),
        turns: table.optional(log, "turns", |node, log| node.integer(log, 0..=u32::MAX.into())),
        call_tokens: table.optional(log, "call_tokens", |node, log| node.integer(log, U64)),
        call_usd: table.optional(log, "call_usd", Node::number),
    };
    table.finish(log, &[("the goal", outside)]);
    Some(budget)
}

fn criterion(log: &mut Log, n: usize, node: &Node, outside: &[&'static str]) -> Option<Criterion> {
    if node.is_text() {
        return Some(Criterion { description: node.template(log)?, ..Criterion::default() });
    }
    let kinds = [("deterministic", CriterionType::Deterministic), ("heuristic", CriterionType::Heuristic)];
    let mut table = node.table_or_text(log, &format!("success criterion {}", n + 1))?;
    let criterion = Criterion {
        description: table.required(log, "description", Node::template),
        kind: table.or_default(log, "type", |node, log| node.word(log, &kinds)),
        verification_method: table.or_default(log, "verification_method", Node::template),
        required: table.optional(log, "required", Node::flag),
    };
    table.finish(log, &[("the goal", outside)]);
    Some(criterion)
}

fn item(log: &mut Log, n: usize, node: &Node, outside: &[&'static str]) -> Item {
    log.begin_item(n, node.item_name(n));
    // An unreadable item keeps its place, because problems name items by their number.
    let item = item_here(log, n, node, outside).unwrap_or_default();
    log.end_item();
    item
}

fn item_here(log: &mut Log, n: usize, node: &Node, outside: &[&'static str]) -> Option<Item> {
    let lanes = Lane::ALL.map(|lane| (lane.as_str(), lane));
    let mut table = node.table(log, &node.item_name(n))?;
    let mut item = Item {
        id: table.required(log, "id", Node::text),
        title: table.optional(log, "title", Node::template),
        description: table.or_default(log, "description", Node::template),
        needs: table.or_default(log, "needs", Node::texts),
        lane: table.or_default(log, "lane", |node, log| node.word(log, &lanes)),
        max_retries: table
            .optional(log, "max_retries", |node, log| node.integer(log, 0..=RETRIES_MAX.into())),
        work: Work::default(),
        gates: Vec::new(),
    };
    let gates = table.get("gates");
    let kind = kind(log, &mut table);
    match kind {
        Some(Kind::Command) => item.work = Work::Command(command(log, &mut table)),
        Some(Kind::Agent) => item.work = Work::Agent(agent(log, &mut table)),
        None => {}
    }
    let around = table.known();
    let outer = [("the item", around.as_slice()), ("the goal", outside)];
    let gates = gates.and_then(|node| node.list(log, "an array of tables"));
    for (g, node) in gates.iter().flatten().enumerate() {
        item.gates.extend(read_gate::gate(log, g, node, &outer));
    }
    match kind {
        Some(_) => table.finish(log, &[("the goal", outside)]),
        None => table.report_missing(log),
    }
    Some(item)
}

#[derive(Clone, Copy)]
enum Kind {
    Command,
    Agent,
}

/// The item's kind. If it is missing, it is guessed from the other keys for the sake of reading on.
fn kind(log: &mut Log, table: &mut Table) -> Option<Kind> {
    if let Some(node) = table.get("kind") {
        return node.word(log, &[("command", Kind::Command), ("agent", Kind::Agent)]);
    }
    let (kind, hint) = match (table.has("argv"), table.has("prompt")) {
        (true, false) => (Some(Kind::Command), "add kind = \"command\""),
        (false, true) => (Some(Kind::Agent), "add kind = \"agent\""),
        _ => (None, "add kind = \"command\" or kind = \"agent\""),
    };
    log.problem(table.at, format!("{} has no `kind`", table.what), Some(hint.to_owned()));
    kind
}

fn command(log: &mut Log, table: &mut Table) -> Command {
    Command {
        argv: table.required(log, "argv", Node::templates),
        cwd: table.optional(log, "cwd", Node::template),
        env: table.or_default(log, "env", Node::template_map),
        time_limit: table.optional(log, "time_limit", Node::time_limit),
        effect: table.or_default(log, "effect", effect),
        tcp_ports: table.or_default(log, "tcp_ports", ports),
    }
}

fn ports(node: &Node, log: &mut Log) -> Option<Vec<u16>> {
    let nodes = node.list(log, "an array of port numbers")?;
    Some(nodes.iter().filter_map(|node| node.integer(log, 1..=u16::MAX.into())).collect())
}

fn agent(log: &mut Log, table: &mut Table) -> Agent {
    Agent {
        prompt: table.required(log, "prompt", Node::template),
        tools: table.or_default(log, "tools", Node::texts),
        tier: table.or_default(log, "tier", tier),
        model: table.optional(log, "model", Node::text),
        effect: table.or_default(log, "effect", effect),
        max_turns: table.optional(log, "max_turns", |node, log| node.integer(log, 1..=TURNS_MAX.into())),
        time_limit: table.optional(log, "time_limit", Node::time_limit),
        budget_percent: table.optional(log, "budget_percent", |node, log| node.integer(log, 1..=100)),
        budget_tokens: table.optional(log, "budget_tokens", |node, log| node.integer(log, U64)),
        budget_usd: table.optional(log, "budget_usd", Node::number),
        guards: table.optional(log, "guards", Node::flag),
        approve: table.or_default(log, "approve", Node::texts),
        may_add_items: table.or_default(log, "may_add_items", Node::flag),
    }
}

pub(super) fn tier(node: &Node, log: &mut Log) -> Option<Tier> {
    node.word(log, &Tier::ALL.map(|tier| (tier.as_str(), tier)))
}

fn effect(node: &Node, log: &mut Log) -> Option<Effect> {
    let words = [Effect::Pure, Effect::Idempotent, Effect::Unsafe].map(|effect| (effect.as_str(), effect));
    node.word(log, &words)
}
