//! Goals written as goal files: what was asked, and what became a plan.

use std::collections::BTreeMap;
use std::path::Path;

use insta::assert_snapshot;
use pb_model::goal::{Command, DayBudget, GoalState, Moment, decide, evolve};
use pb_model::goal_file::{self, ResolveContext};
use pb_model::spec::{GoalSpec, INPUTS_MAX, SuccessCriterion};
use pb_model::{EscalationId, GoalId, ItemId};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::any_goal::any_goal;

/// The goal that a goal file is, as a person finds it who saved it somewhere.
fn read(file: &str) -> GoalSpec {
    let set = BTreeMap::new();
    let context = ResolveContext { cwd: Path::new("/cwd"), file_dir: Path::new("/dir"), set: &set };
    let read = goal_file::parse(file).and_then(|parsed| parsed.resolve(&context));
    read.unwrap_or_else(|problems| panic!("{problems}\n{file}"))
}

/// The goal as its file reads; it must mean the same.
fn check(goal: Value) -> String {
    let goal: GoalSpec = serde_json::from_value(goal).unwrap();
    let file = goal_file::render(&goal);
    assert_eq!(read(&file), goal);
    file
}

/// The goal with its plan made.
fn planned(spec: &GoalSpec) -> GoalState {
    let moment = Moment {
        now_ms: 1,
        escalation: EscalationId::from(Uuid::from_u128(1)),
        run: pb_model::RunId::from(uuid::Uuid::nil()),
        seed: 1,
        day: DayBudget::default(),
    };
    let ids = (0..spec.items.len()).map(|n| ItemId::from(Uuid::from_u128(n as u128))).collect();
    let submit = Command::Submit {
        id: GoalId::from(Uuid::from_u128(7)),
        spec: Box::new(spec.clone()),
        by: "ann".to_owned(),
    };
    let mut state = None;
    for command in [submit, Command::Plan { items: ids }] {
        for event in decide(state.as_ref(), command, moment.clone()).unwrap() {
            state = evolve(state, &event, moment.now_ms);
        }
    }
    state.unwrap()
}

fn tiny(title: &str, inputs: BTreeMap<String, String>) -> GoalSpec {
    GoalSpec { title: title.to_owned(), description: title.to_owned(), inputs, ..read("title = 't'") }
}

#[test]
fn a_goal_of_commands() {
    let file = check(json!({
        "title": "Changelog of /srv/lib",
        "description": "List every commit in CHANGELOG.md.\nNewest first.\n",
        "workspace": "/home/ann/日志",
        "priority": 70,
        "tags": ["报告", "weekly"],
        "inputs": {"repo": "/srv/lib", "since": ""},
        "budget_time_minutes": 10,
        "budget_cost_usd": 1.5,
        "success_criteria": [{"description": "CHANGELOG.md lists every commit"}],
        "items": [
            {"id": "history", "title": "Read the history", "work": {
                "kind": "command",
                "argv": ["sh", "-ec", "git -C \"$PB_INPUT_REPO\" log --format='%h\\t%s' > history.tsv\nwc -l < history.tsv\n"],
                "env": {"LC_ALL": "C", "odd name": "\"quoted\""},
                "time_limit_s": 120,
                "effect": "idempotent",
                "tcp_ports": [8080, 9090],
            }, "gates": [
                {"kind": "file_contains", "path": "history.tsv", "regex": "^[0-9a-f]{4,}\\t"},
                {"kind": "file_unchanged", "path": "README.md", "required": false},
            ]},
            {"id": "write", "needs": ["history"], "max_retries": 2, "lane": "cron", "work": {
                "kind": "command",
                "argv": ["python3", "-m", "changelog", "--input", "history.tsv", "--output", "CHANGELOG.md", "--title", "What's new"],
            }, "gates": [
                {"kind": "command", "name": "as many as git counts", "argv": ["grep", "-c", "^- "], "cwd": "out", "expect_exit": 1, "time_limit_s": 90},
                {"kind": "tests_executed", "argv": ["cargo", "test"], "min": 3, "time_limit_s": 7200},
            ]},
        ],
    }));
    assert_snapshot!(file);
}

#[test]
fn a_goal_of_agents() {
    let file = check(json!({
        "title": "帮我修复测试",
        "description": "帮我修复测试",
        "model": "anthropic/claude",
        "budget_tokens": 200_000,
        "budget_turns": 80,
        "success_criteria": [
            {"description": "all tests pass"},
            {"description": "the change is small", "type": "heuristic", "verification_method": "read the diff", "required": false},
        ],
        "items": [
            {"id": "修复", "title": "修复失败的测试", "description": "Only what fails.", "work": {
                "kind": "agent",
                "prompt": "Run the tests and mend what fails.\n\nLook at `src\\lib.rs` first:\n- it says \"don't\"\n- 不要改动其他文件\n",
                "tools": ["read_file", "edit_file", "run_command"],
                "tier": "complex",
                "effect": "idempotent",
                "max_turns": 60,
                "budget_percent": 80,
            }, "gates": [{"kind": "tests_executed", "argv": ["cargo", "test"]}]},
            {"id": "report", "needs": ["修复"], "work": {"kind": "agent", "prompt": "Write report.md", "model": "local/small"},
             "gates": [{"kind": "file_exists", "path": "report.md"}, {"kind": "file_contains", "path": "report.md", "text": "修复"}]},
        ],
    }));
    assert_snapshot!(file);
}

