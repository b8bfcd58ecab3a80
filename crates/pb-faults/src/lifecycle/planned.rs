//! Goals in words, and goals that wait for a person: asked about, approved, replanned, and left without an answer.

use pb_model::goal::{Answer, EscalationType, GoalState};
use pb_testkit::model_server::{Conversation, Reply, Script, When};
use serde_json::{Value, json};

use super::goals::{Act, Seen, finish, looks_after_risk, makes, witness, write};

/// How long a person has to answer the goal that nobody answers, in seconds.
pub(super) const ANSWER_WITHIN_S: u64 = 3_600;

/// A planned command that leaves a witness, and its gate.
fn command(id: &str, needs: &[&str], effect: &str, work: &str) -> Value {
    json!({
        "id": id, "needs": needs, "kind": "command", "effect": effect,
        "argv": ["sh", "-ec", format!("echo \"$PB_STEP\" >> @W/{id}; {work}")],
        "gates": [{"kind": "file_exists", "path": format!("{id}.done")}],
    })
}

fn plan(items: &Value) -> Reply {
    let plan = json!({"items": items, "assumptions": ["it may be short"], "criteria": ["there is a report"]});
    Reply::call("submit_plan", plan).usage(1_000, 100)
}

fn planner(replies: impl IntoIterator<Item = Reply>) -> Conversation {
    Conversation::new(When::tool("submit_plan"), replies)
}

fn asks() -> Reply {
    let questions = json!([
        {"id": "format", "question": "报告要什么格式？", "why": "it decides the tool", "default": "txt"},
        {"id": "depth", "question": "How long may it be?", "default": "one line"},
    ]);
    Reply::call("ask_person", json!({ "questions": questions })).usage(900, 90)
}

fn is_open(state: &GoalState, wanted: EscalationType) -> bool {
    state.open_escalations().any(|asked| asked.escalation_type == wanted)
}

/// From intake to delivery: it is asked about, planned, done by an agent whose first attempt proves nothing and
/// by a command.
pub(super) fn in_words() -> Script {
    let items = json!([
        {
            "id": "draft", "kind": "agent", "prompt": "Make draft.done.",
            "gates": [{"kind": "file_exists", "path": "draft.done"}],
        },
        command("report", &["draft"], "unsafe", &makes("report", "cat draft.done")),
    ]);
    Script::conversations([
        planner([asks(), plan(&items)]),
        Conversation::new(When::contains("This is attempt 2"), [write("draft.done"), finish()]),
        Conversation::new(When::tool("finish"), [finish()]),
    ])
}

pub(super) fn answers(seen: &Seen<'_>) -> Option<Act> {
    let asked = is_open(seen.state, EscalationType::Clarification);
    if asked { Some(Act::Words("md")) } else { looks_after_risk(seen) }
}

/// An agent whose unsafe command waits for a yes.
pub(super) fn approved() -> Value {
    json!([{
        "id": "deploy",
        "work": {"kind": "agent", "prompt": "Deploy it.", "effect": "unsafe", "approve": ["run_command"]},
        "gates": [{"kind": "file_exists", "path": "deploy.done"}],
    }])
}

pub(super) fn deploys() -> Script {
    Script::of([write("site"), witness("deployed", "cp site deploy.done"), finish()])
}

pub(super) fn says_yes(seen: &Seen<'_>) -> Option<Act> {
    let asked = is_open(seen.state, EscalationType::Approval);
    if asked { Some(Act::Answer(Answer::Approve)) } else { looks_after_risk(seen) }
}

/// A plan that cannot be done; another one keeps what is verified.
pub(super) fn two_plans() -> Script {
    let first = json!([
        command("first", &[], "unsafe", &makes("first", "echo a")),
        command("wrong", &["first"], "unsafe", "echo 方法不对; exit 3"),
    ]);
    let second = json!([command("right", &["first"], "unsafe", &makes("right", "cat first.done"))]);
    let again = Conversation::new(When::contains("Another plan is needed"), [plan(&second)]);
    Script::conversations([again, planner([plan(&first)])])
}

pub(super) fn answer_within() -> Value {
    json!({"answer_within_s": ANSWER_WITHIN_S})
}

/// What nobody answers in time is assumed.
pub(super) fn assumes() -> Script {
    let items = json!([command("report", &[], "idempotent", &makes("report", "echo txt"))]);
    Script::conversations([planner([asks(), plan(&items)])])
}

pub(super) fn waits(seen: &Seen<'_>) -> Option<Act> {
    let asked = is_open(seen.state, EscalationType::Clarification);
    if asked { Some(Act::Wait) } else { looks_after_risk(seen) }
}
