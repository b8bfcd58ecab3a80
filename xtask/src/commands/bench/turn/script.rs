//! What the scripted model says: the same tool call for ever, and then that it is done.

use serde_json::{Value, json};

use super::FILE;

/// What the agent is told, by which the model knows it.
pub(super) const PROMPT: &str = "Read the note again and again.";
/// What a plain request says, by which the model knows that it is no agent's.
pub(super) const PLAIN: &str = "a plain request";

/// A script for so many turns, and for any number of plain requests.
pub(super) fn of(turns: u32) -> Value {
    let look = json!([{"calls": [{"name": "read_file", "arguments": {"path": FILE}}]}]);
    let done = json!([{"calls": [{"name": "finish", "arguments": {"summary": "It was read."}}]}]);
    let turns: Vec<Value> = (0..turns).map(|_| look.clone()).chain([done]).collect();
    json!({
        "conversations": [
            {"when": {"contains": PROMPT}, "turns": turns},
            {"when": {"contains": PLAIN}, "turns": [look], "repeat_last": true},
        ]
    })
}
