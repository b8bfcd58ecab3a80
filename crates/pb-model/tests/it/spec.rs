//! Goals as they come over the wire: what is refused, where and why.

use insta::assert_snapshot;
use pb_model::GoalSpec;
use pb_model::spec::{self, GateSpec};
use serde_json::{Value, json};

/// What the sender of a goal is told.
fn check(goal: Value) -> String {
    let goal: GoalSpec = match serde_json::from_value(goal) {
        Ok(goal) => goal,
        Err(error) => return format!("not read: {error}"),
    };
    match goal.validate() {
        Ok(()) => "ok".to_owned(),
        Err(invalid) => match &invalid.hint {
            Some(hint) => format!("{invalid} ({hint})"),
            None => invalid.to_string(),
        },
    }
}

/// The smallest goal with some keys set.
fn goal(keys: Value) -> Value {
    with(json!({"title": "t", "description": "d"}), keys)
}

fn check_item(keys: Value) -> String {
    let item = with(json!({"id": "a", "work": {"kind": "command", "argv": ["true"]}}), keys);
    check(goal(json!({"items": [item]})))
}

fn check_work(work: Value) -> String {
    check_item(Value::from_iter([("work", work)]))
}

fn check_gate(gate: Value) -> String {
    check_item(json!({"gates": vec![gate]}))
}

fn with(mut object: Value, keys: Value) -> Value {
    if let (Value::Object(object), Value::Object(keys)) = (&mut object, keys) {
        object.extend(keys);
    }
    object
}

fn of_length(len: usize) -> String {
    "x".repeat(len)
}

#[test]
fn the_smallest_goal_and_the_largest_values_pass() {
    assert_eq!(check(goal(json!({}))), "ok");
    let largest = json!({
        "workspace": "/中文",
        "tags": vec![of_length(spec::TAG_CHARS_MAX); spec::TAGS_MAX],
        "success_criteria": vec![json!({"description": of_length(spec::CRITERION_BYTES_MAX)}); spec::CRITERIA_MAX],
        "inputs": {of_length(spec::INPUT_NAME_BYTES_MAX): of_length(spec::INPUT_BYTES_MAX)},
    });
    assert_eq!(check(goal(largest)), "ok");
    assert_eq!(check_item(json!({"id": "计".repeat(spec::KEY_CHARS_MAX)})), "ok");
    assert_eq!(check_gate(json!({"kind": "command", "argv": ["x"], "expect_exit": 255})), "ok");
}

#[test]
fn the_goal_itself() {
    assert_snapshot!(check(goal(json!({"workspace": "sub"}))), @"workspace: `sub` is not an absolute path (write the whole path, from `/` on)");
    assert_snapshot!(check(goal(json!({"workspace": "/a\0b"}))), @"workspace: a path is not empty and has no NUL byte");
    assert_snapshot!(check(goal(json!({"workspace": format!("/{}", of_length(spec::PATH_BYTES_MAX))}))), @"workspace: longer than 4096 bytes");
    assert_snapshot!(check(goal(json!({"tags": vec!["a"; spec::TAGS_MAX + 1]}))), @"tags: 33 tags, at most 32 are allowed");
    assert_snapshot!(check(goal(json!({"tags": ["a", ""]}))), @"tags[1]: a name is not empty");
    assert_snapshot!(check(goal(json!({"tags": ["a\u{1b}[2J"]}))), @"tags[0]: a name is one line without control characters");
    assert_snapshot!(check(goal(json!({"success_criteria": [{"description": " "}]}))), @"success_criteria[0].description: a criterion is not empty");
    assert_snapshot!(check(goal(json!({"success_criteria": vec![json!({"description": "a"}); spec::CRITERIA_MAX + 1]}))), @"success_criteria: 65 success criteria, at most 64 are allowed");
}

