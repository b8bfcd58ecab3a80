//! The keys of the page are those of docs/goal.schema.json: each documented in its place, and each used.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::page::{Page, Row};

const SCHEMA: &str = include_str!("../../../../../docs/goal.schema.json");

/// Keys by the heading of the page below which they are documented.
type Keys = BTreeMap<String, BTreeSet<String>>;

/// The keys of a table of the schema, or those of them that are required.
fn keys(table: &Value, required: bool) -> BTreeSet<String> {
    if required {
        let list = table["required"].as_array().into_iter().flatten();
        list.map(|key| key.as_str().unwrap().to_owned()).collect()
    } else {
        table["properties"].as_object().unwrap().keys().cloned().collect()
    }
}

/// What a kind of item or gate is called in the schema.
fn kind(table: &Value) -> &str {
    table["properties"]["kind"]["const"].as_str().unwrap()
}

/// The heading of the page that documents a kind of gate.
fn gate_heading(page: &Page, kind: &str) -> String {
    let word = format!("`{kind}`");
    let heading = page.tables.keys().find(|heading| heading.contains(&word));
    heading.cloned().unwrap_or_else(|| format!("a heading that names {word}"))
}

/// The heading of the page that documents a kind of item.
fn item_heading(_: &Page, kind: &str) -> String {
    match kind {
        "command" => "Command items".to_owned(),
        "agent" => "Agent items".to_owned(),
        other => format!("a heading for items of kind {other}"),
    }
}

/// All keys of the schema, or those that are required. What several gates under one heading have is there once.
fn of_schema(page: &Page, required: bool) -> Keys {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let definitions = &schema["definitions"];
    let mut found = Keys::from([("The goal".to_owned(), keys(&schema, required))]);
    for (heading, name) in [("Inputs", "Input"), ("Budget", "Budget"), ("Success criteria", "Criterion")] {
        found.insert(heading.to_owned(), keys(&definitions[name], required));
    }
    let of_kinds =
        [("Item", "Work items", item_heading as fn(&Page, &str) -> String), ("Gate", "Gates", gate_heading)];
    for (name, shared_heading, heading) in of_kinds {
        let kinds = definitions[name]["oneOf"].as_array().unwrap();
        let shared = kinds.iter().map(|kind| keys(kind, false)).reduce(|a, b| &a & &b).unwrap();
        for one in kinds {
            let own = keys(one, required);
            found.entry(shared_heading.to_owned()).or_default().extend(&own & &shared);
            found.entry(heading(page, kind(one))).or_default().extend(&own - &shared);
        }
    }
    found
}

fn of_rows<'r>(rows: impl IntoIterator<Item = &'r Row>) -> BTreeSet<String> {
    rows.into_iter().flat_map(|row| row.keys.iter().cloned()).collect()
}

/// The keys that the examples use, each below the heading that documents it.
fn of_examples(page: &Page, known: &Keys) -> Keys {
    let mut used = Keys::new();
    let mut note = |headings: &[&str], table: &toml::Table| {
        for key in table.keys() {
            // What nobody knows is counted to the first, where it is a difference.
            let heading =
                headings.iter().find(|heading| known[**heading].contains(key)).unwrap_or(&headings[0]);
            used.entry((*heading).to_owned()).or_default().insert(key.clone());
        }
    };
    for example in &page.examples {
        let goal: toml::Table = toml::from_str(&example.text).unwrap();
        note(&["The goal"], &goal);
        let tables = |table: &toml::Table, key: &str| -> Vec<toml::Table> {
            let list = table.get(key).and_then(toml::Value::as_array).into_iter().flatten();
            list.filter_map(|one| one.as_table().cloned()).collect()
        };
        if let Some(budget) = goal.get("budget").and_then(toml::Value::as_table) {
            note(&["Budget"], budget);
        }
        let inputs = goal.get("inputs").and_then(toml::Value::as_table).into_iter().flatten();
        for input in inputs.filter_map(|(_, input)| input.as_table()) {
            note(&["Inputs"], input);
        }
        for criterion in tables(&goal, "success_criteria") {
            note(&["Success criteria"], &criterion);
        }
        for item in tables(&goal, "items") {
            let own = item_heading(page, item["kind"].as_str().unwrap());
            note(&["Work items", &own], &item);
            for gate in tables(&item, "gates") {
                let own = gate_heading(page, gate["kind"].as_str().unwrap());
                note(&["Gates", &own], &gate);
            }
        }
    }
    used
}

/// What is in one and not in the other, as a person mends it.
fn differences(page: &Keys, schema: &Keys) -> Vec<String> {
    let flat = |keys: &Keys| -> BTreeSet<String> {
        keys.iter()
            .flat_map(|(heading, keys)| keys.iter().map(move |key| format!("`{key}` of {heading}")))
            .collect()
    };
    let (page, schema) = (flat(page), flat(schema));
    let lacks = (&schema - &page).into_iter().map(|key| format!("the page lacks {key}"));
    let has = (&page - &schema).into_iter().map(|key| format!("the schema does not know {key}"));
    lacks.chain(has).collect()
}

#[test]
fn every_key_is_documented_in_its_place_and_no_other() {
    let page = Page::read();
    let known = of_schema(&page, false);
    let documented: Keys =
        known.keys().map(|heading| (heading.clone(), of_rows(page.table(heading)))).collect();
    assert_eq!(differences(&documented, &known), Vec::<String>::new());
    let said = |heading: &str| of_rows(page.table(heading).iter().filter(|row| row.is_required));
    let required = of_schema(&page, true);
    let documented: Keys = required.keys().map(|heading| (heading.clone(), said(heading))).collect();
    assert_eq!(differences(&documented, &required), Vec::<String>::new(), "as required");
}

#[test]
fn every_key_is_used_in_an_example() {
    let page = Page::read();
    let known = of_schema(&page, false);
    assert_eq!(differences(&of_examples(&page, &known), &known), Vec::<String>::new(), "in examples");
}
