//! One schema as a type of TypeScript. What a schema says and TypeScript cannot, such as a smallest number, is left
//! out; a keyword that is not known here is refused, so that nothing is left out unseen.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

/// Keywords that say nothing about the type, or what no type says.
const WITHOUT_TYPE: [&str; 8] =
    ["$schema", "title", "description", "default", "format", "minimum", "maximum", "unevaluatedProperties"];
/// Where named types stand.
const DEFINITIONS: &str = "#/$defs/";
const STEP: &str = "    ";

/// A type, and how tightly its parts hold together.
struct Type {
    text: String,
    level: Level,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Level {
    Atom,
    And,
    Or,
}

impl Type {
    fn atom(text: impl Into<String>) -> Self {
        Self { text: text.into(), level: Level::Atom }
    }

    /// The text as a part of something that holds its parts together more tightly than `level`.
    fn within(self, level: Level) -> String {
        if self.level > level { format!("({})", self.text) } else { self.text }
    }

    fn joined(mut types: Vec<Self>, level: Level) -> Self {
        if types.len() == 1 {
            return types.remove(0);
        }
        let sign = if level == Level::And { " & " } else { " | " };
        let mut texts: Vec<String> = Vec::new();
        for one in types {
            // `number` stands for two kinds of numbers.
            let text = one.within(if level == Level::And { Level::Atom } else { Level::And });
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let level = if texts.len() < 2 { Level::Atom } else { level };
        Self { text: texts.join(sign), level }
    }
}

/// Which of its two forms a type stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is read: null is as good as nothing.
    Read,
    /// As it is written: a key that may be left out is left out where it would be null.
    Written,
}

/// Prints types by the names that they are given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer<'a> {
    /// What definitions are called, by their names in the schemas.
    pub(super) names: &'a BTreeMap<String, String>,
    /// The form of what is printed.
    pub(super) form: Form,
}