#[test]
fn inputs() {
    assert_snapshot!(check(goal(json!({"inputs": {"1a": ""}}))), @"inputs: `1a` is not an input name (up to 64 letters a to z, digits, `-` and `_`, not starting with a digit or `-`)");
    assert_snapshot!(check(goal(json!({"inputs": {"a=b": ""}}))), @"inputs: `a=b` is not an input name (up to 64 letters a to z, digits, `-` and `_`, not starting with a digit or `-`)");
    assert_snapshot!(check(goal(json!({"inputs": {"a-b": "", "A_b": ""}}))), @"inputs: `A_b` and `a-b` are both $PB_INPUT_A_B (rename one of them)");
    assert_snapshot!(check(goal(json!({"inputs": {"a": "x\0y"}}))), @"inputs.a: the value has a NUL byte");
    assert_snapshot!(check(goal(json!({"inputs": {"a": of_length(spec::INPUT_BYTES_MAX + 1)}}))), @"inputs.a: the value is longer than 65536 bytes (pass large material as a file)");
    let many: serde_json::Map<String, Value> =
        (0..=spec::INPUTS_MAX).map(|n| (format!("i{n}"), "".into())).collect();
    assert_snapshot!(check(goal(json!({"inputs": many}))), @"inputs: 65 inputs, at most 64 are allowed");
}

#[test]
fn ids() {
    for id in ["", ".", "..", "a/b", "a b"] {
        assert_eq!(
            check_item(json!({"id": id})),
            format!("items[0].id: `{id}` is not an item id (1 to 64 letters, digits, `-`, `_` or `.`)")
        );
    }
    assert_snapshot!(check_item(json!({"id": "计".repeat(spec::KEY_CHARS_MAX + 1)})), @"items[0].id: `计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计计…` is not an item id (1 to 64 letters, digits, `-`, `_` or `.`)");
}

#[test]
fn work() {
    assert_snapshot!(check_work(json!({"kind": "command", "argv": ["x"], "tcp_ports": [80, 0]})), @"items[0].tcp_ports[1]: 0 is not a port");
    assert_snapshot!(check_work(json!({"kind": "command", "argv": ["x"], "tcp_ports": vec![1; spec::TCP_PORTS_MAX + 1]})), @"items[0].tcp_ports: 65 ports, at most 64 are allowed");
    assert_snapshot!(check_work(json!({"kind": "command", "argv": ["x"], "env": {"A": of_length(spec::ENV_BYTES_MAX)}})), @"items[0].env: more than 128 variables or 131072 bytes");
    assert_snapshot!(check_work(json!({"kind": "command", "argv": ["x"], "env": {"PB_INPUT_A": "x"}})), @"items[0].env: `PB_INPUT_A`: names that start with PB_ are ours");
    assert_snapshot!(check_work(json!({"kind": "agent", "prompt": of_length(spec::PROMPT_BYTES_MAX + 1)})), @"items[0].prompt: longer than 65536 bytes");
    assert_snapshot!(check_work(json!({"kind": "agent", "prompt": "p", "tools": ["a", "b\n"]})), @"items[0].tools[1]: a name is one line without control characters");
    assert_snapshot!(check_work(json!({"kind": "agent", "prompt": "p", "tools": vec!["a"; spec::TOOLS_MAX + 1]})), @"items[0].tools: 129 tools, at most 128 are allowed");
}

#[test]
fn gates() {
    assert_snapshot!(check_gate(json!({"kind": "file_exists", "path": "p", "name": ""})), @"items[0].gates[0].name: a name is not empty");
    assert_snapshot!(check_gate(json!({"kind": "file_exists", "path": "p", "name": of_length(spec::GATE_NAME_CHARS_MAX + 1)})), @"items[0].gates[0].name: longer than 200 characters");
    assert_snapshot!(check_gate(json!({"kind": "command", "argv": ["x"], "expect_exit": 256})), @"items[0].gates[0].expect_exit: 256 is not an exit code (a program ends with 0 to 255)");
    assert_snapshot!(check_gate(json!({"kind": "command", "argv": ["x"], "expect_exit": -1})), @"items[0].gates[0].expect_exit: -1 is not an exit code (a program ends with 0 to 255)");
    assert_snapshot!(check_gate(json!({"kind": "file_contains", "path": "p", "regex": "a("})), @"items[0].gates[0].regex: not a regular expression: unclosed group (a plain text is looked for with `text`)");
    assert_snapshot!(check_gate(json!({"kind": "file_contains", "path": "p", "regex": "(\\w{1000}){1000}"})), @"items[0].gates[0].regex: this regular expression takes more than 10485760 bytes of memory");
    assert_snapshot!(check_gate(json!({"kind": "file_contains", "path": "p", "regex": of_length(spec::GATE_REGEX_BYTES_MAX + 1)})), @"items[0].gates[0].regex: longer than 4096 bytes");
    assert_snapshot!(check_gate(json!({"kind": "file_contains", "path": "p", "text": of_length(spec::GATE_TEXT_BYTES_MAX + 1)})), @"items[0].gates[0].text: longer than 16384 bytes");
    assert_snapshot!(check_gate(json!({"kind": "file_contains", "path": "p", "text": "a", "regex": "a"})), @"items[0].gates[0]: file_contains needs either `text` or `regex`");
    assert_snapshot!(check_gate(json!({"kind": "tests_executed", "min": 0})), @"items[0].gates[0].min: zero tests prove nothing (leave `min` out; it is 1)");
}

