//! The JSON Schema of goal files, for editors.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value};

use super::shape;

/// The JSON Schema of a goal file: one document, for TOML editors.
///
/// It is draft 7, which every TOML language server understands. An editor finds it by the line
/// `#:schema path-or-url` at the top of a goal file.
pub fn json_schema() -> Value {
    SchemaSettings::draft07()
        .with(|settings| settings.transforms.insert(0, Box::new(ForToml)))
        .into_generator()
        .into_root_schema_for::<shape::Goal>()
        .into()
}

/// Rewrites what fits JSON and not TOML files.
#[derive(Debug, Clone)]
struct ForToml;

impl Transform for ForToml {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(object) = schema.as_object_mut() {
            unwrap_lines(object);
            drop_null(object);
            distribute(object);
        }
    }
}

/// Doc comments are wrapped for the source; editors wrap for themselves.
fn unwrap_lines(schema: &mut Map<String, Value>) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}

/// TOML has no null: an optional key is absent.
fn drop_null(schema: &mut Map<String, Value>) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(mut choices)) = schema.remove("anyOf") else {
        return;
    };
    choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
    match choices.as_slice() {
        [Value::Object(only)] => {
            for (keyword, value) in only {
                schema.entry(keyword.clone()).or_insert_with(|| value.clone());
            }
        }
        _ => {
            schema.insert("anyOf".to_owned(), Value::Array(choices));
        }
    }
}

/// Moves the keys that all kinds share into each kind, so that each can refuse all others: draft 7
/// has no `unevaluatedProperties`.
fn distribute(schema: &mut Map<String, Value>) {
    if !(schema.contains_key("properties") && schema.contains_key("oneOf")) {
        return;
    }
    let shared = schema.remove("properties");
    let required = schema.remove("required");
    let Some(Value::Array(kinds)) = schema.get_mut("oneOf") else {
        return;
    };
    for kind in kinds.iter_mut().filter_map(Value::as_object_mut) {
        if let (Some(Value::Object(own)), Some(Value::Object(shared))) = (kind.get_mut("properties"), &shared)
        {
            own.extend(shared.clone());
        }
        if let (Some(Value::Array(own)), Some(Value::Array(required))) = (kind.get_mut("required"), &required)
        {
            own.extend(required.clone());
        }
        kind.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}
