//! The goals, what their models say, and what a person does about them. Those that wait for a person, or are
//! planned by a model, are in `planned.rs`.

use pb_model::goal::{Answer, EscalationType, GoalState};
use pb_testkit::model_server::{Conversation, Fault, Reply, Script, When};
use serde_json::{Value, json};

use super::added::{adds, explores};
use super::planned::{
    answer_within, answers, approved, assumes, deploys, in_words, says_yes, two_plans, waits,
};

/// A goal of the matrix. Each witness is a file outside of the workspace, with a line for each time that its
/// work began.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// The items, with `@W` for the folder in which witnesses stand, outside of the workspace.
    pub(super) items: fn() -> Value,
    /// Further keys of the goal.
    pub(super) more: fn() -> Value,
    /// What models say.
    pub(super) script: fn() -> Script,
    /// What a person does, seeing the goal stand so.
    pub(super) person: fn(&Seen<'_>) -> Option<Act>,
}

/// The goal that nobody asks for: a schedule does.
pub(super) const SCHEDULED: &str = "scheduled";
/// The goal that passes through all phases and the inbox.
pub(super) const IN_WORDS: &str = "in-words";

/// What a person sees.
pub(super) struct Seen<'a> {
    pub(super) state: &'a GoalState,
    /// Whether something stands in the witness of this name.
    pub(super) has_witness: &'a dyn Fn(&str) -> bool,
}

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Answers what is asked.
    Answer(Answer),
    /// Answers the question `format`, in words.
    Words(&'static str),
    /// Does nothing for longer than anybody has to answer: the clock goes on by that.
    Wait,
    /// Cancels the goal.
    Cancel,
}

pub(super) const GOALS: &[Scenario] = &[
    Scenario { name: "dag", items: dag, more: nothing, script: silence, person: looks_after_risk },
    Scenario { name: "retry", items: retry, more: nothing, script: silence, person: looks_after_risk },
    Scenario { name: "answered", items: blocked, more: nothing, script: silence, person: skips },
    Scenario { name: "budget", items: over_budget, more: tokens, script: goes_on, person: finishes },
    Scenario { name: "cancel", items: stubborn, more: nothing, script: silence, person: cancels },
    Scenario { name: "tools", items: tools, more: nothing, script: calls_tools, person: looks_after_risk },
    Scenario { name: "agents", items: agents, more: nothing, script: two_agents, person: looks_after_risk },
    Scenario {
        name: "model-failure",
        items: one_agent,
        more: nothing,
        script: fails,
        person: looks_after_risk,
    },
    Scenario { name: SCHEDULED, items: dag, more: nothing, script: silence, person: looks_after_risk },
    Scenario { name: IN_WORDS, items: no_plan, more: nothing, script: in_words, person: answers },
    Scenario { name: "approved", items: approved, more: nothing, script: deploys, person: says_yes },
    Scenario {
        name: "replanned",
        items: no_plan,
        more: nothing,
        script: two_plans,
        person: looks_after_risk,
    },
    Scenario { name: "added", items: adds, more: nothing, script: explores, person: looks_after_risk },
    Scenario { name: "late", items: no_plan, more: answer_within, script: assumes, person: waits },
];

/// A model plans it.
fn no_plan() -> Value {
    json!([])
}

fn nothing() -> Value {
    json!({})
}

fn silence() -> Script {
    Script::of([])
}

/// A command that leaves a witness, and then what its gate looks for.
pub(super) fn command(id: &str, needs: &[&str], effect: &str, work: &str) -> Value {
    json!({
        "id": id,
        "needs": needs,
        "work": {
            "kind": "command",
            "argv": ["sh", "-ec", format!("echo \"$PB_STEP\" >> @W/{id}; {work}")],
            "effect": effect,
        },
        "gates": [{"kind": "file_exists", "path": format!("{id}.done")}],
    })
}

/// What makes the file of an item whole or not at all: its gate is asked after a kill whether the work was
/// done, and a file that a kill left empty would pass for it.
pub(super) fn makes(id: &str, line: &str) -> String {
    format!("{line} > {id}.part; mv {id}.part {id}.done")
}

fn agent(id: &str, needs: &[&str], prompt: &str) -> Value {
    json!({
        "id": id,
        "needs": needs,
        "work": {"kind": "agent", "prompt": prompt, "effect": "idempotent"},
        "gates": [{"kind": "file_exists", "path": format!("{id}.done")}],
    })
}

