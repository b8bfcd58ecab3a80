//! A goal's history in the page, event by event.

use serde_json::{Value, json};

use super::page::Page;
use super::{LIVE, addresses};
use crate::env::TestEnv;
use crate::model::{Scripted, finish, plan, planner, shell, worker};

/// The place in the history that the page shows.
const STOOD: &str = "[data-seq]";

/// What the page says of a moment, as `pb goal show` would: status, tokens, items.
fn stood(page: &mut Page, seq: u64) -> Value {
    page.sees(&format!("[data-seq='{seq}']"));
    let status = page.does(&json!(["attribute", STOOD, "data-status"]));
    let tokens = page.does(&json!(["text", format!("{STOOD} .tokens")]));
    let tokens: String = tokens.as_str().unwrap().chars().filter(char::is_ascii_digit).collect();
    let count = page.does(&json!(["count", "li[data-item]"])).as_u64().unwrap();
    let items: Vec<Value> = (0..count)
        .map(|n| {
            let item = format!("li[data-item] >> nth={n}");
            let mut of = |name: &str| page.does(&json!(["attribute", item, name]));
            json!([of("data-item"), of("data-status")])
        })
        .collect();
    json!({"status": status, "tokens": tokens.parse::<u64>().unwrap(), "items": items})
}

/// The same as the command says it.
fn told(env: &TestEnv, goal: &str, cursor: &str) -> Value {
    let shown = env.json(["goal", "show", goal, "--at", cursor, "--json"]);
    let items = shown["items"].as_array().unwrap().iter();
    let items: Vec<_> = items.map(|item| json!([item["key"], item["status"]])).collect();
    json!({"status": shown["status"], "tokens": shown["spent_tokens"], "items": items})
}

#[test]
fn at_each_point_of_the_history_the_page_shows_what_the_command_shows() {
    let gate = json!([{"kind": "file_exists", "path": "done"}]);
    // The first attempt is not enough: a gate fails, and it is decided to try again.
    let line = "test -e once && touch done; touch once";
    let items = json!([
        {"id": "make", "kind": "command", "argv": ["sh", "-c", line], "effect": "idempotent", "gates": gate},
        {"id": "look", "kind": "agent", "prompt": "看", "needs": ["make"], "effect": "idempotent", "gates": gate},
    ]);
    let replies = [shell("ls"), finish("done")];
    let scripted = Scripted::saying([planner([plan(&items)]), worker(replies)]);
    let env = &scripted.env;
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::new(env) else { return };
    let goal = env.detach(&["做一下"]);
    assert_eq!(env.watch(&goal), Some(0));
    let mut client = env.connect();
    client.answer("events.subscribe", &json!({"goalId": goal, "after": "start"}));
    let events = client.events_until("goal.completed");
    let cursor = |n: usize| events[n]["cursor"].as_str().unwrap();

    page.open(&url);
    page.sees(LIVE);
    page.open(&format!("{origin}/#/goal/{goal}/replay"));
    let slider = "input[type=range]";
    page.sees(slider);
    let last = events.len() - 1;
    let planned = events.iter().position(|event| event["event"] == "workitem.started").unwrap();
    for place in [0, planned, last / 2, last] {
        page.does(&json!(["fill", slider, place.to_string()]));
        assert_eq!(stood(&mut page, place as u64 + 1), told(env, &goal, cursor(place)), "event {place}");
    }

    // From the beginning to the gate that failed, to the decision, and one event back by the keyboard.
    page.does(&json!(["fill", slider, "0"]));
    page.click("button:has-text('Next failure')");
    page.sees("section:has(h2:has-text('What happened')) .bad:has-text('Gate')");
    page.click("button:has-text('Next decision')");
    let decided = events.iter().position(|event| event["event"] == "evaluation.decided").unwrap();
    page.sees(&format!("[data-seq='{}']", decided + 1));
    page.does(&json!(["focus", slider]));
    page.press("ArrowLeft");
    page.sees(&format!("[data-seq='{decided}']"));

    // It plays to its end by itself.
    page.does(&json!(["choose", "select", "0"]));
    page.click("button:has-text('Play')");
    page.sees(&format!("[data-seq='{}']", last + 1));
    page.sees("button:has-text('Play')");
    assert_eq!(stood(&mut page, last as u64 + 1), told(env, &goal, cursor(last)));
    page.is_well(&origin);
}
