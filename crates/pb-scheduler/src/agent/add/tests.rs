use pb_model::ItemId;
use pb_model::goal::Conversation;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::agent::scratch::{begun, goal};

/// A goal of one agent that may add items, with these lines more about the goal and about the agent.
fn adding(goal_lines: &str, item_lines: &str) -> GoalState {
    let file = format!(
        "title = '写一份报告'\n{goal_lines}\n[[items]]\nid = 'explore'\nkind = 'agent'\nprompt = 'Look.'\n\
         may_add_items = true\n{item_lines}"
    );
    begun(goal(&file), Some("explore"))
}

fn checked(state: &GoalState, earlier: &[Addition], items: &Value) -> Result<Vec<ItemSpec>, String> {
    let run = state.runs.last().unwrap();
    check(&json!({ "items": items }), (state, run, adder(state, run).unwrap()), earlier)
}

/// What the model is told of these items.
fn refused(state: &GoalState, items: &Value) -> String {
    checked(state, &[], items).unwrap_err()
}

fn agent(id: &str) -> Value {
    json!({"id": id, "kind": "agent", "prompt": "写", "gates": [{"kind": "file_exists", "path": "a"}]})
}

fn command(id: &str) -> Value {
    json!({"id": id, "kind": "command", "argv": ["true"], "gates": [{"kind": "file_exists", "path": "a"}]})
}

/// The item with other keys.
fn with(mut item: Value, keys: &Value) -> Value {
    for (key, value) in keys.as_object().unwrap() {
        item[key] = value.clone();
    }
    item
}

fn added(key: &str) -> Addition {
    let spec = serde_json::from_value(json!({"id": key, "work": {"kind": "agent", "prompt": "写"}})).unwrap();
    Addition { id: ItemId::from(Uuid::from_u128(99)), spec }
}

#[test]
fn what_is_added_has_what_its_parent_has() {
    let of_parent = "tools = ['read_file', 'run_command', 'write_file']\nmodel = 'local/m'\neffect = 'idempotent'\n\
                     max_turns = 7\ntime_limit = '5m'\nbudget_tokens = 900\nbudget_percent = 50\nguards = false\n\
                     approve = ['write_file']";
    let items = json!([
        with(agent("章"), &json!({"title": "第一章", "needs": ["explore", "build"], "tier": "simple"})),
        with(
            agent("less"),
            &json!({"tools": ["read_file", "finish"], "effect": "unsafe", "budget_percent": 10, "may_add_items": true})
        ),
        with(command("build"), &json!({"effect": "pure"})),
    ]);
    let items = checked(&adding("", of_parent), &[], &items).unwrap();
    let lines: Vec<String> = items.iter().map(|item| serde_json::to_string(item).unwrap()).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"id":"章","title":"第一章","needs":["build"],"lane":"subagent","work":{"kind":"agent","prompt":"写","tools":["read_file","run_command","write_file"],"tier":"simple","model":"local/m","effect":"unsafe","max_turns":7,"time_limit_s":300,"budget_percent":50,"budget_tokens":900,"guards":false,"approve":["write_file"]},"gates":[{"required":true,"kind":"file_exists","path":"a"}]}
    {"id":"less","lane":"subagent","work":{"kind":"agent","prompt":"写","tools":["read_file","finish"],"tier":"medium","model":"local/m","effect":"unsafe","max_turns":7,"time_limit_s":300,"budget_percent":10,"budget_tokens":900,"guards":false,"approve":["write_file"],"may_add_items":true},"gates":[{"required":true,"kind":"file_exists","path":"a"}]}
    {"id":"build","lane":"main","work":{"kind":"command","argv":["true"],"effect":"idempotent"},"gates":[{"required":true,"kind":"file_exists","path":"a"}]}
    "#);
    assert_eq!(
        told(&items),
        "added 3 item(s): 章, less, build. They start once your own is done; go on with it."
    );
}

#[test]
fn all_that_is_wrong_is_told_and_nothing_is_added() {
    let state = adding("", "");
    let texts: Vec<String> = [
        json!("these"),
        json!([]),
        json!([with(agent("a"), &json!({"gates": []})), agent("a"), with(command("b"), &json!({"argv": []}))]),
        json!([with(agent("a"), &json!({"needs": ["b"]})), with(agent("b"), &json!({"needs": ["a"]}))]),
        json!([with(agent("a"), &json!({"needs": ["write"]})), agent("explore")]),
        json!([with(agent("a"), &json!({"tools": ["add_items"], "gates": [{"kind": "command", "argv": ["sh", "-c", "x || true"]}]}))]),
        json!([with(command("a"), &json!({"may_add_items": true}))]),
    ]
    .iter()
    .map(|items| refused(&state, items))
    .collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    the items were not understood: `items`: invalid type: string "these", expected a sequence
    nothing is added:
    - items: there is none
    nothing is added:
    - items[0] (a): it needs at least one gate
    - items[2].argv: names no program (argv = ["program", "argument"])
    - items[1].id: an earlier item has the id `a` (ids are unique in a goal)
    nothing is added:
    - items[0].needs: the items need each other in a circle: a -> b -> a (remove one of these needs)
    nothing is added:
    - items[1].id: `explore`: the goal has an item with this id already
    - items[0].needs[0]: no item has the id `write` (known ids: a, explore)
    nothing is added:
    - items[0] (a).gates[0]: it ends with `|| true`, so it cannot fail and proves nothing
    - items[0] (a): there is no tool `add_items` (there are list_dir, search_files, read_file, write_file, edit_file, run_command, finish)
    nothing is added:
    - items[0] (a): only an agent may add items
    "#);
}