fn dag() -> Value {
    json!([
        command("a", &[], "idempotent", &makes("a", "echo a")),
        command("b", &["a"], "unsafe", &makes("b", "echo b")),
        command("c", &["a"], "pure", &makes("c", "echo c")),
        command("d", &["b", "c"], "unsafe", &makes("d", "cat b.done c.done")),
    ])
}

/// Unsafe work may or may not have been done, and its gate does not pass: a person looked, and has it tried
/// again.
pub(super) fn looks_after_risk(seen: &Seen<'_>) -> Option<Act> {
    let is_risk = seen.state.open_escalations().any(|asked| asked.escalation_type == EscalationType::Risk);
    is_risk.then_some(Act::Answer(Answer::Retry))
}

/// The first attempt fails.
fn retry() -> Value {
    json!([command(
        "a",
        &[],
        "idempotent",
        &makes("a", "test -e tried || { echo x > tried; exit 3; }; echo a")
    )])
}

/// Unsafe work that takes too long: nobody knows whether it was done.
fn blocked() -> Value {
    let mut first = command("a", &[], "unsafe", "sleep 30");
    first["work"]["time_limit_s"] = json!(1);
    json!([first, command("b", &["a"], "idempotent", &makes("b", "echo b"))])
}

fn skips(seen: &Seen<'_>) -> Option<Act> {
    seen.state.open_escalations().next()?;
    Some(Act::Answer(Answer::Skip))
}

fn over_budget() -> Value {
    json!([command("a", &[], "idempotent", &makes("a", "echo a")), agent("b", &["a"], "Go on and on.")])
}

fn tokens() -> Value {
    json!({"budget_tokens": 30_000})
}

fn goes_on() -> Script {
    let round = Reply::call("run_command", json!({"argv": ["sh", "-c", "date +%N"]})).usage(9_000, 100);
    Script::conversations([Conversation::new(When::tool("finish"), [round]).repeat_last()])
}

fn finishes(seen: &Seen<'_>) -> Option<Act> {
    seen.state.open_escalations().next()?;
    Some(Act::Answer(Answer::Finish))
}

/// A command that ends only when it is killed.
fn stubborn() -> Value {
    json!([command("a", &[], "idempotent", "trap '' TERM; while :; do sleep 0.05; done")])
}

fn cancels(seen: &Seen<'_>) -> Option<Act> {
    ((seen.has_witness)("a") && seen.state.goal.cancel.is_none()).then_some(Act::Cancel)
}

fn tools() -> Value {
    json!([agent("a", &[], "Make a.done with tools.")])
}

/// A tool of an agent that leaves a witness.
pub(super) fn witness(name: &str, work: &str) -> Reply {
    let line = format!("echo \"$PB_STEP\" >> @W/{name}; {work}");
    Reply::call("run_command", json!({"argv": ["sh", "-ec", line]})).usage(500, 20)
}

pub(super) fn write(path: &str) -> Reply {
    Reply::call("write_file", json!({"path": path, "content": "完成\n"})).usage(600, 30)
}

pub(super) fn finish() -> Reply {
    Reply::call("finish", json!({"summary": "done"})).usage(700, 10)
}

fn calls_tools() -> Script {
    let more = write("part").and_call("read_file", json!({"path": "part"}));
    Script::of([
        witness("one", "sh -c 'sleep 0.02' & wait"),
        more,
        witness("two", "cp part a.done"),
        finish(),
    ])
}

fn agents() -> Value {
    json!([
        agent("a", &[], "You are agent A."),
        agent("b", &[], "You are agent B."),
        command("c", &[], "idempotent", &makes("c", "sleep 0.05; echo c")),
        command("d", &["a", "b", "c"], "unsafe", &makes("d", "echo d")),
    ])
}

fn two_agents() -> Script {
    Script::conversations([
        Conversation::new(
            When::contains("You are agent A."),
            [witness("a", "true"), write("a.done"), finish()],
        ),
        Conversation::new(When::contains("You are agent B."), [write("b.done"), finish()]),
    ])
}

fn one_agent() -> Value {
    json!([agent("a", &[], "Make a.done.")])
}

/// A server that fails, one that asks for a pause, an answer that is cut off; then it goes well.
fn fails() -> Script {
    let broken = |fault: Fault| Reply::text("I begin to think").usage(500, 20).fault(fault);
    Script::conversations([Conversation::new(When::default(), [])
        .turn([broken(Fault::status(500)), broken(Fault::retry_after(429, 0)), write("a.done")])
        .turn([broken(Fault::cut_after(1)), witness("one", "true")])
        .turn([finish()])])
}
