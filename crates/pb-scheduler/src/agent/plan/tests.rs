use serde_json::json;

use super::*;
use crate::agent::scratch;

fn checked(arguments: &Value) -> Result<Vec<ItemSpec>, String> {
    check(arguments, &scratch::goal("title = '数一数'")).map(|plan| plan.items)
}

/// What the model is told of a plan of these items.
fn told(items: &Value) -> String {
    checked(&json!({ "items": items })).unwrap_err()
}

fn command(id: &str) -> Value {
    json!({"id": id, "kind": "command", "argv": ["true"], "gates": [{"kind": "file_exists", "path": "a"}]})
}

fn agent(id: &str) -> Value {
    json!({"id": id, "kind": "agent", "prompt": "写", "gates": [{"kind": "file_exists", "path": "a"}]})
}

/// The item with other keys.
fn with(mut item: Value, keys: &Value) -> Value {
    for (key, value) in keys.as_object().unwrap() {
        item[key] = value.clone();
    }
    item
}

#[test]
fn a_plan_that_holds_is_its_items() {
    let plan = json!({"items": [
        {
            "id": "count", "title": "数一数", "kind": "command", "argv": ["sh", "-c", "ls | wc -l > n"],
            "effect": "idempotent",
            "gates": [{"kind": "file_contains", "path": "n", "regex": "^[0-9]+$", "name": "a number"}],
        },
        {
            "id": "write", "kind": "agent", "needs": ["count"], "prompt": "Write n.md about n.",
            "tools": ["read_file", "write_file"], "tier": "simple", "effect": "pure", "budget_percent": 60,
            "gates": [
                {"kind": "file_exists", "path": "n.md"},
                {"kind": "file_unchanged", "path": "n"},
                {"kind": "command", "argv": ["grep", "-q", "TODO", "n.md"], "expect_exit": 1},
                {"kind": "tests_executed", "argv": ["pytest"], "min": 3},
            ],
        },
        {"id": "least", "kind": "agent", "prompt": "看", "gates": [{"kind": "file_exists", "path": "x"}]},
    ]});
    let items: Vec<String> =
        checked(&plan).unwrap().iter().map(|item| serde_json::to_string(item).unwrap()).collect();
    insta::assert_snapshot!(items.join("\n"), @r#"
    {"id":"count","title":"数一数","lane":"main","work":{"kind":"command","argv":["sh","-c","ls | wc -l > n"],"effect":"idempotent"},"gates":[{"name":"a number","required":true,"kind":"file_contains","path":"n","regex":"^[0-9]+$"}]}
    {"id":"write","needs":["count"],"lane":"main","work":{"kind":"agent","prompt":"Write n.md about n.","tools":["read_file","write_file"],"tier":"simple","effect":"pure","budget_percent":60},"gates":[{"required":true,"kind":"file_exists","path":"n.md"},{"required":true,"kind":"file_unchanged","path":"n"},{"required":true,"kind":"command","argv":["grep","-q","TODO","n.md"],"expect_exit":1},{"required":true,"kind":"tests_executed","argv":["pytest"],"min":3}]}
    {"id":"least","lane":"main","work":{"kind":"agent","prompt":"看","tier":"medium","effect":"unsafe"},"gates":[{"required":true,"kind":"file_exists","path":"x"}]}
    "#);
}

#[test]
fn what_is_no_plan_is_told() {
    let texts: Vec<String> = [
        json!("first count, then write"),
        json!({}),
        json!({"items": []}),
        json!({"items": [{"kind": "command"}]}),
        json!({"items": [{"id": "a", "kind": "robot"}]}),
        json!({"items": [with(command("a"), &json!({"retries": 3}))]}),
        json!({"items": [with(command("a"), &json!({"gates": [{"kind": "file_exists", "file": "a"}]}))]}),
        json!({"items": [with(agent("a"), &json!({"budget_percent": 300}))]}),
    ]
    .iter()
    .map(|arguments| checked(arguments).unwrap_err())
    .collect();
    insta::assert_snapshot!(texts.join("\n"), @"
    the plan was not understood: the arguments are not valid JSON
    the plan was not understood: missing field `items`
    the plan does not hold:
    - items: a plan has at least one item
    the plan was not understood: `items[0]`: missing field `id`
    the plan was not understood: `items[0].kind`: unknown variant `robot`, expected `command` or `agent`
    the plan was not understood: `items[0].retries`: unknown field `retries`, expected one of `id`, `title`, `kind`, `needs`, `argv`, `prompt`, `tools`, `tier`, `effect`, `budget_percent`, `gates`
    the plan was not understood: `items[0].gates[0].file`: unknown field `file`, expected one of `kind`, `name`, `path`, `text`, `regex`, `argv`, `expect_exit`, `min`, `control`, `schema`, `schema_path`, `url`, `status`, `paths`, `max_files`, `judges`
    the plan was not understood: `items[0].budget_percent`: invalid value: integer `300`, expected u8
    ");
}

#[test]
fn the_shape_of_a_plan_is_checked() {
    let circle =
        json!([with(command("a"), &json!({"needs": ["b"]})), with(agent("b"), &json!({"needs": ["a"]}))]);
    let unknown = json!([command("build"), with(command("test"), &json!({"needs": ["biuld"]}))]);
    let twice = json!([command("a"), agent("a")]);
    insta::assert_snapshot!([told(&circle), told(&unknown), told(&twice)].join("\n"), @"
    the plan does not hold:
    - items[0].needs: the items need each other in a circle: a -> b -> a (remove one of these needs)
    the plan does not hold:
    - items[1].needs[0]: no item has the id `biuld` (did you mean `build`?)
    the plan does not hold:
    - items[1].id: an earlier item has the id `a` (ids are unique in a goal)
    ");
}

#[test]
fn an_item_needs_a_gate() {
    insta::assert_snapshot!(told(&json!([command("a"), with(agent("b"), &json!({"gates": []}))])), @"
    the plan does not hold:
    - items[1] (b): it needs at least one gate
    ");
}

#[test]
fn tools_are_those_that_there_are() {
    insta::assert_snapshot!(told(&json!([with(agent("a"), &json!({"tools": ["read_fil", "browse", "finish"]}))])), @"
    the plan does not hold:
    - items[0] (a): there is no tool `read_fil`; did you mean `read_file`? (there are list_dir, search_files, read_file, write_file, edit_file, run_command, finish)
    - items[0] (a): there is no tool `browse` (there are list_dir, search_files, read_file, write_file, edit_file, run_command, finish)
    ");
}

#[test]
fn a_gate_says_what_it_checks() {
    let gates = [
        json!([{"kind": "file_contains", "path": "a", "regex": "("}]),
        json!([{"kind": "file_contains", "path": "a"}]),
        json!([{"kind": "file_contains", "text": "x"}, {"kind": "file_exists"}]),
        json!([{"kind": "file_exists", "path": "../a"}]),
        json!([{"kind": "command"}]),
        json!([{"kind": "command", "argv": ["x"], "expect_exit": 300}]),
        json!([{"kind": "tests_executed", "argv": ["pytest"], "min": 0}]),
        json!([{"kind": "tests_executed"}]),
    ];
    let texts: Vec<String> =
        gates.iter().map(|gates| told(&json!([with(agent("a"), &json!({"gates": gates}))]))).collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    the plan does not hold:
    - items[0].gates[0].regex: not a regular expression: unclosed group (a plain text is looked for with `text`)
    the plan does not hold:
    - items[0].gates[0]: file_contains needs either `text` or `regex`
    the plan does not hold:
    - items[0] (a).gates[0]: this kind needs a `path`
    - items[0] (a).gates[1]: this kind needs a `path`
    the plan does not hold:
    - items[0].gates[0].path: `../a` leaves the workspace (paths are relative to the workspace and without `..`)
    the plan does not hold:
    - items[0].gates[0].argv: names no program (argv = ["program", "argument"])
    the plan does not hold:
    - items[0].gates[0].expect_exit: 300 is not an exit code (a program ends with 0 to 255)
    the plan does not hold:
    - items[0].gates[0].min: zero tests prove nothing (leave `min` out; it is 1)
    the plan does not hold:
    - items[0].gates[0].argv: an agent item has no output to read: name the test command
    "#);
}

#[test]
fn a_plan_may_have_every_kind_of_gate() {
    let gates = json!([
        {"kind": "json_schema", "path": "out.json", "schema": "{\"type\": \"object\", \"required\": [\"n\"]}"},
        {"kind": "json_schema", "path": "out.json", "schema": {"type": "object"}},
        {"kind": "json_schema", "path": "out.json", "schema": "", "schema_path": "schema.json"},
        {"kind": "http", "url": "http://127.0.0.1:8000/", "argv": ["python3", "-m", "http.server"], "text": "小马"},
        {"kind": "changes_within", "paths": ["src/**"], "max_files": 3},
        {"kind": "files_lack", "paths": ["src/**"], "regex": "TBD|WIP", "judges": []},
        {"kind": "command", "argv": ["sh", "check.sh"], "control": ["sh", "check.sh", "x"], "judges": ["lib/**"]},
    ]);
    let items = checked(&json!({"items": [with(agent("a"), &json!({"gates": gates}))]})).unwrap();
    let gates: Vec<String> = items[0].gates.iter().map(|gate| serde_json::to_string(gate).unwrap()).collect();
    insta::assert_snapshot!(gates.join("\n"), @r#"
    {"required":true,"kind":"json_schema","path":"out.json","schema":{"type":"object","required":["n"]}}
    {"required":true,"kind":"json_schema","path":"out.json","schema":{"type":"object"}}
    {"required":true,"kind":"json_schema","path":"out.json","schema_path":"schema.json"}
    {"required":true,"kind":"http","url":"http://127.0.0.1:8000/","text":"小马","argv":["python3","-m","http.server"]}
    {"required":true,"kind":"changes_within","paths":["src/**"],"max_files":3}
    {"required":true,"kind":"files_lack","paths":["src/**"],"regex":"TBD|WIP"}
    {"required":true,"judges":["lib/**"],"kind":"command","argv":["sh","check.sh"],"expect_exit":0,"control":["sh","check.sh","x"]}
    "#);
}

#[test]
fn a_gate_that_proves_nothing_is_told() {
    let gates = json!([
        {"kind": "command", "argv": ["sh", "-c", "cargo test || true"]},
        {"kind": "http", "url": "http://127.0.0.1:8000/"},
        {"kind": "http", "url": "http://example.org/", "argv": ["x"]},
        {"kind": "json_schema", "path": "a", "schema_path": "b", "paths": ["c"], "max_files": 1, "control": ["d"], "url": "e"},
    ]);
    let texts: Vec<String> = gates
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| told(&json!([with(agent("a"), &json!({"gates": [gate]}))])))
        .collect();
    insta::assert_snapshot!(texts.join("\n"), @"
    the plan does not hold:
    - items[0] (a).gates[0]: it ends with `|| true`, so it cannot fail and proves nothing
    the plan does not hold:
    - items[0] (a).gates[0]: `http` needs an `argv`: the server that it asks, which is started for the check
    the plan does not hold:
    - items[0].gates[0].url: the host is not 127.0.0.1, [::1] or localhost (only servers on this machine are asked, such as http://127.0.0.1:8000/)
    the plan does not hold:
    - items[0] (a).gates[0]: this kind has no `control`, so it would not be checked; it is for `command` and `tests_executed`
    - items[0] (a).gates[0]: this kind has no `url`, so it would not be checked; it is for `http`
    - items[0] (a).gates[0]: this kind has no `paths`, so it would not be checked; it is for `changes_within` and `files_lack`
    - items[0] (a).gates[0]: this kind has no `max_files`, so it would not be checked; it is for `changes_within`
    ");
    let broken = json!([{"kind": "json_schema", "path": "a", "schema": "{"}]);
    insta::assert_snapshot!(told(&json!([with(agent("a"), &json!({"gates": broken}))])), @"the plan was not understood: `items[0].gates[0].schema`: not a JSON Schema: EOF while parsing an object at line 1 column 1");
}

#[test]
fn keys_of_another_kind_are_told() {
    let items = json!([
        with(
            command("a"),
            &json!({"prompt": "写", "tools": ["read_file"], "tier": "simple", "budget_percent": 5})
        ),
        with(agent("b"), &json!({"argv": ["true"]})),
        with(command("c"), &json!({"argv": []})),
        with(agent("d"), &json!({"prompt": " "})),
    ]);
    insta::assert_snapshot!(told(&items), @r#"
    the plan does not hold:
    - items[0] (a): a command has no `prompt`; it has `argv`
    - items[1] (b): an agent has no `argv`; it has a `prompt`
    - items[2].argv: names no program (argv = ["program", "argument"])
    - items[3].prompt: an agent item needs a prompt
    "#);
    let gates = json!([
        {"kind": "file_exists", "path": "a", "text": "x"},
        {"kind": "file_contains", "path": "a", "text": "x", "argv": ["true"]},
        {"kind": "command", "argv": ["true"], "path": "a"},
        {"kind": "tests_executed", "argv": ["pytest"], "expect_exit": 1},
    ]);
    insta::assert_snapshot!(told(&json!([with(agent("a"), &json!({"gates": gates}))])), @"
    the plan does not hold:
    - items[0] (a).gates[0]: this kind has no `text`, so it would not be checked; it is for `file_contains`, `http` and `files_lack`
    - items[0] (a).gates[1]: this kind has no `argv`, so it would not be checked; it is for `command`, `tests_executed` and `http`
    - items[0] (a).gates[2]: this kind has no `path`, so it would not be checked; it is for the kinds that begin with `file_`, and `json_schema`
    - items[0] (a).gates[3]: this kind has no `expect_exit`, so it would not be checked; it is for `command`
    ");
}

#[test]
fn shares_are_of_one_budget() {
    let share = |id: &str, percent: u8| with(agent(id), &json!({"budget_percent": percent}));
    assert!(checked(&json!({"items": [share("a", 60), share("b", 40)]})).is_ok());
    insta::assert_snapshot!([
        told(&json!([share("a", 60), share("b", 41)])),
        told(&json!([share("a", 0)])),
    ].join("\n"), @"
    the plan does not hold:
    - budget_percent: all shares together are 101 percent, at most 100
    the plan does not hold:
    - items[0].budget_percent: a share is 1 to 100 percent
    ");
}

#[test]
fn a_plan_is_short_and_so_are_its_problems() {
    let many: Vec<Value> = (0..60).map(|n| with(command(&format!("i{n}")), &json!({"gates": []}))).collect();
    insta::assert_snapshot!(told(&json!(many)), @"
    the plan does not hold:
    - items: 60 items, at most 50 are allowed
    - items[0] (i0): it needs at least one gate
    - items[1] (i1): it needs at least one gate
    - items[2] (i2): it needs at least one gate
    - items[3] (i3): it needs at least one gate
    - items[4] (i4): it needs at least one gate
    - items[5] (i5): it needs at least one gate
    - items[6] (i6): it needs at least one gate
    - items[7] (i7): it needs at least one gate
    - items[8] (i8): it needs at least one gate
    - items[9] (i9): it needs at least one gate
    - items[10] (i10): it needs at least one gate
    - items[11] (i11): it needs at least one gate
    - items[12] (i12): it needs at least one gate
    - items[13] (i13): it needs at least one gate
    - items[14] (i14): it needs at least one gate
    - items[15] (i15): it needs at least one gate
    - items[16] (i16): it needs at least one gate
    - items[17] (i17): it needs at least one gate
    - items[18] (i18): it needs at least one gate
    - and 41 more
    ");
    let all: Vec<Value> = (0..ITEMS_MAX).map(|n| command(&format!("i{n}"))).collect();
    assert_eq!(checked(&json!({"items": all})).unwrap().len(), ITEMS_MAX);
}

#[test]
fn a_model_is_told_the_form_of_a_plan() {
    let (registry, allowed) = (Registry::builtin().with(SubmitPlan), pb_tools::Allowed::only([SUBMIT_PLAN]));
    let specs = registry.specs(&allowed);
    insta::assert_json_snapshot!(specs);
}