impl Printer<'_> {
    /// The type of a schema, its lines but the first indented so deep.
    ///
    /// # Errors
    /// It says what is not known here.
    pub(super) fn type_of(&self, schema: &Value, depth: usize) -> anyhow::Result<String> {
        Ok(self.any(schema, depth)?.text)
    }

    /// `export interface …`, or `export type …` of what is no plain object, with its comment.
    ///
    /// # Errors
    /// It says what is not known here.
    pub(super) fn definition(&self, name: &str, schema: &Value) -> anyhow::Result<String> {
        let comment = comment(schema, 0);
        let printed = self.any(schema, 0).with_context(|| format!("type `{name}`"))?;
        let is_plain = printed.level == Level::Atom && printed.text.starts_with('{');
        Ok(if is_plain {
            format!("{comment}export interface {name} {}\n", printed.text)
        } else {
            format!("{comment}export type {name} = {};\n", printed.text)
        })
    }

    /// Keys between braces: name, whether it is always there, comment, schema.
    ///
    /// # Errors
    /// A schema says what is not known here.
    pub(super) fn keys<'k>(
        &self,
        keys: impl Iterator<Item = (&'k str, bool, String, Value)>,
        depth: usize,
    ) -> anyhow::Result<String> {
        let inner = STEP.repeat(depth + 1);
        let mut lines = vec!["{\n".to_owned()];
        for (name, is_always, comment, schema) in keys {
            let absent = if is_always { "" } else { "?" };
            let printed = self.any(&schema, depth + 1).with_context(|| format!("key `{name}`"))?;
            lines.push(format!("{comment}{inner}{}{absent}: {};\n", property(name), printed.text));
        }
        lines.push(format!("{}}}", STEP.repeat(depth)));
        Ok(lines.concat())
    }

    fn any(&self, schema: &Value, depth: usize) -> anyhow::Result<Type> {
        let object = match schema {
            Value::Bool(true) => return Ok(Type::atom("unknown")),
            Value::Bool(false) => return Ok(Type::atom("never")),
            other => other.as_object().context("a schema is neither an object nor a bool")?,
        };
        let mut parts = Vec::new();
        for (keyword, value) in object {
            match keyword.as_str() {
                "$ref" => parts.push(Type::atom(self.name(value)?)),
                "const" => parts.push(Type::atom(value.to_string())),
                "enum" => {
                    let literals = list(value)?.iter().map(|one| Type::atom(one.to_string())).collect();
                    parts.push(Type::joined(literals, Level::Or));
                }
                "oneOf" | "anyOf" => parts.push(self.union(list(value)?, depth)?),
                "allOf" => {
                    for one in list(value)? {
                        parts.push(self.any(one, depth)?);
                    }
                }
                "type" if !object.contains_key("const") && !object.contains_key("enum") => {
                    parts.push(self.kinds(value, object, depth)?);
                }
                "type" | "properties" | "required" | "items" | "additionalProperties" => {}
                known if WITHOUT_TYPE.contains(&known) => {}
                other => bail!("the keyword `{other}` is not known to xtask/src/typescript/print.rs"),
            }
        }
        Ok(if parts.is_empty() { Type::atom("unknown") } else { Type::joined(parts, Level::And) })
    }

    fn name(&self, reference: &Value) -> anyhow::Result<&str> {
        let name = reference.as_str().and_then(|text| text.strip_prefix(DEFINITIONS));
        let name = name.with_context(|| format!("{reference} is not in {DEFINITIONS}"))?;
        Ok(self.names.get(name).with_context(|| format!("there is no type `{name}`"))?)
    }

    fn union(&self, choices: &[Value], depth: usize) -> anyhow::Result<Type> {
        let is_told = choices.iter().any(|choice| choice.get("description").is_some());
        if !is_told {
            let choices = choices.iter().map(|choice| self.any(choice, depth)).collect::<Result<_, _>>()?;
            return Ok(Type::joined(choices, Level::Or));
        }
        let inner = STEP.repeat(depth + 1);
        let mut lines = Vec::new();
        for choice in choices {
            let printed = self.any(choice, depth + 1)?.within(Level::And);
            lines.push(format!("\n{}{inner}| {printed}", comment(choice, depth + 1)));
        }
        Ok(Type { text: lines.concat(), level: Level::Or })
    }

    fn kinds(&self, kinds: &Value, schema: &Map<String, Value>, depth: usize) -> anyhow::Result<Type> {
        let one = std::slice::from_ref(kinds);
        let kinds = kinds.as_array().map_or(one, Vec::as_slice);
        let types = kinds.iter().map(|kind| self.kind(kind, schema, depth)).collect::<Result<_, _>>()?;
        Ok(Type::joined(types, Level::Or))
    }

    fn kind(&self, kind: &Value, schema: &Map<String, Value>, depth: usize) -> anyhow::Result<Type> {
        Ok(match kind.as_str() {
            Some("integer" | "number") => Type::atom("number"),
            Some(same @ ("string" | "boolean" | "null")) => Type::atom(same),
            Some("array") => match schema.get("items") {
                Some(items) => Type::atom(format!("{}[]", self.any(items, depth)?.within(Level::Atom))),
                None => Type::atom("unknown[]"),
            },
            Some("object") => self.object(schema, depth)?,
            _ => bail!("there is no type {kind}"),
        })
    }

    fn object(&self, schema: &Map<String, Value>, depth: usize) -> anyhow::Result<Type> {
        let rest = schema.get("additionalProperties").filter(|rest| **rest != Value::Bool(false));
        let Some(Value::Object(properties)) = schema.get("properties") else {
            let rest = rest.map_or(Ok("unknown".to_owned()), |rest| self.type_of(rest, depth))?;
            return Ok(Type::atom(format!("{{ [key: string]: {rest} }}")));
        };
        if rest.is_some() {
            bail!("an object has keys and others, which is not known to xtask/src/typescript/print.rs");
        }
        let required = schema.get("required").map_or(Ok([].as_slice()), list)?;
        let keys = properties.iter().map(|(name, schema)| {
            let is_always = required.iter().any(|required| required == name);
            let is_null_told = is_always || self.form == Form::Read;
            let told = if is_null_told { schema.clone() } else { without_null(schema) };
            (name.as_str(), is_always, comment(schema, depth + 1), told)
        });
        Ok(Type::atom(self.keys(keys, depth)?))
    }
}

/// The schema of what may also be null, but for null.
fn without_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| kind != "null");
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
    }
    schema
}

fn list(value: &Value) -> anyhow::Result<&[Value]> {
    Ok(value.as_array().context("a keyword wants a list")?)
}

/// What a schema says of itself, as a comment that is indented so deep.
fn comment(schema: &Value, depth: usize) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    doc(text, depth)
}

/// A comment that editors show, indented so deep; nothing for no text.
pub(super) fn doc(text: &str, depth: usize) -> String {
    let indent = STEP.repeat(depth);
    // The end of a comment cannot stand in one.
    let text = text.trim().replace("*/", "*\\/");
    if text.is_empty() {
        return String::new();
    }
    if !text.contains('\n') {
        return format!("{indent}/** {text} */\n");
    }
    let lines: String =
        text.lines().map(|line| format!("{indent} * {line}\n").replace(" * \n", " *\n")).collect();
    format!("{indent}/**\n{lines}{indent} */\n")
}

