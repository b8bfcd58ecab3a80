//! What the screens of the first clients show, made from events as they make it (`wire.md` §2.8), is what stands in the
//! log.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::socket::Client;

/// Ids of goals, items and escalations, and the status that is shown of each.
type Screen = BTreeMap<String, String>;

/// Shows an object, if it is one.
fn show(screen: &mut Screen, object: &Value) {
    if let (Some(id), Some(status)) = (object["id"].as_str(), object["status"].as_str()) {
        screen.insert(id.to_owned(), status.to_owned());
    }
}

/// The terminal client: it wants whole objects under their own keys.
fn terminal(screen: &mut Screen, event: &str, data: &Value) {
    match event {
        "goal.created" | "goal.started" | "goal.updated" | "goal.completed" | "goal.failed" => {
            show(screen, &data["goal"]);
        }
        "workitem.created" | "workitem.started" | "workitem.completed" | "workitem.failed" => {
            show(screen, &data["workItem"]);
        }
        "escalation.created" => show(screen, &data["escalation"]),
        "escalation.resolved" => {
            if let Some(id) = data["escalationId"].as_str() {
                screen.insert(id.to_owned(), "resolved".to_owned());
            }
        }
        _ => {}
    }
}

/// The events that the web page's server passes on.
const FORWARDED: [&str; 10] = [
    "goal.created",
    "goal.updated",
    "goal.completed",
    "goal.cancelled",
    "workitem.created",
    "workitem.updated",
    "workitem.completed",
    "workitem.failed",
    "escalation.created",
    "escalation.resolved",
];

/// The web page: it takes the data itself for the object.
fn web(screen: &mut Screen, event: &str, data: &Value) {
    if FORWARDED.contains(&event) {
        show(screen, data);
    }
}

/// The web page's filter by goal.
fn is_of(goal: &str, data: &Value) -> bool {
    data["goal_id"] == goal || data["id"] == goal
}

/// What stands in the log, asked for as those clients do.
fn stands(client: &mut Client) -> Screen {
    let mut screen = Screen::new();
    for (method, key) in
        [("goal.list", "goals"), ("workitem.list", "workItems"), ("escalation.list", "escalations")]
    {
        let list = client.call(method, &json!({}));
        list[key].as_array().unwrap().iter().for_each(|object| show(&mut screen, object));
    }
    screen
}

const WORKS: &str = r#"
title = "写一行"
workspace = "works"
[[items]]
id = "write"
kind = "command"
argv = ["sh", "-c", "echo 一行 > line"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "line" }]
"#;
const FAILS: &str = r#"
title = "做不到"
workspace = "fails"
[[items]]
id = "fail"
kind = "command"
argv = ["false"]
effect = "pure"
max_retries = 0
"#;
/// Unsafe work that runs into its limit: a person is asked.
const ASKS: &str = r#"
title = "付账单"
workspace = "asks"
[[items]]
id = "pay"
kind = "command"
argv = ["sleep", "60"]
effect = "unsafe"
time_limit = "1s"
"#;

fn submit(env: &TestEnv, file: &str) -> String {
    env.write("goal.toml", file);
    env.detach(&["goal.toml"])
}

fn wait_status(env: &TestEnv, goal: &str, status: &str) {
    wait_until(&format!("{goal} is {status}"), || (env.show(goal)["status"] == status).then_some(()));
}

#[test]
fn the_screens_of_the_first_clients_show_what_stands() {
    let env = TestEnv::new();
    env.start_daemons();
    let (mut watching, mut asking) = (env.connect(), env.connect());
    let works = submit(&env, WORKS);
    wait_status(&env, &works, "completed");
    let fails = submit(&env, FAILS);
    wait_status(&env, &fails, "failed");
    let asks = submit(&env, ASKS);
    let open = json!({"goalId": asks, "status": "open"});
    let asked = wait_until("somebody is asked", || {
        let list = asking.call("escalation.list", &open);
        (list["total"] == 1).then(|| list["escalations"][0].clone())
    });
    // By the name and in the form that only the terminal client knows.
    let answer = json!({"escalationId": asked["id"], "resolution": {"action": "skip"}});
    assert_eq!(asking.call("escalation.resolve", &answer)["success"], true);
    wait_status(&env, &asks, "completed");

    let (mut of_terminal, mut of_web, mut of_one) = (Screen::new(), Screen::new(), Screen::new());
    let is_last = |frame: &Value| frame["event"] == "goal.completed" && frame["data"]["goalId"] == asks;
    loop {
        let frame = watching.next_event().unwrap();
        let (event, data) = (frame["event"].as_str().unwrap(), &frame["data"]);
        terminal(&mut of_terminal, event, data);
        web(&mut of_web, event, data);
        if is_of(&asks, data) {
            web(&mut of_one, event, data);
        }
        if is_last(&frame) {
            break;
        }
    }
    let stands = stands(&mut asking);
    assert_eq!(stands.len(), 7, "three goals, their items, a question: {stands:?}");
    // The terminal client does not listen to items that are skipped, nor the web page to goals that fail.
    let without = |screen: &Screen, status: &str| -> Screen {
        let is_left_out = |id: &String| stands.get(id).is_some_and(|stands| stands == status);
        screen
            .iter()
            .filter(|(id, _)| !is_left_out(id))
            .map(|(id, shown)| (id.clone(), shown.clone()))
            .collect()
    };
    assert_eq!(without(&of_terminal, "skipped"), without(&stands, "skipped"));
    let [of_web, stands_of_web] = [&of_web, &stands].map(|screen| {
        let screen = without(screen, "skipped");
        screen.into_iter().filter(|(id, _)| *id != fails).collect::<Screen>()
    });
    assert_eq!(of_web, stands_of_web);
    assert_eq!(of_one[&asks], "completed");
    assert_eq!(of_one[asked["id"].as_str().unwrap()], "resolved");
    assert!(!of_one.contains_key(&works), "{of_one:?}");
}