#[test]
fn security_29_an_empty_command_list_is_refused() {
    for kind in ["command", "tests_executed"] {
        let empty = check_gate(json!({"kind": kind, "argv": []}));
        assert_eq!(empty, "items[0].gates[0].argv: names no program (argv = [\"program\", \"argument\"])");
    }
}

#[test]
fn gates_of_more_kinds() {
    let snapshots: Vec<String> = [
        json!({"kind": "command", "argv": ["x"], "control": ["x"]}),
        json!({"kind": "command", "argv": ["x"], "control": [""]}),
        json!({"kind": "tests_executed", "argv": ["x"], "control": ["x"]}),
        json!({"kind": "file_exists", "path": "p", "judges": ["/a"]}),
        json!({"kind": "file_exists", "path": "p", "judges": ["a", "b["]}),
        json!({"kind": "json_schema", "path": "p"}),
        json!({"kind": "json_schema", "path": "p", "schema": {"type": "string"}, "schema_path": "s"}),
        json!({"kind": "json_schema", "path": "p", "schema": {}}),
        json!({"kind": "json_schema", "path": "p", "schema": {"type": "strin"}}),
        json!({"kind": "json_schema", "path": "p", "schema": {"const": null}}),
        json!({"kind": "json_schema", "path": "p", "schema": {"$ref": "https://example.org/s"}}),
        json!({"kind": "json_schema", "path": "p", "schema": {"title": of_length(spec::GATE_SCHEMA_BYTES_MAX)}}),
        json!({"kind": "json_schema", "path": "p", "schema_path": "../s"}),
        json!({"kind": "http", "url": "https://localhost/"}),
        json!({"kind": "http", "url": "http://example.org/"}),
        json!({"kind": "http", "url": "http://localhost/", "status": 101}),
        json!({"kind": "http", "url": "http://localhost/", "text": "a", "regex": "a"}),
        json!({"kind": "http", "url": "http://localhost/", "argv": []}),
        json!({"kind": "changes_within", "paths": []}),
        json!({"kind": "changes_within", "paths": ["./src/**"]}),
        json!({"kind": "changes_within", "paths": vec!["a"; spec::GATE_PATHS_MAX + 1]}),
        json!({"kind": "files_lack", "paths": ["a"]}),
        json!({"kind": "files_lack", "paths": ["a"], "text": ""}),
    ]
    .into_iter()
    .map(check_gate)
    .collect();
    assert_snapshot!(snapshots.join("\n"), @r#"
    items[0].gates[0].control: it is the check itself, which would have to pass and to fail (name a command with which the check must not pass)
    items[0].gates[0].control: names no program (argv = ["program", "argument"])
    items[0].gates[0].control: it is the check itself, which would have to pass and to fail (name a command with which the check must not pass)
    items[0].gates[0].judges[0]: matches nothing: paths are relative to the workspace (write it without a leading `/`, `./` or `..`)
    items[0].gates[0].judges[1]: unclosed character class; missing ']'
    items[0].gates[0]: json_schema needs either `schema` or `schema_path`
    items[0].gates[0]: json_schema needs either `schema` or `schema_path`
    items[0].gates[0].schema: everything holds against an empty schema
    items[0].gates[0].schema: not a JSON Schema: /type: "strin" is not valid under any of the schemas listed in the 'anyOf' keyword
    items[0].gates[0].schema: TOML cannot say this: `null`, or a number beyond 64 bits (write `type = "null"`, or put it into a file and name it with `schema_path`)
    items[0].gates[0].schema: not a JSON Schema: Resource 'https://example.org/s' is not present in a registry and retrieving it failed: nothing is fetched: put it into `$defs`
    items[0].gates[0].schema: longer than 65536 bytes (put it into a file and name it with `schema_path`)
    items[0].gates[0].schema_path: `../s` leaves the workspace (paths are relative to the workspace and without `..`)
    items[0].gates[0].url: it does not begin with `http://` (only servers on this machine are asked, such as http://127.0.0.1:8000/)
    items[0].gates[0].url: the host is not 127.0.0.1, [::1] or localhost (only servers on this machine are asked, such as http://127.0.0.1:8000/)
    items[0].gates[0].status: 101 is not the status of an answer (write 200 to 599)
    items[0].gates[0]: http needs either `text` or `regex`
    items[0].gates[0].argv: names no program (argv = ["program", "argument"])
    items[0].gates[0].paths: names no pattern (paths = ["src/**"])
    items[0].gates[0].paths[0]: matches nothing: paths are relative to the workspace (write it without a leading `/`, `./` or `..`)
    items[0].gates[0].paths: 65 paths, at most 64 are allowed
    items[0].gates[0]: files_lack needs either `text` or `regex`
    items[0].gates[0].text: an empty text is in every file
    "#);
}

#[test]
fn unknown_keys_of_a_gate_are_refused() {
    assert_snapshot!(check_gate(json!({"kind": "file_exists", "path": "p", "pth": "q"})), @"not read: unknown field `pth`, expected `path`");
    assert_snapshot!(check_gate(json!({"kind": "file_exists", "path": "p", "argv": ["x"]})), @"not read: unknown field `argv`, expected `path`");
    assert_snapshot!(check_gate(json!({"kind": "command", "argv": ["x"], "expected_exit": 1})), @"not read: unknown field `expected_exit`, expected one of `argv`, `cwd`, `env`, `expect_exit`, `time_limit_s`, `control`");
    assert_snapshot!(check_gate(json!({"kind": "file_contains", "path": "p"})), @"items[0].gates[0]: file_contains needs either `text` or `regex`");
    assert_snapshot!(check_gate(json!({"path": "p"})), @"not read: missing field `kind`");
}

#[test]
fn a_gate_is_written_as_it_is_read() {
    for gate in [
        json!({"kind": "command", "name": "n", "required": false, "argv": ["x"], "cwd": "c", "env": {"A": "b"}, "expect_exit": 3, "time_limit_s": 4, "control": ["y"]}),
        json!({"kind": "file_exists", "required": true, "path": "p"}),
        json!({"kind": "file_contains", "required": true, "path": "p", "text": "t"}),
        json!({"kind": "file_contains", "required": true, "path": "p", "regex": "t"}),
        json!({"kind": "file_unchanged", "required": true, "path": "p"}),
        json!({"kind": "tests_executed", "required": true, "argv": ["x"], "min": 2, "time_limit_s": 4, "control": ["y"]}),
        json!({"kind": "json_schema", "required": true, "judges": ["a/**"], "may_change": true, "path": "p", "schema": {"type": "object"}}),
        json!({"kind": "json_schema", "required": true, "path": "p", "schema_path": "s"}),
        json!({"kind": "http", "required": true, "url": "http://localhost/", "status": 404, "text": "t", "argv": ["x"], "time_limit_s": 4}),
        json!({"kind": "changes_within", "required": true, "paths": ["src/**"], "max_files": 3}),
        json!({"kind": "files_lack", "required": true, "paths": ["**"], "regex": "r"}),
    ] {
        let read: GateSpec = serde_json::from_value(gate.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), gate);
    }
    let schema = Value::from(schemars::schema_for!(GateSpec));
    assert_eq!(schema.get("unevaluatedProperties"), Some(&Value::Bool(false)));
}
