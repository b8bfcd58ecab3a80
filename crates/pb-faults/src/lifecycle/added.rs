//! A goal whose item adds others while it works.

use pb_testkit::model_server::{Conversation, Reply, Script, When};
use serde_json::{Value, json};

use super::goals::{command, finish, makes, write};

/// An agent that may add items, and a command that waits for all that it adds.
pub(super) fn adds() -> Value {
    let explore = json!({
        "id": "explore",
        "work": {
            "kind": "agent", "prompt": "Look what there is to do.", "effect": "idempotent", "may_add_items": true,
        },
        "gates": [{"kind": "file_exists", "path": "explore.done"}],
    });
    json!([
        explore,
        command("last", &["explore"], "unsafe", &makes("last", "cat one.done two.done three.done"))
    ])
}

/// The first attempt adds something, and proves nothing; the second adds two items, of which the second adds one.
pub(super) fn explores() -> Script {
    let gate = |id: &str| json!([{"kind": "file_exists", "path": format!("{id}.done")}]);
    let one = json!({
        "id": "one", "kind": "command", "effect": "idempotent", "gates": gate("one"),
        "argv": ["sh", "-ec", format!("echo \"$PB_STEP\" >> @W/one; {}", makes("one", "echo 一"))],
    });
    let two = json!({
        "id": "two", "kind": "agent", "needs": ["one"], "prompt": "You are agent Two.", "effect": "idempotent",
        "may_add_items": true, "gates": gate("two"),
    });
    let three = json!({
        "id": "three", "kind": "agent", "prompt": "You are agent Three.", "effect": "idempotent", "gates": gate("three"),
    });
    let adds = |items: Value| Reply::call("add_items", json!({ "items": items })).usage(800, 80);
    // The first one's requests hold what it adds, so it is told apart first.
    Script::conversations([
        Conversation::new(
            When::contains("This is attempt 2"),
            [adds(json!([one.clone()])), adds(json!([two])), write("explore.done"), finish()],
        ),
        Conversation::new(
            When::contains("You are agent Two."),
            [adds(json!([three])), write("two.done"), finish()],
        ),
        Conversation::new(When::contains("You are agent Three."), [write("three.done"), finish()]),
        Conversation::new(When::tool("add_items"), [adds(json!([one])), finish()]),
    ])
}
