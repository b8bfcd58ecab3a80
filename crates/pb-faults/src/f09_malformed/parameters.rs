//! Parameters of methods, made of their schemas, and wrong in one way each.

use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use serde_json::{Map, Value, json};

/// How deep a sample goes; what is deeper is null.
const DEPTH_MAX: usize = 6;
/// Texts that stand for themselves: ids, cursors, times, and what people would not write.
const TEXTS: [&str; 12] = [
    "x",
    "",
    "goal_00000000000000000000000000000001",
    "esc_00000000000000000000000000000001",
    "c1.YTFiMgozCjEyMzQ1",
    "start",
    "帮我\u{202e}",
    "a\u{0}b",
    "../../etc/passwd",
    "2026-11-27T00:00:00Z",
    "%s%n{{x}}",
    "'; DROP TABLE goal; --",
];
/// Values of every type.
const VALUES: [&str; 14] = [
    "null",
    "true",
    "7",
    "-1",
    "1.5",
    "1e999",
    "18446744073709551616",
    "9223372036854775808",
    r#""x""#,
    r#""""#,
    "[]",
    "{}",
    "[[[[]]]]",
    r#"{"a":{"a":{"a":null}}}"#,
];

/// The parameters of a method as they might be, and then perhaps not quite.
pub(super) fn of(schema: &Value, rng: &mut StdRng) -> String {
    let right = sample(schema, schema, 0, rng).to_string();
    match rng.random_range(0..8) {
        0 => right,
        1 => VALUES[rng.random_range(0..VALUES.len())].to_owned(),
        2 => long(&right, rng),
        3 => format!("{}{}{}", "[".repeat(120), right, "]".repeat(120)),
        4 => right.get(..rng.random_range(0..right.len().max(1))).unwrap_or("{").to_owned(),
        _ => (0..rng.random_range(1..4)).fold(right, |text, _| {
            let other = super::generate::replace_value(&text, rng, VALUES);
            String::from_utf8(other).unwrap_or(text)
        }),
    }
}

/// One text becomes one of a hundred thousand characters.
fn long(text: &str, rng: &mut StdRng) -> String {
    let quotes: Vec<usize> = text.match_indices(":\"").map(|(at, _)| at + 2).collect();
    if quotes.is_empty() {
        return text.to_owned();
    }
    let at = quotes[rng.random_range(0..quotes.len())];
    format!("{}{}{}", &text[..at], "长".repeat(rng.random_range(1..100_000)), &text[at..])
}

/// A value that the schema allows, as far as one looks; each property that is not wanted may be missing.
fn sample(schema: &Value, root: &Value, depth: usize, rng: &mut StdRng) -> Value {
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(place) = schema["$ref"].as_str().and_then(|place| place.strip_prefix('#')) {
        return root.pointer(place).map_or(Value::Null, |schema| sample(schema, root, depth + 1, rng));
    }
    for key in ["anyOf", "oneOf", "allOf", "enum"] {
        let Some(several) = schema[key].as_array().filter(|several| !several.is_empty()) else { continue };
        let chosen = &several[rng.random_range(0..several.len())];
        return if key == "enum" { chosen.clone() } else { sample(chosen, root, depth + 1, rng) };
    }
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) if !kinds.is_empty() => kinds[rng.random_range(0..kinds.len())].as_str(),
        kind => kind.as_str(),
    };
    match kind {
        Some("object") => object(schema, root, depth, rng),
        Some("array") => {
            (0..rng.random_range(0..3)).map(|_| sample(&schema["items"], root, depth + 1, rng)).collect()
        }
        Some("string") => json!(TEXTS[rng.random_range(0..TEXTS.len())]),
        Some("integer") => json!(rng.random_range(0..5)),
        Some("number") => json!(rng.random_range(0..50) * 3),
        Some("boolean") => json!(rng.random::<bool>()),
        _ => Value::Null,
    }
}

fn object(schema: &Value, root: &Value, depth: usize, rng: &mut StdRng) -> Value {
    let mut made = Map::new();
    let wanted = |key: &str| {
        schema["required"].as_array().is_some_and(|wanted| wanted.iter().any(|one| one.as_str() == Some(key)))
    };
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        if wanted(key) || rng.random_ratio(1, 2) {
            made.insert(key.clone(), sample(property, root, depth + 1, rng));
        }
    }
    if rng.next_u32().is_multiple_of(8) {
        made.insert("of_the_future".to_owned(), json!(1));
    }
    Value::Object(made)
}
