//! Every answer that a test is given is what docs/rpc.schema.json says of the method, of which docs/rpc.d.ts is made too.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use pb_protocol::methods::{of_alias, schemas};
use serde_json::Value;

/// What is wrong with the result of a method: keys that are missing, or of another type.
pub(crate) fn problems(method: &str, result: &Value) -> Vec<String> {
    static SCHEMAS: LazyLock<serde_json::Map<String, Value>> = LazyLock::new(schemas);
    static KNOWN: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);
    let method = of_alias(method).unwrap_or(method);
    let mut known = KNOWN.lock().unwrap();
    let validator = known
        .entry(method.to_owned())
        .or_insert_with(|| jsonschema::validator_for(&SCHEMAS[method]["result"]).unwrap());
    validator.iter_errors(result).map(|error| format!("{method}{}: {error}", error.instance_path())).collect()
}

#[test]
fn what_is_missing_or_wrong_is_seen() {
    let good = serde_json::json!({"goals": [], "total": 0});
    assert_eq!(problems("goal.list", &good), Vec::<String>::new());
    let bad = serde_json::json!({"goals": {}});
    assert_eq!(problems("goal.list", &bad).len(), 2);
}