#[test]
fn nothing_is_added_that_its_parent_may_not() {
    let looks = adding("", "tools = ['read_file']\nbudget_percent = 20");
    let asks = adding("approve = ['run_command']", "");
    let runs = with(agent("runs"), &json!({"gates": [{"kind": "command", "argv": ["make"]}]}));
    let serves = with(
        agent("serves"),
        &json!({"gates": [{"kind": "http", "url": "http://127.0.0.1:8000/", "argv": ["serve"], "text": "你好"}]}),
    );
    let more = with(agent("more"), &json!({"tools": ["read_file", "write_file"], "budget_percent": 30}));
    let texts = [
        refused(&looks, &json!([command("build"), runs.clone(), serves, more])),
        refused(&asks, &json!([command("build"), runs, agent("fine")])),
    ];
    insta::assert_snapshot!(texts.join("\n"), @"
    nothing is added:
    - items[0] (build): it runs a program, and the item that adds it has no `run_command`
    - items[1] (runs): it runs a program, and the item that adds it has no `run_command`
    - items[2] (serves): it runs a program, and the item that adds it has no `run_command`
    - items[3] (more): it names the tool `write_file`, which the item that adds it has not
    - items[3] (more): 30 percent of the budget; the item that adds it has 20
    nothing is added:
    - items[0] (build): it runs a program without a person's yes, and each `run_command` of the item that adds it needs one: let an agent do it, with gates that only look at files
    - items[1] (runs): it runs a program without a person's yes, and each `run_command` of the item that adds it needs one: let an agent do it, with gates that only look at files
    ");
    assert!(checked(&asks, &[], &json!([agent("fine")])).is_ok());
}

#[test]
fn no_more_is_added_than_the_goal_allows() {
    let many = |count: usize| Value::from((0..count).map(|n| agent(&format!("a{n}"))).collect::<Vec<_>>());
    let texts = [
        refused(&adding("", ""), &many(9)),
        refused(&adding("max_added_items = 2", ""), &many(3)),
        checked(&adding("max_added_items = 2", ""), &[added("x")], &many(2)).unwrap_err(),
    ];
    insta::assert_snapshot!(texts.join("\n"), @"
    nothing is added:
    - items: 9 more; of the 8 that may be added to this goal 8 are left (add fewer, larger ones, or do it yourself)
    nothing is added:
    - items: 3 more; of the 2 that may be added to this goal 2 are left (add fewer, larger ones, or do it yourself)
    nothing is added:
    - items: 2 more; of the 2 that may be added to this goal 1 are left (add fewer, larger ones, or do it yourself)
    ");
    assert!(checked(&adding("max_added_items = 2", ""), &[added("x")], &many(1)).is_ok());
    let none = adding("max_added_items = 0", "");
    assert!(adder(&none, none.runs.last().unwrap()).is_none());
}

#[test]
fn a_second_call_knows_what_the_first_added() {
    let mut state = adding("", "");
    let needs = |key: &str| json!([with(agent("b"), &json!({"needs": [key]}))]);
    assert!(checked(&state, &[added("a")], &needs("a")).is_ok());
    let again = checked(&state, &[added("a")], &json!([agent("a")])).unwrap_err();
    // The same once it is committed.
    state.runs.last_mut().unwrap().added.push(added("a"));
    assert!(checked(&state, &[], &needs("a")).is_ok());
    assert_eq!(refused(&state, &json!([agent("a")])), again);
    insta::assert_snapshot!(again, @"
    nothing is added:
    - items[0].id: `a`: the goal has an item with this id already
    ");
}

#[test]
fn what_was_added_adds_until_it_is_too_deep() {
    let mut state = adding("", "");
    let below = |state: &GoalState, key: &str, above: ItemId| Item {
        id: ItemId::from(Uuid::from_u128(50 + state.items.len() as u128)),
        key: key.to_owned(),
        added_by: Some(above),
        ..state.items.first().unwrap().clone()
    };
    let mut found = Vec::new();
    for key in ["one", "two"] {
        let item = below(&state, key, state.items.last().unwrap().id);
        state.runs.last_mut().unwrap().item_id = Some(item.id);
        state.items.push(item);
        let run = state.runs.last().unwrap();
        found.push(match adder(&state, run) {
            None => format!("{key}: may not add"),
            Some(_) => refused(&state, &json!([with(agent("a"), &json!({"may_add_items": true}))])),
        });
    }
    insta::assert_snapshot!(found.join("\n"), @"
    nothing is added:
    - items[0] (a): it may not add items: items are added 2 levels deep
    two: may not add
    ");
    let planning = Run {
        item_id: None,
        conversation: Some(Conversation::default()),
        ..state.runs.last().unwrap().clone()
    };
    assert!(adder(&state, &planning).is_none());
}

#[test]
fn a_model_is_told_the_form_of_what_it_adds() {
    let tool: &dyn pb_tools::Tool = &AddItems;
    insta::assert_snapshot!(serde_json::to_string_pretty(&tool.schema()).unwrap());
}