#[test]
fn braces_that_are_no_input() {
    let text = |title: &str, inputs: &[(&str, &str)]| {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        goal_file::render(&tiny(title, inputs))
    };
    assert_snapshot!(text("Explain {{name}}, {{{b}}} and {{.Go}}", &[("name", "x")]), @r#"
    # The plan of a goal, as a goal file: edit it, and run it with: pb run FILE
    title = "Explain {{{{nothing}}name}}, {{{{{nothing}}b}}} and {{.Go}}"

    [inputs]
    name = "x"
    nothing = { description = "Nothing: it keeps braces from being read as an input", default = "" }
    "#);
    assert_snapshot!(text("Explain {{name}}", &[("Nothing", "taken"), ("nothing-2", "taken")]), @r#"
    # The plan of a goal, as a goal file: edit it, and run it with: pb run FILE
    title = "Explain {{{{nothing_3}}name}}"

    [inputs]
    Nothing = "taken"
    nothing-2 = "taken"
    nothing_3 = { description = "Nothing: it keeps braces from being read as an input", default = "" }
    "#);
    assert_snapshot!(text("Explain {{name}}", &[("nothing", "")]), @r#"
    # The plan of a goal, as a goal file: edit it, and run it with: pb run FILE
    title = "Explain {{{{nothing}}name}}"

    [inputs]
    nothing = { description = "Nothing: it keeps braces from being read as an input", default = "" }
    "#);
    assert_snapshot!(text("Explain {{.Go}}", &[("nothing", "")]), @r#"
    # The plan of a goal, as a goal file: edit it, and run it with: pb run FILE
    title = "Explain {{.Go}}"

    [inputs]
    nothing = ""
    "#);
}

#[test]
fn a_goal_with_all_inputs_that_there_may_be_has_one_too_many() {
    let inputs = (0..INPUTS_MAX).map(|n| (format!("i{n}"), String::new())).collect();
    let file = goal_file::render(&tiny("{{name}}", inputs));
    assert_snapshot!(goal_file::parse(&file).unwrap_err(), @"line 4, column 1: 65 inputs, at most 64 are allowed");
}

#[test]
fn what_a_planned_goal_says_by_default_is_not_written() {
    let text = "title = 't'\n[[items]]\nid = 'a'\ntitle = 'a'\nmax_retries = 0\nkind = 'command'\nargv = ['true']\n\
                [[items]]\nid = 'b'\nneeds = ['a']\nmax_retries = 3\nkind = 'agent'\nprompt = 'p'\n";
    assert_snapshot!(goal_file::render(&planned(&read(text)).plan_spec()), @r#"
    # The plan of a goal, as a goal file: edit it, and run it with: pb run FILE
    title = "t"

    [[items]]
    id = "a"
    kind = "command"
    argv = ["true"]

    [[items]]
    id = "b"
    needs = ["a"]
    kind = "agent"
    prompt = "p"
    "#);
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same_goal(goal in any_goal()) {
        let file = goal_file::render(&goal);
        let read_back = read(&file);
        let mut expected = goal.clone();
        if goal.success_criteria == [SuccessCriterion::of_a_goal_without()] {
            expected.success_criteria.clear();
        }
        let added = read_back.inputs.iter().filter(|(name, _)| !goal.inputs.contains_key(*name));
        let added: Vec<(String, String)> = added.map(|(name, value)| (name.clone(), value.clone())).collect();
        prop_assert!(added.len() <= 1 && added.iter().all(|(_, value)| value.is_empty()), "{added:?}");
        expected.inputs.extend(added);
        prop_assert_eq!(&read_back, &expected, "{}", file);
        // Written once more it needs nothing more.
        prop_assert_eq!(read(&goal_file::render(&read_back)), read_back);
    }

    #[test]
    fn a_planned_goal_is_what_was_asked(goal in any_goal().prop_filter("a plan", |goal| !goal.items.is_empty())) {
        let mut expected = goal.clone();
        if expected.success_criteria.is_empty() {
            expected.success_criteria.push(SuccessCriterion::of_a_goal_without());
        }
        for item in &mut expected.items {
            let is_default = |item: &pb_model::ItemSpec| {
                let bare = pb_model::ItemSpec { max_retries: None, ..item.clone() };
                item.retries() == bare.retries()
            };
            if is_default(item) {
                item.max_retries = None;
            }
            item.title = item.title.take().filter(|title| *title != item.id);
        }
        let state = planned(&goal);
        prop_assert!(state.goal.spec.items.is_empty());
        prop_assert_eq!(state.plan_spec(), expected);
    }
}