/// A key as it stands between braces.
pub(super) fn property(name: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(is_word) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return name.to_owned();
    }
    Value::from(name).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(schema: &Value, form: Form) -> String {
        let names = BTreeMap::from([("Goal2".to_owned(), "Goal".to_owned())]);
        Printer { names: &names, form }.definition("T", schema).unwrap_or_else(|error| format!("{error:#}"))
    }

    fn check(schema: &Value, expect: &str) {
        assert_eq!(printed(schema, Form::Read), format!("export type T = {expect};\n"), "{schema}");
    }

    #[test]
    fn each_kind_of_schema_is_a_type() {
        check(&json!({"type": "string", "format": "x"}), "string");
        check(&json!({"type": ["integer", "number", "null"], "minimum": 0}), "number | null");
        check(&json!({"type": "array", "items": {"type": ["boolean", "null"]}}), "(boolean | null)[]");
        check(&json!({"type": "array"}), "unknown[]");
        check(&json!({"type": "array", "items": {"$ref": "#/$defs/Goal2"}}), "Goal[]");
        check(&json!({"anyOf": [{"$ref": "#/$defs/Goal2"}, {"type": "null"}]}), "Goal | null");
        check(
            &json!({"type": ["object", "null"], "additionalProperties": true}),
            "{ [key: string]: unknown } | null",
        );
        check(&json!({"type": "string", "const": "a\"b"}), r#""a\"b""#);
        check(&json!({"enum": ["a", 1, null]}), r#""a" | 1 | null"#);
        check(&json!({"allOf": [{"$ref": "#/$defs/Goal2"}, {"enum": ["a", "b"]}]}), r#"Goal & ("a" | "b")"#);
        check(&json!({}), "unknown");
        check(&json!(true), "unknown");
        check(&json!(false), "never");
    }

    #[test]
    fn an_object_is_an_interface_with_what_its_keys_say() {
        let schema = json!({
            "description": "A thing.\n\nOf two */ lines.",
            "type": "object",
            "properties": {
                "id": {"type": "string", "description": "Its id."},
                "a-b": {"type": ["string", "null"]},
                "of": {"type": "object", "properties": {"goal": {"anyOf": [{"$ref": "#/$defs/Goal2"}, {"type": "null"}]}}},
            },
            "required": ["id"],
            "additionalProperties": false,
        });
        let shown = |null: &str| {
            format!(
                "/**\n * A thing.\n *\n * Of two *\\/ lines.\n */\nexport interface T {{\n    /** Its id. */\n    id: string;\n    \
                 \"a-b\"?: string{null};\n    of?: {{\n        goal?: Goal{null};\n    }};\n}}\n"
            )
        };
        assert_eq!(printed(&schema, Form::Read), shown(" | null"));
        assert_eq!(printed(&schema, Form::Written), shown(""));
    }

    #[test]
    fn a_map_is_an_interface_too() {
        let schema = json!({"type": "object", "additionalProperties": {"type": "integer"}});
        assert_eq!(printed(&schema, Form::Read), "export interface T { [key: string]: number }\n");
    }

    #[test]
    fn tagged_unions_keep_their_keys_and_their_words() {
        let schema = json!({
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "oneOf": [
                {"description": "A.", "$ref": "#/$defs/Goal2", "type": "object",
                 "properties": {"kind": {"const": "a", "type": "string"}}, "required": ["kind"]},
                {"description": "B.", "const": "b"},
            ],
            "unevaluatedProperties": false,
        });
        assert_eq!(
            printed(&schema, Form::Read),
            "export type T = {\n    name?: string;\n} & (\n    /** A. */\n    | Goal & {\n        kind: \"a\";\n    }\n    \
             /** B. */\n    | \"b\");\n"
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (schema, why) in [
            (json!({"type": "string", "not": {}}), "the keyword `not`"),
            (json!({"$ref": "#/$defs/Nobody"}), "no type `Nobody`"),
            (json!({"type": "date"}), "no type \"date\""),
            (
                json!({"type": "object", "properties": {"a": {}}, "additionalProperties": {}}),
                "has keys and others",
            ),
        ] {
            let refused = printed(&schema, Form::Read);
            assert!(refused.contains(why), "{refused}");
        }
    }
}
