//! `kill -9` around a claim: no slot is submitted twice, and none is lost.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::env::wait_until;
use crate::schedule::{Timed, ms, slots};

/// How often the scheduler is killed.
const KILLS: u64 = 10;
/// The kills are spread over so much time around the slot.
const SPREAD: Duration = Duration::from_millis(300);

#[test]
fn a_scheduler_that_is_killed_around_each_slot_submits_each_once() {
    let timed = Timed::at("2026-06-01T00:00:00Z");
    let env = &timed.env;
    env.write("tick.toml", "title = \"滴答\"\n[[items]]\nid = \"tick\"\nkind = \"command\"\nargv = [\"true\"]\neffect = \"pure\"\n");
    let id = timed.add(&["tick.toml", "--cron", "0 * * * *", "--tz", "UTC", "--missed", "all"]);
    for n in 1..=KILLS {
        env.kill9("scheduler");
        // Just before the slot: it comes while the scheduler is up, or is killed.
        timed.set(&format!("2026-06-01T{:02}:59:59.700Z", n - 1));
        env.start_daemon("scheduler");
        let kill_at = Instant::now() + SPREAD * u32::try_from(n).unwrap() / u32::try_from(KILLS).unwrap();
        std::thread::sleep(kill_at.saturating_duration_since(Instant::now())); // wait: the moment of the kill
        env.kill9("scheduler");
    }
    env.start_daemon("scheduler");
    let shown = timed.wait_runs(&id, KILLS);
    let expect: Vec<i64> = (1..=KILLS).map(|hour| ms(&format!("2026-06-01T{hour:02}:00:00Z"))).collect();
    assert_eq!(slots(&shown), expect, "each slot once, in order");
    assert_eq!(shown["skipped"], 0);
    let list = env.json(["goal", "list", "--json"]);
    assert_eq!(list["total"], KILLS, "one goal each, and no other");
    let ended = |goal: &Value| goal["status"] == "completed" && goal["schedule_id"] == id.as_str();
    wait_until("all are delivered", || {
        let list = env.json(["goal", "list", "--json"]);
        list["goals"].as_array().unwrap().iter().all(ended).then_some(())
    });
}
