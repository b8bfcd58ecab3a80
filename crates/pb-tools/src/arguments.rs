//! Reading the arguments that a model gave.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::text::one_line;

/// Longest reason for refusing arguments, in characters: a reason may quote what it refuses.
const REASON_CHARS_MAX: usize = 400;

/// Reads arguments as `T`. The error names the field, for the model.
pub fn parse<T: DeserializeOwned>(arguments: &Value) -> Result<T, String> {
    let nothing = Value::Object(Map::new());
    let arguments = match arguments {
        Value::Object(_) => arguments,
        // What some providers send for a call without arguments.
        Value::Null => &nothing,
        Value::String(text) if text.trim().is_empty() => &nothing,
        Value::String(_) => return Err("the arguments are not valid JSON".to_owned()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err("the arguments must be one JSON object".to_owned());
        }
    };
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner().to_string();
        let reason = if path == "." { reason } else { format!("`{path}`: {reason}") };
        one_line(&reason, REASON_CHARS_MAX)
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(default)]
        list: Vec<Inner>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        word: String,
    }

    fn check(arguments: &Value) -> String {
        match parse::<Outer>(arguments) {
            Ok(outer) => format!("{outer:?}"),
            Err(reason) => reason,
        }
    }

    #[test]
    fn a_refusal_names_the_field() {
        insta::assert_snapshot!(check(&json!({"list": [{"word": "a"}, {"word": 7}]})), @"`list[1].word`: invalid type: integer `7`, expected a string");
        insta::assert_snapshot!(check(&json!({"list": [{}]})), @"`list[0]`: missing field `word`");
        insta::assert_snapshot!(check(&json!({"lists": []})), @"`lists`: unknown field `lists`, expected `list`");
        insta::assert_snapshot!(check(&json!("{\"list\": [")), @"the arguments are not valid JSON");
        insta::assert_snapshot!(check(&json!([])), @"the arguments must be one JSON object");
        let long = check(&json!({"list": "x".repeat(10_000)}));
        assert_eq!(long.chars().count(), REASON_CHARS_MAX);
    }

    #[test]
    fn no_arguments_are_an_empty_object() {
        for nothing in [json!(null), json!(""), json!(" \n"), json!({})] {
            assert_eq!(parse(&nothing), Ok(Outer { list: Vec::new() }), "{nothing}");
        }
    }
}
