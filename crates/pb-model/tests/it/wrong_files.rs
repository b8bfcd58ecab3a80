//! Goal files that are wrong as people make them wrong: what is said about each, and that the schema agrees.

use std::fmt::Write;

use insta::assert_snapshot;
use pb_model::goal_file;
use serde_json::Value;

const CASES: &str = include_str!("data/wrong_files.toml");

#[test]
fn each_is_told_where_what_and_how_to_mend_it() {
    let cases: toml::Table = toml::from_str(CASES).unwrap();
    let mut told = String::new();
    for case in cases["case"].as_array().unwrap() {
        let (name, file) = (case["name"].as_str().unwrap(), case["file"].as_str().unwrap());
        let Err(problems) = goal_file::parse(file) else { panic!("{name}: it is right") };
        writeln!(told, "## {name}").unwrap();
        for problem in &problems {
            let quoted = file.lines().nth(problem.line - 1).unwrap_or_default();
            writeln!(told, "{problem}\n    {quoted}").unwrap();
        }
    }
    assert_snapshot!(told);
}

/// The least value that a key takes, as TOML.
fn value(key: &str, kind: &str) -> String {
    match key {
        "kind" => format!("'{kind}'"),
        "argv" | "rubric" | "paths" => "['x']".to_owned(),
        "url" => "'http://localhost/'".to_owned(),
        _ => "'x'".to_owned(),
    }
}

/// A table of only these keys, in one line.
fn table(keys: &[&str], kind: &str, more: &str) -> String {
    let pairs: Vec<String> = keys.iter().map(|key| format!("{key} = {}", value(key, kind))).collect();
    let more = (!more.is_empty()).then(|| more.to_owned());
    format!("{{ {} }}", pairs.into_iter().chain(more).collect::<Vec<_>>().join(", "))
}

/// Of a table of the schema: what is required is enough, and none of it may be left out.
fn check_required(schema: &Value, more: &str, in_a_file: impl Fn(&str) -> String) {
    let kind = schema["properties"]["kind"]["const"].as_str().unwrap_or_default();
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().map(|key| key.as_str().unwrap()).collect();
    let file = in_a_file(&table(&required, kind, more));
    if let Err(problems) = goal_file::parse(&file) {
        panic!("the schema takes it and the parser does not: {file}\n{problems}");
    }
    for left_out in &required {
        let rest: Vec<&str> = required.iter().copied().filter(|key| key != left_out).collect();
        let file = in_a_file(&table(&rest, kind, more));
        assert!(goal_file::parse(&file).is_err(), "`{left_out}` is required by the schema only: {file}");
    }
}

#[test]
fn what_the_schema_requires_the_parser_requires_and_nothing_else() {
    let schema = goal_file::json_schema();
    assert_eq!(schema["required"], serde_json::json!(["title"]));
    assert!(goal_file::parse("title = 't'").is_ok() && goal_file::parse("priority = 1").is_err());
    let definitions = &schema["definitions"];
    check_required(&definitions["Budget"], "", |table| format!("title = 't'\nbudget = {table}"));
    check_required(&definitions["Input"], "", |table| format!("title = 't'\ninputs.a = {table}"));
    check_required(&definitions["Criterion"], "", |table| {
        format!("title = 't'\nsuccess_criteria = [{table}]")
    });
    for item in definitions["Item"]["oneOf"].as_array().unwrap() {
        check_required(item, "", |table| format!("title = 't'\nitems = [{table}]"));
    }
    for gate in definitions["Gate"]["oneOf"].as_array().unwrap() {
        // Where one of two keys has to be there, draft 7 as it is written here cannot say so.
        let more = match gate["properties"]["kind"]["const"].as_str().unwrap() {
            "file_contains" | "files_lack" => "text = 'x'",
            "json_schema" => "schema_path = 'x'",
            _ => "",
        };
        check_required(gate, more, |table| {
            let beside = "{ kind = 'file_exists', path = 'x' }";
            format!(
                "title = 't'\n[[items]]\nid = 'a'\nkind = 'command'\nargv = ['x']\ngates = [{beside}, {table}]"
            )
        });
    }
}

#[test]
fn the_schema_allows_as_long_an_answer_as_the_parser() {
    let schema = goal_file::json_schema();
    let limit = |key: &str| schema["properties"][key]["anyOf"][1]["maximum"].as_u64().unwrap();
    let longest = limit("answer_within");
    assert!(goal_file::parse(&format!("title = 't'\nanswer_within = {longest}")).is_ok());
    assert!(goal_file::parse(&format!("title = 't'\nanswer_within = {}", longest + 1)).is_err());
}
