//! From a goal to the text of a goal file.

use std::fmt::Write;

use super::render_gate::gate;
use super::render_lines::{Lines, Nothing, quoted};
use jiff::Timestamp;

use crate::spec::{
    AgentSpec, Ask, CommandSpec, CriterionType, Effect, GoalSpec, ItemSpec, Lane, PRIORITY_DEFAULT,
    SuccessCriterion, Work,
};
use crate::{Millis, Tier};

/// What a person reads first.
const HEAD: &str = "# The plan of a goal, as a goal file: edit it, and run it with: pb run FILE\n";

/// A goal file that resolves to `spec`, for people to edit. What a goal file says by default is left out.
/// Inputs are filled in already: another value of one reaches commands, as `PB_INPUT_<NAME>`, and no text.
///
/// Three things are not the same afterwards. `plan_only` and the criterion that a goal without criteria
/// gets are not written. Where a text has to keep a `{{name}}`, the file has one input more, which stands
/// for nothing; a goal with as many inputs as there may be then has one too many. And a goal of more than
/// [`GOAL_FILE_BYTES_MAX`](super::GOAL_FILE_BYTES_MAX) makes a file that is too long to be read.
pub fn render(spec: &GoalSpec) -> String {
    let mut nothing = Nothing::beside(&spec.inputs);
    // The inputs stand above the items, which tell whether one more is needed.
    let above = above(spec, Lines::new(&mut nothing));
    let below = below(spec, Lines::new(&mut nothing));
    let inputs = inputs(spec, &nothing);
    [HEAD, &above, &inputs, &below].concat()
}

fn above(spec: &GoalSpec, mut lines: Lines<'_>) -> String {
    lines.text("title", &spec.title);
    if spec.description != spec.title {
        lines.text("description", &spec.description);
    }
    lines.text_if("workspace", spec.workspace.as_deref());
    lines.plain_if("priority", Some(spec.priority).filter(|priority| *priority != PRIORITY_DEFAULT));
    lines.verbatim("model", spec.model.as_deref());
    lines.verbatims("tags", &spec.tags);
    lines.plain_if("deadline", spec.deadline_ms.and_then(moment));
    asking(spec, &mut lines);
    let criteria = criteria(spec);
    if criteria.iter().all(is_plain) {
        lines.texts("success_criteria", criteria.iter().map(|criterion| &criterion.description));
    }
    lines.text
}

/// When a person is asked.
fn asking(spec: &GoalSpec, lines: &mut Lines<'_>) {
    if spec.ask != Ask::default() {
        lines.verbatim("ask", Some(spec.ask.as_str()));
    }
    lines.plain_if("max_questions", spec.max_questions);
    lines.plain_if("answer_within", spec.answer_within_s);
    lines.verbatims("approve", &spec.approve);
    lines.plain_if("approve_plan", spec.approve_plan.then_some(true));
    lines.plain_if("max_added_items", spec.max_added_items);
}

/// A time as TOML writes it, to the millisecond; `None` for one beyond the year 9999.
fn moment(at_ms: Millis) -> Option<String> {
    let at = Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
    Some(format!("{at:.3}"))
}

fn criteria(spec: &GoalSpec) -> &[SuccessCriterion] {
    if spec.success_criteria == [SuccessCriterion::of_a_goal_without()] {
        &[]
    } else {
        &spec.success_criteria
    }
}

/// Whether the criterion is nothing but its description.
fn is_plain(criterion: &SuccessCriterion) -> bool {
    criterion.criterion_type == CriterionType::default()
        && criterion.verification_method.is_empty()
        && criterion.required
}

fn inputs(spec: &GoalSpec, nothing: &Nothing) -> String {
    let mut text = String::new();
    for (name, value) in &spec.inputs {
        if !(nothing.is_used && *name == nothing.name) {
            let _ = writeln!(text, "{name} = {}", quoted(value));
        }
    }
    if nothing.is_used {
        let about = "Nothing: it keeps braces from being read as an input";
        let _ = writeln!(text, "{} = {{ description = \"{about}\", default = \"\" }}", nothing.name);
    }
    if text.is_empty() { text } else { format!("\n[inputs]\n{text}") }
}

