//! A goal of 10,000 events stays fluid while it runs.

use std::fmt::Write as _;

use serde_json::json;

use super::page::Page;
use super::{LIVE, addresses};
use crate::env::{TestEnv, wait_until};

/// Items of the goal, and gates of each; a gate is looked at twice, and each time is an event.
const ITEMS: usize = 150;
const GATES: usize = 32;
/// Events that there are at least.
const EVENTS_MIN: u64 = 10_000;
/// What scripts may take of a frame at the 95th percentile, in milliseconds. A test allows three times as much; the
/// figure itself is what `cargo xtask bench console` is for.
const FRAME_MS: f64 = 16.0;

/// Items in rows of eight, each needs one of the row before it.
fn goal_file() -> String {
    let mut file = String::from("title = \"Ten thousand events\"\nworkspace = \"out\"\n");
    for item in 0..ITEMS {
        let needs = item.checked_sub(8).map(|before| format!("\"i{before}\"")).unwrap_or_default();
        write!(
            file,
            "\n[[items]]\nid = \"i{item}\"\ntitle = \"第 {item} 步\"\nneeds = [{needs}]\nkind = \"command\"\n\
             argv = [\"touch\", \"f{item}\"]\neffect = \"idempotent\"\n"
        )
        .unwrap();
        for _ in 0..GATES {
            writeln!(file, "[[items.gates]]\nkind = \"file_exists\"\npath = \"f{item}\"").unwrap();
        }
    }
    file
}

#[test]
fn a_goal_of_10_000_events_stays_fluid_and_is_whole() {
    let env = TestEnv::new();
    env.start_daemons();
    let (origin, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.open(&url);
    page.sees(LIVE);
    env.write("many.toml", &goal_file());
    let goal = env.detach(&["many.toml"]);
    page.open(&format!("{origin}/#/goal/{goal}"));
    page.sees("h1:has-text('Ten thousand events')");
    page.does(&json!(["watchFrames"]));
    assert_eq!(env.watch(&goal), Some(0));
    page.sees(".facts .status.good");
    is_fluid(&mut page, "as it runs");

    let mut client = env.connect();
    client.answer("events.subscribe", &json!({"after": "start"}));
    let all = client.events_until("goal.completed").len() as u64;
    assert!(all > EVENTS_MIN, "only {all} events");
    wait_until("the page has every event", || (page.events() == all).then_some(()));

    // Its history comes at once.
    page.open(&format!("{origin}/#/now"));
    page.sees(".goal");
    page.does(&json!(["watchFrames"]));
    page.open(&format!("{origin}/#/goal/{goal}/proof"));
    page.sees(&format!("details.card >> nth={}", ITEMS - 1));
    is_fluid(&mut page, "as it is opened");
    page.is_well(&origin);
}

#[expect(clippy::print_stdout, reason = "the figure is what `cargo xtask bench console` is for")]
fn is_fluid(page: &mut Page, when: &str) {
    let frames = page.does(&json!(["frames"]));
    println!("{when}, scripts of a frame in ms: {frames}");
    assert!(frames["frames"].as_u64() > Some(5), "{frames}");
    assert!(frames["p95"].as_f64().unwrap() < 3.0 * FRAME_MS, "{frames}");
}
