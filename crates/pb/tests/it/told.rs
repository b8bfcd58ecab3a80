//! Every event that a test has told is what docs/rpc.d.ts and the table of docs/RPC.md say, which are made of the
//! same keys: none is missing, none of another type, and none is there that clients do not know of.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use pb_protocol::event_names::EventName;
use serde_json::Value;

/// What is wrong with the `data` of an event of this name; nothing of one that is as it should be.
pub(crate) fn problems(name: &str, data: &Value) -> Vec<String> {
    static KNOWN: LazyLock<Mutex<HashMap<&'static str, Validator>>> = LazyLock::new(Mutex::default);
    let Some(event) = EventName::named(name) else {
        return vec![format!("docs/RPC.md does not list {name}")];
    };
    let mut known = KNOWN.lock().unwrap();
    let validator =
        known.entry(event.name).or_insert_with(|| jsonschema::validator_for(&event.data_schema()).unwrap());
    validator.iter_errors(data).map(|error| format!("{name}{}: {error}", error.instance_path())).collect()
}

#[test]
fn what_is_missing_wrong_or_unknown_is_seen() {
    let data = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let good =
        r#"{"scheduleId":"sched_1","timestamp":1,"status":"active","title":"t","by":"me","schedule":null}"#;
    let mut good = data(good);
    good["schedule"] = data(
        r#"{"id":"sched_1","title":"t","status":"active","timing":{"kind":"every","interval_ms":60000,"anchor_ms":null},
            "missed":"once","failures_max":3,"failures":0,"created_at":1,"updated_at":1,"created_by":"me","runs":0,"skipped":0}"#,
    );
    assert_eq!(problems("schedule.paused", &good), Vec::<String>::new());
    let spoiled = |spoil: fn(&mut Value)| {
        let mut bad = good.clone();
        spoil(&mut bad);
        problems("schedule.paused", &bad).len()
    };
    assert_eq!(spoiled(|bad| drop(bad.as_object_mut().unwrap().remove("by"))), 1);
    assert_eq!(spoiled(|bad| bad["by"] = Value::Null), 1);
    assert_eq!(spoiled(|bad| bad["timestamp"] = "now".into()), 1);
    assert_eq!(spoiled(|bad| bad["more"] = true.into()), 1);
    assert_eq!(spoiled(|bad| drop(bad["schedule"].as_object_mut().unwrap().remove("runs"))), 1);
    assert_eq!(problems("goal.tested", &good), ["docs/RPC.md does not list goal.tested"]);
}
