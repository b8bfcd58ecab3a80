//! Goal files: text in, a goal or located problems out.

use std::collections::BTreeMap;
use std::path::Path;

use insta::{assert_json_snapshot, assert_snapshot};
use pb_model::goal_file::{self, ResolveContext};
use pb_model::spec::GoalSpec;
use proptest::prelude::*;

const GOOD: &str = include_str!("good.toml");

/// What a person is told about a file.
fn check(text: &str) -> String {
    match goal_file::parse(text) {
        Ok(_) => "ok".to_owned(),
        Err(problems) => problems.to_string(),
    }
}

/// What a person is told about an item, given the lines after its id.
fn check_item(rest: &str) -> String {
    check(&format!("title = \"t\"\n[[items]]\nid = \"a\"\n{rest}"))
}

/// What a person is told about a gate, given its lines.
fn check_gate(rest: &str) -> String {
    check_item(&format!("kind = \"command\"\nargv = [\"true\"]\n[[items.gates]]\n{rest}"))
}

fn resolve(text: &str, set: &[(&str, &str)]) -> Result<GoalSpec, String> {
    let set: BTreeMap<String, String> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let context =
        ResolveContext { cwd: Path::new("/home/ann/work"), file_dir: Path::new("/srv/goals"), set: &set };
    goal_file::parse(text).and_then(|file| file.resolve(&context)).map_err(|problems| problems.to_string())
}

fn refused(text: &str, set: &[(&str, &str)]) -> String {
    match resolve(text, set) {
        Ok(_) => "ok".to_owned(),
        Err(problems) => problems,
    }
}

fn repeated(times: std::ops::Range<usize>, text: impl Fn(usize) -> String) -> String {
    times.map(text).collect()
}

#[test]
fn a_good_file() {
    let set = [("repo", "../lib"), ("limit", "a.b")];
    assert_json_snapshot!(resolve(GOOD, &set).unwrap());
}

