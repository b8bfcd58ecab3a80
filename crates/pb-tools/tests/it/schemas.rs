//! What models are told of the tools.

use pb_tools::{Allowed, Registry};
use serde_json::{Value, json};

#[test]
fn the_tools_as_models_see_them() {
    let specs: Vec<Value> = Registry::builtin()
        .specs(&Allowed::everything())
        .into_iter()
        .map(
            |(name, description, schema)| json!({"name": name, "description": description, "schema": schema}),
        )
        .collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&specs).unwrap());
}

#[test]
fn every_schema_is_plain() {
    for (name, _, schema) in Registry::builtin().specs(&Allowed::everything()) {
        check(name, &schema);
        assert_eq!(schema["type"], "object", "{name}");
    }
}

fn check(at: &str, schema: &Value) {
    let object = schema.as_object().unwrap();
    assert!(object["type"].is_string(), "{at}: {schema}");
    for key in object.keys() {
        let known = ["type", "description", "properties", "required", "items", "enum"];
        assert!(known.contains(&key.as_str()), "{at}: {key}");
    }
    for (name, property) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
        assert!(property["description"].is_string(), "{at}.{name} is not described");
        check(&format!("{at}.{name}"), property);
    }
    if let Some(items) = object.get("items") {
        check(&format!("{at}[]"), items);
    }
}
