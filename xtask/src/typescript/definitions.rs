//! The named types: which there are, in which of their two forms, and what they are called.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use pb_protocol::methods::Signature;
use serde_json::{Map, Value};

use super::print::Form;

/// What to do about two types of one name.
pub(super) const RENAME: &str = "give one of them another with #[schemars(rename = \"…\")]";

/// Every named type.
#[derive(Debug)]
pub(super) struct Definitions {
    /// As they are read: what may be left out is optional.
    read: Map<String, Value>,
    /// As they are written.
    written: Map<String, Value>,
    /// Those that are part of what a method takes.
    taken: BTreeSet<String>,
}

impl Definitions {
    pub(super) fn new(taken: &[Signature], read: Map<String, Value>, written: Map<String, Value>) -> Self {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&Value> = taken.iter().map(|signature| signature.params.as_value()).collect();
        while let Some(schema) = next.pop() {
            for name in references(schema) {
                if reached.insert(name.clone()) {
                    next.extend(read.get(&name));
                }
            }
        }
        Self { read, written, taken: reached }
    }

    /// Every type once, by the name that it is given, in the order of these. One that is both taken and given stands
    /// there as it is read, which is true of what is written as well.
    pub(super) fn chosen<'d>(
        &'d self,
        names: &'d BTreeMap<String, String>,
    ) -> Vec<(&'d str, Form, &'d Value)> {
        let form = |name: &String| {
            if self.taken.contains(name) { (Form::Read, &self.read) } else { (Form::Written, &self.written) }
        };
        let one = |(name, shown): (&String, &'d String)| {
            let (form, definitions) = form(name);
            Some((shown.as_str(), form, definitions.get(name)?))
        };
        let mut chosen: Vec<_> = names.iter().filter_map(one).collect();
        chosen.sort_by_key(|(name, ..)| *name);
        chosen
    }

    /// What each type is called: as its method, if it is what one method alone takes or gives, such as
    /// `GoalListParams`; else as in Rust.
    ///
    /// # Errors
    /// Two types have one name.
    pub(super) fn names(
        &self,
        taken: &[Signature],
        given: &[Signature],
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (taken, given) in taken.iter().zip(given) {
            // Both were asked in the same order, so types have the same names in both.
            if taken.params != given.params || taken.result != given.result {
                bail!(
                    "what `{}` takes and gives has different names as it is read and as it is written",
                    taken.method
                );
            }
            for (schema, end) in [(&taken.params, "Params"), (&given.result, "Result")] {
                for name in references(schema.as_value()).filter(|name| without_number(name).ends_with(end)) {
                    uses.entry(name).or_default().push(format!("{}{end}", pascal(taken.method)));
                }
            }
        }
        let (mut names, mut twice) = (BTreeMap::new(), BTreeSet::new());
        for name in self.read.keys().chain(self.written.keys()) {
            let shown = match uses.get(name).map(Vec::as_slice) {
                Some([one]) => one.clone(),
                _ => name.clone(),
            };
            // schemars counts the types of one name.
            let first = without_number(&shown);
            if first != shown && (self.read.contains_key(first) || self.written.contains_key(first)) {
                twice.insert(format!("`{first}`"));
            }
            names.insert(name.clone(), shown);
        }
        if !twice.is_empty() {
            let list: Vec<String> = twice.into_iter().collect();
            bail!("two types each are called {}; {RENAME}", list.join(", "));
        }
        Ok(names)
    }
}

/// The names of the types that a schema refers to, those within them left out.
fn references(schema: &Value) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut next = vec![schema];
    while let Some(value) = next.pop() {
        match value {
            Value::Object(object) => {
                let name = object.get("$ref").and_then(Value::as_str);
                found.extend(name.and_then(|name| name.strip_prefix("#/$defs/")).map(str::to_owned));
                next.extend(object.values());
            }
            Value::Array(list) => next.extend(list),
            _ => {}
        }
    }
    found.into_iter()
}

fn without_number(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// `goal.submit` as `GoalSubmit`.
fn pascal(method: &str) -> String {
    let mut text = String::new();
    for word in method.split('.') {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}

#[cfg(test)]
mod tests {
    use pb_protocol::methods::{as_read, as_written};
    use schemars::{JsonSchema, SchemaGenerator};
    use serde::{Deserialize, Serialize};

    use super::*;

    mod other {
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub(super) struct Thing {}
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub(super) struct ListParams {}
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Thing {
        #[serde(default)]
        size: u8,
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct ListParams {
        thing: Thing,
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct ListResult {
        #[serde(default)]
        total: u8,
    }

    fn signatures<P: JsonSchema, R: JsonSchema>(generator: &mut SchemaGenerator) -> Vec<Signature> {
        vec![
            Signature {
                method: "thing.list",
                params: generator.subschema_for::<ListParams>(),
                result: generator.subschema_for::<ListResult>(),
            },
            Signature {
                method: "thing.other",
                params: generator.subschema_for::<P>(),
                result: generator.subschema_for::<R>(),
            },
        ]
    }

    fn check<P: JsonSchema, R: JsonSchema>() -> Result<Vec<String>, String> {
        let (mut read, mut written) = (as_read(), as_written());
        let (taken, given) = (signatures::<P, R>(&mut read), signatures::<P, R>(&mut written));
        let all = Definitions::new(&taken, read.take_definitions(true), written.take_definitions(true));
        let names = all.names(&taken, &given).map_err(|error| error.to_string())?;
        Ok(all
            .chosen(&names)
            .into_iter()
            .map(|(name, _, schema)| format!("{name} {}", schema.get("required").unwrap_or(&Value::Null)))
            .collect())
    }

    #[test]
    fn what_one_method_takes_has_its_name_and_what_is_taken_stands_as_it_is_read() {
        let others = ["Thing null", "ThingListParams [\"thing\"]", "ThingListResult [\"total\"]"];
        assert_eq!(check::<Thing, Thing>().unwrap(), others);
        assert_eq!(check::<other::ListParams, Thing>().unwrap().last().unwrap(), "ThingOtherParams null");
        // Of several methods: its own name.
        assert_eq!(
            check::<ListParams, ListResult>().unwrap(),
            ["ListParams [\"thing\"]", "ListResult [\"total\"]", "Thing null"]
        );
    }

    #[test]
    fn two_types_of_one_name_are_refused() {
        assert_eq!(
            check::<Thing, other::Thing>().unwrap_err(),
            format!("two types each are called `Thing`; {RENAME}")
        );
    }
}