#[test]
fn the_least_file() {
    assert_json_snapshot!(resolve("title = 't'", &[]).unwrap(), @r#"
    {
      "title": "t",
      "description": "t",
      "success_criteria": [],
      "priority": 50
    }
    "#);
}

#[test]
fn the_schema_knows_the_keys_that_the_reader_knows() {
    let schema = goal_file::json_schema();
    let keys = |object: &serde_json::Value| {
        let mut keys: Vec<String> = object["properties"].as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys.join(", ")
    };
    let told = |problems: String| {
        let (_, list) = problems.rsplit_once(": ").unwrap();
        let mut keys: Vec<&str> = list.trim_end_matches(')').split(", ").collect();
        keys.sort_unstable();
        keys.join(", ")
    };
    let root = "title = 't'\n";
    assert_eq!(told(check(&format!("{root}zzzzzzzzz = 1"))), keys(&schema));
    let definitions = &schema["definitions"];
    assert_eq!(told(check(&format!("{root}[budget]\nzzzzzzzzz = 1"))), keys(&definitions["Budget"]));
    assert_eq!(told(check(&format!("{root}[inputs]\na = {{ zzzzzzzzz = 1 }}"))), keys(&definitions["Input"]));
    let criterion = format!("{root}[[success_criteria]]\ndescription = 'd'\nzzzzzzzzz = 1");
    assert_eq!(told(check(&criterion)), keys(&definitions["Criterion"]));
    for (kind, required) in
        definitions["Item"]["oneOf"].as_array().unwrap().iter().zip(["argv = ['a']", "prompt = 'p'"])
    {
        let name = &kind["properties"]["kind"]["const"];
        assert_eq!(told(check_item(&format!("kind = {name}\n{required}\nzzzzzzzzz = 1"))), keys(kind));
        assert_eq!(kind["additionalProperties"], false);
    }
    for kind in definitions["Gate"]["oneOf"].as_array().unwrap() {
        let required = |key: &str| kind["required"].as_array().unwrap().iter().any(|k| k == key);
        let path = if required("path") { "path = 'p'\n" } else { "" };
        let argv = if required("argv") { "argv = ['a']\n" } else { "" };
        let url = if required("url") { "url = 'http://localhost/'\n" } else { "" };
        let paths = if required("paths") { "paths = ['p']\n" } else { "" };
        let name = &kind["properties"]["kind"]["const"];
        let gate = format!("kind = {name}\n{path}{argv}{url}{paths}zzzzzzzzz = 1");
        assert_eq!(told(check_gate(&gate)), keys(kind));
        assert_eq!(kind["additionalProperties"], false);
    }
}

#[test]
fn the_schema() {
    assert_json_snapshot!(goal_file::json_schema());
}

#[test]
fn syntax_errors() {
    assert_snapshot!(check("title = \"t\"\npriority = = 5\n[[items]\nid = unquoted\n"), @"
    line 2, column 12: extra `=`, expected nothing
    line 3, column 9: unclosed array table, expected `]` (close it with `]`; a list of tables has two, as [[items]])
    ");
    assert_snapshot!(check("title = 't'\ntitle = 'u'\n"), @"line 2, column 1: duplicate key (a key and a table stand once; a list of tables has two brackets, as [[items]])");
    assert_snapshot!(check("title = \"t"), @r#"line 1, column 11: invalid basic string, expected `"` (close the text with a quote on its line; several lines stand between """)"#);
    assert_snapshot!(check("title = 't'\n[items]\n[[items]]\n"), @"line 3, column 3: duplicate key (a key and a table stand once; a list of tables has two brackets, as [[items]])");
    assert_snapshot!(check(&format!("a = {}1", "[".repeat(500))), @"line 1, column 85: cannot recurse further; max recursion depth met");
    assert_snapshot!(check(&" ".repeat(goal_file::GOAL_FILE_BYTES_MAX + 1)), @"line 1, column 1: the file has 1048577 bytes, at most 1048576 are allowed");
}

#[test]
fn keys() {
    assert_snapshot!(check(""), @r#"line 1, column 1: the goal has no `title` (add title = "…")"#);
    assert_snapshot!(check("titel = 't'\npriorty = 1\nqqq = 1\n[budget]\ntoken = 1\n[[success_criteria]]\ntext = 'x'\n"), @r#"
    line 1, column 1: unknown key `titel` (did you mean `title`?)
    line 2, column 1: unknown key `priorty` (did you mean `priority`?)
    line 3, column 1: unknown key `qqq` (the goal may have: inputs, title, description, workspace, priority, model, tags, deadline, ask, max_questions, answer_within, approve, approve_plan, max_added_items, budget, success_criteria, items)
    line 5, column 1: unknown key `token` (did you mean `tokens`?)
    line 6, column 1: success criterion 1 has no `description` (add description = "…")
    line 7, column 1: unknown key `text` (success criterion 1 may have: description, type, verification_method, required)
    "#);
    assert_snapshot!(check_item("kind = 'command'\narvg = ['true']\nprompt = 'p'"), @r#"
    line 5, column 1: item `a`: unknown key `arvg` (did you mean `argv`?)
    line 6, column 1: item `a`: unknown key `prompt` (`prompt` is of items with kind = "agent")
    "#);
    assert_snapshot!(check_item("kind = 'command'\nargv = ['true']\nworkspace = '.'\n[[items.gates]]\nkind = 'file_exists'\npath = 'p'\nneeds = []\ntags = []\ntext = 'x'"), @"
    line 6, column 1: item `a`: unknown key `workspace` (it belongs to the goal: put it above the header of item `a`)
    line 10, column 1: gate 1 of item `a`: unknown key `needs` (it belongs to the item: put it above the header of gate 1 of item `a`)
    line 11, column 1: gate 1 of item `a`: unknown key `tags` (it belongs to the goal: put it above the header of gate 1 of item `a`)
    line 12, column 1: gate 1 of item `a`: unknown key `text` (gate 1 of item `a` may have: name, required, judges, may_change, kind, path)
    ");
    assert_snapshot!(check("title = 't'\n[[items]]\n[[items]]\nkind = 'agent'\n[[items]]\nid = 'c'\nargv = ['x']\n"), @r#"
    line 2, column 1: item 1 has no `kind` (add kind = "command" or kind = "agent")
    line 2, column 1: item 1 has no `id` (add id = "…")
    line 3, column 1: item 2 has no `id` (add id = "…")
    line 3, column 1: item 2 has no `prompt` (add prompt = "…")
    line 5, column 1: item `c` has no `kind` (add kind = "command")
    "#);
    assert_snapshot!(check_item("kind = 'comand'\nargv = ['true']"), @"line 4, column 8: item `a`: `kind` is `comand` (did you mean `command`?)");
    assert_snapshot!(check_item("kind = 'shell'"), @"line 4, column 8: item `a`: `kind` is `shell` (write one of: command, agent)");
    assert_snapshot!(check_gate("path = 'x'"), @"line 6, column 1: gate 1 of item `a` has no `kind` (one of: command, file_exists, file_contains, file_unchanged, tests_executed, json_schema, http, changes_within, files_lack, review)");
    assert_snapshot!(check_gate("kind = 'file_exist'\npath = 'x'"), @"line 7, column 8: gate 1 of item `a`: `kind` is `file_exist` (did you mean `file_exists`?)");
    assert_snapshot!(check_gate("kind = 'file_contains'\ntext = 'x'"), @r#"line 6, column 1: gate 1 of item `a` has no `path` (add path = "…")"#);
}

#[test]
fn types() {
    assert_snapshot!(check("title = 5\npriority = 'high'\ntags = 'a'\nworkspace = ['.']\nbudget = 5\nsuccess_criteria = [5]\nitems = 'x'"), @r#"
    line 1, column 9: `title` is an integer, expected a string (put it in quotes)
    line 2, column 12: `priority` is a string, expected a whole number (write only the number, without quotes)
    line 3, column 8: `tags` is a string, expected an array of strings (write it as tags = ["…", "…"])
    line 4, column 13: `workspace` is an array, expected a string
    line 5, column 10: `budget` is an integer, expected a table (write [budget], and its keys below it)
    line 6, column 21: `success_criteria[0]` is an integer, expected a string or a table
    line 7, column 9: `items` is a string, expected an array of tables (write [[items]] with two brackets)
    "#);
    assert_snapshot!(check("title = 't'\npriority = 300\n[budget]\ntokens = -1\ntime_minutes = 1.5\ncost_usd = 'x'\n[inputs]\nn = 5\nm = { default = 5, type = 'file' }\n"), @"
    line 2, column 12: `priority` is 300, expected a whole number from 0 to 100
    line 4, column 10: `tokens` is -1, expected a whole number from 0
    line 5, column 16: `time_minutes` is a float, expected a whole number
    line 6, column 12: `cost_usd` is a string, expected a number (write only the number, without quotes)
    line 8, column 5: `n` is an integer, expected a string or a table
    line 9, column 17: `default` is an integer, expected a string (put it in quotes)
    line 9, column 27: `type` is `file` (write one of: text, path)
    ");
    assert_snapshot!(check("title = 't'\n[items]\nid = 'a'\n[items.gates]\nkind = 'x'\n"), @"line 2, column 1: `items` is a table, expected an array of tables (write [[items]] with two brackets)");
    assert_snapshot!(check_item("kind = 'command'\nargv = 'ls -l'\nenv = { A = 1 }\nneeds = [1]\ntcp_ports = [0, 70000, 'x']"), @r#"
    line 5, column 8: item `a`: `argv` is a string, expected an array of strings (write it as argv = ["…", "…"])
    line 6, column 13: item `a`: `A` is an integer, expected a string (put it in quotes)
    line 7, column 10: item `a`: `needs[0]` is an integer, expected a string (put it in quotes)
    line 8, column 14: item `a`: `tcp_ports[0]` is 0, expected a whole number from 1 to 65535
    line 8, column 17: item `a`: `tcp_ports[1]` is 70000, expected a whole number from 1 to 65535
    line 8, column 24: item `a`: `tcp_ports[2]` is a string, expected a whole number (write only the number, without quotes)
    "#);
    assert_snapshot!(check_item("kind = 'command'\nargv = ['ls']\nlane = 'mian'\neffect = 'safe'\nmax_retries = 11\ngates = [1]"), @"
    line 6, column 8: item `a`: `lane` is `mian` (did you mean `main`?)
    line 7, column 10: item `a`: `effect` is `safe` (did you mean `unsafe`?)
    line 8, column 15: item `a`: `max_retries` is 11, expected a whole number from 0 to 10
    line 9, column 10: gate 1 of item `a`: `gates[0]` is an integer, expected a table (write [[items.gates]], and its keys below it)
    ");
    assert_snapshot!(check("title = 't'\nitems = [1, { id = 'b', kind = 'command', argv = [''] }]"), @r#"
    line 2, column 10: item 1: `items[0]` is an integer, expected a table (write [[items]], and its keys below it)
    line 2, column 50: item `b`: `argv`: names no program (argv = ["program", "argument"])
    "#);
    assert_snapshot!(check_gate("kind = 'command'\nargv = ['x']\nexpect_exit = 256\nrequired = 'no'"), @"
    line 9, column 15: gate 1 of item `a`: `expect_exit` is 256, expected a whole number from 0 to 255
    line 10, column 12: gate 1 of item `a`: `required` is a string, expected `true` or `false` (write one of the two, without quotes)
    ");
    assert_snapshot!(check_gate("kind = 'tests_executed'\nmin = 99999999999999999999"), @"line 8, column 7: gate 1 of item `a`: `min` is 99999999999999999999, expected a whole number from 0");
}

#[test]
fn time_limits() {
    let limit =
        |written: &str| check_item(&format!("kind = 'command'\nargv = ['x']\ntime_limit = {written}"));
    for good in ["90", "'90s'", "'10m'", "'24h'", "0x10"] {
        assert_eq!(limit(good), "ok");
    }
    assert_snapshot!(limit("'10 minutes'"), @r#"line 6, column 14: item `a`: `time_limit` is `10 minutes` (write it like "90s", "10m" or "2h")"#);
    assert_snapshot!(limit("''"), @r#"line 6, column 14: item `a`: `time_limit` is `` (write it like "90s", "10m" or "2h")"#);
    assert_snapshot!(limit("'s'"), @r#"line 6, column 14: item `a`: `time_limit` is `s` (write it like "90s", "10m" or "2h")"#);
    assert_snapshot!(limit("'-5s'"), @r#"line 6, column 14: item `a`: `time_limit` is `-5s` (write it like "90s", "10m" or "2h")"#);
    assert_snapshot!(limit("'99999999999999999999h'"), @r#"line 6, column 14: item `a`: `time_limit` is `99999999999999999999h` (write it like "90s", "10m" or "2h")"#);
    assert_snapshot!(limit("1.5"), @"line 6, column 14: item `a`: `time_limit` is a float, expected a whole number");
    assert_snapshot!(limit("-1"), @"line 6, column 14: item `a`: `time_limit` is -1, expected a whole number from 0");
    assert_snapshot!(limit("0"), @"line 6, column 14: item `a`: `time_limit`: a time limit is above zero");
    assert_snapshot!(limit("'25h'"), @r#"line 6, column 14: item `a`: `time_limit`: longer than 86400 s (at most "24h")"#);
}

#[test]
fn what_makes_no_sense() {
    assert_snapshot!(check("title = ' '\nworkspace = '~/x'\n[budget]\ntokens = 0\n[[items]]\nid = 'a b'\nkind = 'agent'\nprompt = 'p'\n[[items]]\nid = 'b'\nkind = 'agent'\nprompt = ''\n"), @r#"
    line 1, column 9: `title`: a title is not empty
    line 2, column 13: `workspace`: `~/x`: `~` is not expanded (write the whole path, or "$HOME/…" in a shell)
    line 6, column 6: item `a b`: `id`: `a b` is not an item id (1 to 64 letters, digits, `-`, `_` or `.`)
    line 12, column 10: item `b`: `prompt`: an agent item needs a prompt
    "#);
    assert_snapshot!(check_item("kind = 'command'\nargv = ['true']\ncwd = '../x'"), @"line 6, column 7: item `a`: `cwd`: `../x` leaves the workspace (paths are relative to the workspace and without `..`)");
    assert_snapshot!(check_item("kind = 'command'\nargv = ['true']\n[items.env]\nPB_X = '1'"), @"line 6, column 1: item `a`: `env`: `PB_X`: names that start with PB_ are ours");
    assert_snapshot!(check_item("kind = 'command'\nargv = ['true']\nneeds = [\n  'a',\n]"), @"line 6, column 9: item `a`: `needs`: the items need each other in a circle: a -> a (remove one of these needs)");
    assert_snapshot!(check_item("kind = 'agent'\nprompt = 'p'\n[[items]]\nid = 'a'\nkind = 'agent'\nprompt = 'p'"), @"line 7, column 6: item `a`: `id`: an earlier item has the id `a` (ids are unique in a goal)");
    assert_snapshot!(check_item("kind = 'agent'\nprompt = 'p'\n[[items]]\nid = 'build'\nkind = 'agent'\nprompt = 'p'\nneeds = ['a', 'biuld']"), @"line 10, column 15: item `build`: `needs`: no item has the id `biuld` (did you mean `build`?)");
    assert_snapshot!(check_gate("kind = 'file_contains'\npath = 'p'"), @"line 6, column 1: gate 1 of item `a`: file_contains needs either `text` or `regex`");
    assert_snapshot!(check_gate("kind = 'file_contains'\npath = 'p'\nregex = 'a('"), @"line 9, column 9: gate 1 of item `a`: `regex`: not a regular expression: unclosed group (a plain text is looked for with `text`)");
    assert_snapshot!(check_gate("kind = 'tests_executed'\nmin = 0"), @"line 8, column 7: gate 1 of item `a`: `min`: zero tests prove nothing (leave `min` out; it is 1)");
    assert_snapshot!(check_item("kind = 'agent'\nprompt = 'p'\n[[items.gates]]\nkind = 'tests_executed'"), @"line 6, column 1: gate 1 of item `a`: `argv`: an agent item has no output to read: name the test command");
}

#[test]
fn limits() {
    let items = repeated(0..201, |n| format!("[[items]]\nid = 'i{n}'\nkind = 'agent'\nprompt = ''\n"));
    assert_snapshot!(check(&format!("title = ''\n{items}")), @"
    line 1, column 9: `title`: a title is not empty
    line 2, column 1: `items`: 201 items, at most 200 are allowed (split the goal)
    ");
    assert_snapshot!(check_gate(&format!("{}kind = 'file_exists'\npath = 'p'", "kind = 'file_exists'\npath = 'p'\n[[items.gates]]\n".repeat(32))), @"line 6, column 1: item `a`: `gates`: 33 gates, at most 32 are allowed");
    let inputs = repeated(0..65, |n| format!("i{n} = ''\n"));
    assert_snapshot!(check(&format!("title = '{{{{i64}}}}'\n[inputs]\n{inputs}")), @"line 2, column 1: 65 inputs, at most 64 are allowed");
    let long = "x".repeat(goal_file::INPUT_BYTES_MAX + 1);
    assert_snapshot!(check(&format!("title = 't'\n[inputs]\na = '{long}'\n{long} = ''")), @"
    line 3, column 5: the default is longer than 65536 bytes
    line 4, column 1: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is not an input name (up to 64 letters a to z, digits, `-` and `_`, not starting with a digit or `-`)
    ");
}

#[test]
fn one_pass_finds_what_is_wrong_with_each_part() {
    assert_snapshot!(check("titel = 't'\n[[items]]\nid = 'a'\nkind = 'agent'\nprompt = ''\n[[items]]\nid = 'b'\nkind = 'agent'\nprmpt = ''\nneeds = ['zz']\n"), @"
    line 1, column 1: unknown key `titel` (did you mean `title`?)
    line 5, column 10: item `a`: `prompt`: an agent item needs a prompt
    line 9, column 1: item `b`: unknown key `prmpt` (did you mean `prompt`?)
    ");
    let many = repeated(0..150, |n| format!("k{n:03} = 1\n"));
    let problems = goal_file::parse(&format!("title = 't'\n{many}")).unwrap_err();
    assert_eq!((problems.iter().count(), problems.left_out()), (goal_file::PROBLEMS_MAX, 50));
    assert!(problems.to_string().ends_with("\nand 50 more"));
}

#[test]
fn columns_count_characters_in_any_script_and_line_ending() {
    assert_snapshot!(check("title = '统计 🐇 {{仓库}} {{repp}}'\n[inputs]\nrepo = '.'\n"), @"line 1, column 22: no input is named `repp` (did you mean `repo`?)");
    assert_snapshot!(check("title = '统计'; 仓库 = 1\n"), @"line 1, column 13: unexpected key or value, expected newline, `#`");
    assert_snapshot!(check("title = '统计'\r\ntags = ['中文', 5]\r\n\r\n[[items]]\r\nid = '计数'\r\nkind = 'agent'\r\nprompt = '数一数'\r\nneeds = ['计算', '计書']\r\n"), @"
    line 2, column 15: `tags[1]` is an integer, expected a string (put it in quotes)
    line 8, column 10: item `计数`: `needs`: no item has the id `计算` (did you mean `计数`?)
    ");
    assert_snapshot!(check("\u{feff}titel = '统计'\n"), @"line 1, column 1: unknown key `titel` (did you mean `title`?)");
    assert_eq!(check("title = '统计'\n[[items]]\nid = '计数'\nkind = 'agent'\nprompt = '数'\n"), "ok");
}

#[test]
fn inputs() {
    assert_snapshot!(check("title = '{{repo}}'\n"), @r#"line 1, column 10: no input is named `repo` (declare it: [inputs] repo = "…")"#);
    assert_snapshot!(check("title = \"\\u007b{ repp }} {{repp}}\"\n[inputs]\nrepo = '.'\n"), @"
    line 1, column 9: no input is named `repp` (did you mean `repo`?)
    line 1, column 9: no input is named `repp` (did you mean `repo`?)
    ");
    assert_snapshot!(check("title = 't'\n[inputs]\n'1a' = 'x'\n'仓库' = 'x'\na-b = ''\na_b = ''\n"), @"
    line 3, column 1: `1a` is not an input name (up to 64 letters a to z, digits, `-` and `_`, not starting with a digit or `-`)
    line 4, column 1: `仓库` is not an input name (up to 64 letters a to z, digits, `-` and `_`, not starting with a digit or `-`)
    line 6, column 1: inputs `a-b` and `a_b` are both $PB_INPUT_A_B (rename one of them)
    ");
    assert_snapshot!(check("title = '{{.Name}} {{}} {{ 1 }} {{a'\n"), @"ok");
    assert_eq!(
        check_gate(
            "kind = 'file_contains'\npath = 'p'\nregex = '[a-{{z}}]{{{n}}}'\n[inputs]\nz = 'z'\nn = '2'"
        ),
        "ok"
    );
    assert_snapshot!(check_gate("kind = 'file_exists'\npath = '/{{z}}'\n[inputs]\nz = 'z'"), @"line 8, column 8: gate 1 of item `a`: `path`: `/x` leaves the workspace (paths are relative to the workspace and without `..`)");
}

#[test]
fn messages_are_safe_to_print() {
    assert_snapshot!(check(r#""a\u001b[31m\n" = 1"#), @r#"
    line 1, column 1: unknown key `a�[31m�` (the goal may have: inputs, title, description, workspace, priority, model, tags, deadline, ask, max_questions, answer_within, approve, approve_plan, max_added_items, budget, success_criteria, items)
    line 1, column 1: the goal has no `title` (add title = "…")
    "#);
    assert_snapshot!(check_item("kind = 'agent'\nprompt = 'p'\nneeds = [\"x\\u001b[2J\\ny\"]"), @"line 6, column 10: item `a`: `needs`: no item has the id `x�[2J�y` (known ids: a)");
    let long = check_item(&format!("kind = 'agent'\nprompt = 'p'\nneeds = ['{}']", "x".repeat(1000)));
    assert!(long.chars().count() < 500);
}

#[test]
fn values_that_do_not_resolve() {
    let text = "title = 't {{size}}'\nworkspace = '{{repo}}'\n[inputs]\nrepo = { description = 'the folder to read', type = 'path' }\nsize = 'big'\n";
    assert_snapshot!(refused(text, &[]), @"line 4, column 8: `repo`: this input (the folder to read) needs a value (add `--set repo=value`)");
    assert_snapshot!(refused(text, &[("rpeo", "x"), ("colour", "red")]), @"
    line 3, column 1: `--set colour=…`: no input is named `colour` (the inputs are: repo, size)
    line 3, column 1: `--set rpeo=…`: no input is named `rpeo` (did you mean `repo`?)
    line 4, column 8: `repo`: this input (the folder to read) needs a value (add `--set repo=value`)
    ");
    assert_snapshot!(refused("title = 't'", &[("a", "b")]), @"line 1, column 1: `--set a=…`: no input is named `a` (the file declares no inputs)");
    assert_snapshot!(refused(text, &[("repo", "~/x")]), @r#"line 4, column 8: `repo`: `~/x`: `~` is not expanded (write the whole path, or "$HOME/…" in a shell)"#);
    assert_snapshot!(refused(text, &[("repo", "")]), @r#"line 4, column 8: `repo`: a path is not empty (write "." for the folder itself)"#);
    assert_snapshot!(refused(text, &[("repo", "a\0b")]), @"line 4, column 8: `repo`: the value has a NUL byte");
    assert_snapshot!(refused(text, &[("repo", "."), ("size", "two\nlines")]), @"line 1, column 9: `title`: a title is one line without control characters");
    assert_snapshot!(refused(text, &[("repo", "."), ("size", &"x".repeat(goal_file::INPUT_BYTES_MAX + 1))]), @"line 5, column 8: `size`: the value is longer than 65536 bytes (pass large material as a file)");
    let wide = format!(
        "title = 't'\n[inputs]\na = ''\n[[items]]\nid = 'a'\nkind = 'command'\nargv = ['{}']\n",
        "{{a}}".repeat(100_000)
    );
    assert_snapshot!(refused(&wide, &[("a", &"x".repeat(100))]), @"line 2, column 1: `inputs`: the filled goal is larger than 4194304 bytes (pass large material as a file)");
    let gate = "title = 't'\n[inputs]\ndir = { type = 'path', default = '.' }\n[[items]]\nid = 'a'\nkind = 'command'\nargv = ['ls']\ncwd = '{{dir}}'\n";
    assert_snapshot!(refused(gate, &[]), @"line 8, column 7: item `a`: `cwd`: `/home/ann/work` leaves the workspace (paths are relative to the workspace and without `..`)");
}

#[test]
fn paths_are_made_absolute_and_normal() {
    let workspace = |written: &str, value: &str| {
        let text = format!(
            "title = 't'\nworkspace = '{written}'\n[inputs]\np = {{ type = 'path', default = '.' }}\n"
        );
        resolve(&text, &[("p", value)]).unwrap().workspace.unwrap()
    };
    assert_eq!(workspace("{{p}}", "."), "/home/ann/work");
    assert_eq!(workspace("{{p}}", "../lib/./x/.."), "/home/ann/lib");
    assert_eq!(workspace("{{p}}", "/opt/../../中文"), "/中文");
    assert_eq!(workspace("../{{p}}", "x"), "/srv/home/ann/work/x");
    assert_eq!(workspace("out", "x"), "/srv/goals/out");
    assert_eq!(workspace(".", "x"), "/srv/goals");
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in any::<String>(), toml in "[a-z{}\\[\\]\"'=., \n0-9#\\\\-]{0,200}") {
        let _ = check(&text);
        let _ = check(&toml);
    }

    #[test]
    fn any_mutation_of_a_good_file_is_read_without_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..20_usize, any::<prop::sample::Index>(), 0..80_usize), 1..6),
    ) {
        let mut chars: Vec<char> = GOOD.chars().collect();
        for (at, removed, from, copied) in edits {
            let at = at.index(chars.len());
            let from = from.index(chars.len());
            let piece: Vec<char> = chars.iter().skip(from).take(copied).copied().collect();
            let end = (at + removed).min(chars.len());
            chars.splice(at..end, piece);
            if chars.is_empty() {
                break;
            }
        }
        let text: String = chars.into_iter().collect();
        if let Err(problems) = goal_file::parse(&text) {
            let lines = text.split('\n').count();
            for problem in &problems {
                prop_assert!((1..=lines).contains(&problem.line));
                let line = text.split('\n').nth(problem.line - 1).unwrap_or_default();
                prop_assert!((1..=line.chars().count() + 1).contains(&problem.column));
                prop_assert!(!problem.message.contains('\n'));
            }
        } else {
            let _ = resolve(&text, &[]);
        }
    }
}
