//! Every answer that a test is given is what docs/rpc.schema.json says of the method, of which docs/rpc.d.ts is made too,
//! and so is every event that stands in no log. Those of the log are what a test had a scheduler say; the tests of `pb` look at real ones.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use pb_protocol::event_names::{CONNECTION_NAMES, DELTA_NAMES};
use pb_protocol::methods::{of_alias, schemas};
use serde_json::Value;

/// What is wrong with a frame, if it is an event of no log.
pub(crate) fn problems_of_event(frame: &Value) -> Vec<String> {
    let outside_log = || DELTA_NAMES.iter().chain(CONNECTION_NAMES);
    let Some(event) = outside_log().find(|event| frame["event"] == event.name) else {
        return Vec::new();
    };
    checked(event.name, &frame["data"], || event.data_schema())
}

/// What is wrong with the result of a method: keys that are missing, or of another type.
pub(crate) fn problems(method: &str, result: &Value) -> Vec<String> {
    static SCHEMAS: LazyLock<serde_json::Map<String, Value>> = LazyLock::new(schemas);
    let method = of_alias(method).unwrap_or(method);
    checked(method, result, || SCHEMAS[method]["result"].clone())
}

fn checked(name: &str, value: &Value, schema: impl FnOnce() -> Value) -> Vec<String> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap();
    let validator =
        known.entry(name.to_owned()).or_insert_with(|| jsonschema::validator_for(&schema()).unwrap());
    validator.iter_errors(value).map(|error| format!("{name}{}: {error}", error.instance_path())).collect()
}

#[test]
fn what_is_missing_or_wrong_is_seen() {
    let good = serde_json::json!({"goals": [], "total": 0});
    assert_eq!(problems("goal.list", &good), Vec::<String>::new());
    let bad = serde_json::json!({"goals": {}});
    assert_eq!(problems("goal.list", &bad).len(), 2);
    let bad = serde_json::json!({"event": "connection.authenticated", "data": {"sessionId": 1, "more": 2}});
    assert_eq!(problems_of_event(&bad).len(), 3);
}
