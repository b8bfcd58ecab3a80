//! What the scripted model says: a look at the next line of a note in every turn, for what brings nothing new
//! is stopped by the guards; and then that it is done.

use serde_json::{Value, json};

use super::FILE;

/// What the agent is told, by which the model knows it.
pub(in crate::commands::bench) const PROMPT: &str = "Read the note line by line.";
/// What a plain request says, by which the model knows that it is no agent's.
pub(in crate::commands::bench) const PLAIN: &str = "a plain request";

/// A script for so many turns, and for any number of plain requests.
pub(in crate::commands::bench) fn of(turns: u32) -> Value {
    let look = |line: u32| {
        let arguments = json!({"path": FILE, "offset": line, "limit": 1});
        json!([{"calls": [{"name": "read_file", "arguments": arguments}]}])
    };
    let done = json!([{"calls": [{"name": "finish", "arguments": {"summary": "It was read."}}]}]);
    let turns: Vec<Value> = (1..=turns).map(look).chain([done]).collect();
    json!({
        "conversations": [
            {"when": {"contains": PROMPT}, "turns": turns},
            {"when": {"contains": PLAIN}, "turns": [look(1)], "repeat_last": true},
        ]
    })
}
