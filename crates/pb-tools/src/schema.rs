//! Schemas that every provider accepts.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// What is kept of a schema. `$ref`, `format`, `additionalProperties`, `minimum`, `default` and
/// lists of types are refused by one provider or another (Gemini is the strictest); what they
/// would have refused, reading the arguments does.
const KEPT: &[&str] = &["type", "description", "properties", "required", "items", "enum"];

/// The schema of a tool's arguments: objects, lists and plain types, nothing by reference.
pub(crate) fn plain<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    simplify_type(settings.into_generator().into_root_schema_for::<T>().into())
}

/// A type's own description is for people who read the code; those of its fields are for models.
fn simplify_type(mut schema: Value) -> Value {
    if let Value::Object(object) = &mut schema {
        object.remove("description");
    }
    simplify(schema)
}

fn simplify(schema: Value) -> Value {
    let Value::Object(mut object) = schema else { return schema };
    // An optional struct is the struct or null; that it may be absent says `required`.
    if let Some(Value::Array(choices)) = object.remove("anyOf")
        && let Some(Value::Object(choice)) = choices.into_iter().find(|choice| choice["type"] != "null")
    {
        for (key, value) in choice {
            object.entry(key).or_insert(value);
        }
    }
    // A word whose values are explained is a choice of constants, each with its words.
    if let Some(Value::Array(choices)) = object.remove("oneOf") {
        let words = choices.into_iter().flat_map(words).collect();
        object.entry("type").or_insert("string".into());
        object.insert("enum".to_owned(), Value::Array(words));
    }
    Value::Object(
        object
            .into_iter()
            .filter(|(key, _)| KEPT.contains(&key.as_str()))
            .map(|(key, value)| {
                let value = simplify_value(&key, value);
                (key, value)
            })
            .collect(),
    )
}

/// The words of one choice; those that nobody explains are together.
fn words(choice: Value) -> Vec<Value> {
    let Value::Object(mut choice) = choice else { return Vec::new() };
    match (choice.remove("const"), choice.remove("enum")) {
        (Some(word), _) => vec![word],
        (None, Some(Value::Array(words))) => words,
        (None, _) => Vec::new(),
    }
}

fn simplify_value(key: &str, value: Value) -> Value {
    match (key, value) {
        ("type", Value::Array(types)) => types.into_iter().find(|name| name != "null").unwrap_or(Value::Null),
        ("description", Value::String(text)) => Value::String(text.replace('\n', " ")),
        ("items", items) => simplify_type(items),
        ("properties", Value::Object(properties)) => Value::Object(
            properties.into_iter().map(|(name, schema)| (name, simplify(schema))).collect::<Map<_, _>>(),
        ),
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Paint {
        /// How much.
        coats: Option<u8>,
        /// Which colour.
        colour: Option<Colour>,
        tool: Tool,
    }

    /// A colour.
    #[derive(JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Colour {
        /// As the sky.
        Blue,
        Grey,
        Black,
        /// As a pony.
        DarkBrown,
    }

    #[derive(JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Tool {
        Brush,
        Roller,
    }

    #[test]
    fn what_may_be_said_is_told_whether_it_is_explained_or_not() {
        insta::assert_snapshot!(plain::<Paint>()["properties"], @r#"{"coats":{"type":"integer","description":"How much."},"colour":{"description":"Which colour.","type":"string","enum":["grey","black","blue","dark_brown"]},"tool":{"type":"string","enum":["brush","roller"]}}"#);
    }
}
