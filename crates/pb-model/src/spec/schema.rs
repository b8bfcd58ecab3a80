//! JSON Schemas that a person holds a file against. Nothing is fetched: what a schema refers to is in it.

use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use serde_json::Value;

/// Most differences that are spelled out.
const PROBLEMS_MAX: usize = 5;
/// Longest difference, in characters: some quote the value.
const PROBLEM_CHARS_MAX: usize = 200;

/// What is wrong with `value` by this schema; at most some of it. Empty if it holds.
///
/// # Errors
/// What is wrong with the schema itself, in words.
pub fn schema_problems(schema: &Value, value: &Value) -> Result<Vec<String>, String> {
    let validator = compile(schema)?;
    let problem = |error: jsonschema::ValidationError<'_>| {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { "/" } else { &place };
        cut(&format!("{place}: {error}"))
    };
    Ok(validator.iter_errors(value).take(PROBLEMS_MAX).map(problem).collect())
}

/// What is wrong with a schema, if anything.
pub(super) fn check_schema(schema: &Value) -> Result<(), String> {
    compile(schema).map(|_| ())
}

fn compile(schema: &Value) -> Result<Validator, String> {
    // This engine takes linear time, whatever the pattern and the text.
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex()).with_retriever(Nothing);
    options.build(schema).map_err(|error| {
        let place = error.instance_path().to_string();
        cut(&if place.is_empty() { error.to_string() } else { format!("{place}: {error}") })
    })
}

/// Where a schema is fetched from that another one refers to: nowhere.
struct Nothing;

impl Retrieve for Nothing {
    fn retrieve(&self, _: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err("nothing is fetched: put it into `$defs`".into())
    }
}

fn cut(text: &str) -> String {
    let line = text.replace(char::is_control, " ");
    match line.char_indices().nth(PROBLEM_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::schema_problems;
    use serde_json::json;

    #[test]
    fn a_value_is_held_against_a_schema() {
        let schema = json!({
            "type": "object",
            "required": ["名", "n"],
            "properties": {"n": {"type": "integer", "minimum": 1}, "名": {"$ref": "#/$defs/name"}},
            "$defs": {"name": {"type": "string", "pattern": "^小"}},
        });
        assert_eq!(schema_problems(&schema, &json!({"名": "小马", "n": 3})), Ok(Vec::new()));
        insta::assert_debug_snapshot!(schema_problems(&schema, &json!({"名": "马", "n": 0})), @r#"
        Ok(
            [
                "/名: \"马\" does not match \"^小\"",
                "/n: 0 is less than the minimum of 1",
            ],
        )
        "#);
    }

    #[test]
    fn security_22_a_schema_fetches_nothing() {
        for reference in
            ["http://127.0.0.1:9/x.json", "https://example.org/x.json", "file:///etc/passwd", "other.json"]
        {
            assert!(schema_problems(&json!({"$ref": reference}), &json!(1)).is_err(), "{reference}");
        }
        assert!(schema_problems(&json!({"type": "strin"}), &json!(1)).is_err());
        assert!(schema_problems(&json!({"pattern": "(a+)+(?=b)"}), &json!("a")).is_err());
    }
}