fn below(spec: &GoalSpec, mut lines: Lines<'_>) -> String {
    budget(spec, &mut lines);
    let criteria = criteria(spec);
    if !criteria.iter().all(is_plain) {
        for one in criteria {
            criterion(one, &mut lines);
        }
    }
    for one in &spec.items {
        item(one, &mut lines);
    }
    lines.text
}

fn budget(spec: &GoalSpec, lines: &mut Lines<'_>) {
    let GoalSpec { budget_tokens, budget_time_minutes, budget_turns, budget_call_tokens, .. } = spec;
    // Debug writes the fewest digits that are read as the same number, always with a fraction or exponent.
    let [cost_usd, call_usd] =
        [spec.budget_cost_usd, spec.budget_call_usd].map(|usd| usd.map(|usd| format!("{usd:?}")));
    let counts = budget_tokens.or(*budget_time_minutes).or(*budget_call_tokens).is_some();
    if counts || cost_usd.as_ref().or(call_usd.as_ref()).is_some() || budget_turns.is_some() {
        lines.header("[budget]");
    }
    lines.plain_if("tokens", *budget_tokens);
    lines.plain_if("time_minutes", *budget_time_minutes);
    lines.plain_if("cost_usd", cost_usd);
    lines.plain_if("turns", *budget_turns);
    lines.plain_if("call_tokens", *budget_call_tokens);
    lines.plain_if("call_usd", call_usd);
}

fn criterion(criterion: &SuccessCriterion, lines: &mut Lines<'_>) {
    lines.header("[[success_criteria]]");
    lines.text("description", &criterion.description);
    match criterion.criterion_type {
        CriterionType::Deterministic => {}
        CriterionType::Heuristic => lines.plain("type", "\"heuristic\""),
    }
    lines.text_if("verification_method", unless_empty(&criterion.verification_method));
    required(criterion.required, lines);
}

fn item(item: &ItemSpec, lines: &mut Lines<'_>) {
    lines.header("[[items]]");
    lines.verbatim("id", Some(&item.id));
    lines.text_if("title", item.title.as_deref());
    lines.text_if("description", unless_empty(&item.description));
    lines.verbatims("needs", &item.needs);
    match &item.work {
        Work::Command(one) => command(one, lines),
        Work::Agent(one) => agent(one, lines),
    }
    if item.lane != Lane::default() {
        lines.verbatim("lane", Some(item.lane.as_str()));
    }
    lines.plain_if("max_retries", item.max_retries);
    for one in &item.gates {
        gate(one, lines);
    }
}

fn command(command: &CommandSpec, lines: &mut Lines<'_>) {
    lines.plain("kind", "\"command\"");
    lines.texts("argv", &command.argv);
    lines.text_if("cwd", command.cwd.as_deref());
    lines.text_map("env", &command.env);
    lines.time_limit(command.time_limit_s);
    effect(command.effect, lines);
    let ports: Vec<String> = command.tcp_ports.iter().map(u16::to_string).collect();
    lines.array("tcp_ports", &ports);
}

fn agent(agent: &AgentSpec, lines: &mut Lines<'_>) {
    lines.plain("kind", "\"agent\"");
    lines.text("prompt", &agent.prompt);
    lines.verbatims("tools", &agent.tools);
    if agent.tier != Tier::default() {
        lines.verbatim("tier", Some(agent.tier.as_str()));
    }
    lines.verbatim("model", agent.model.as_deref());
    effect(agent.effect, lines);
    lines.plain_if("max_turns", agent.max_turns);
    lines.time_limit(agent.time_limit_s);
    lines.plain_if("budget_percent", agent.budget_percent);
    lines.plain_if("budget_tokens", agent.budget_tokens);
    lines.plain_if("budget_usd", agent.budget_usd.map(|usd| format!("{:?}", f64::from(usd))));
    lines.plain_if("guards", (!agent.guards).then_some(false));
    lines.verbatims("approve", &agent.approve);
    lines.plain_if("may_add_items", agent.may_add_items.then_some(true));
}

fn effect(effect: Effect, lines: &mut Lines<'_>) {
    if effect != Effect::default() {
        lines.verbatim("effect", Some(effect.as_str()));
    }
}

pub(super) fn required(required: bool, lines: &mut Lines<'_>) {
    if !required {
        lines.plain("required", false);
    }
}

fn unless_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
