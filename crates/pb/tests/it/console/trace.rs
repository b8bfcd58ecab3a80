//! The trace of a goal in the page.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use super::page::Page;
use super::{LIVE, addresses};
use crate::env::wait_until;
use crate::model::{Scripted, agent_file, finish, shell, worker, write};

/// A key of this shape is nobody's.
const KEY: &str = "sk-proj-0123456789abcdefghijklmnop";
/// The span that the keys of the tree are at.
const ACTIVE: &str = "aria-activedescendant";

/// The text of what the tree's keys are at.
fn active(page: &mut Page) -> String {
    let id = page.does(&json!(["attribute", "[role=tree]", ACTIVE]));
    page.does(&json!(["text", format!("[id='{}']", id.as_str().unwrap())])).as_str().unwrap().to_owned()
}

#[test]
fn the_spans_of_a_goal_come_as_it_goes_and_are_looked_into_by_keyboard() {
    let turns = [
        write("key.txt", &format!("密码 {KEY}")),
        shell("until [ -e go ]; do sleep 0.01; done; touch done; echo 好了"),
        finish("done"),
    ];
    let scripted = Scripted::saying([worker(turns)]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("写文件", ""));
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::new(env) else { return };
    page.open(&url);
    page.sees(LIVE);
    let goal = env.detach(&["goal.toml"]);
    page.open(&format!("{origin}/#/goal/{goal}/trace"));
    // What is told comes by itself: the gate is nowhere before the command has ended.
    page.sees("[role=treeitem]:has-text('run_command')");
    assert_eq!(page.does(&json!(["count", "[role=treeitem]:has-text('done exists')"])), 0);
    env.write("out/go", "");
    page.sees("[role=treeitem]:has-text('done exists')");
    assert_eq!(env.watch(&goal), Some(0));
    page.sees(".facts .status.good");

    // Each span is there once.
    let events = env.debug_events_to_the_end(&goal);
    let spans: BTreeSet<_> = events.iter().map(|event| event["spanId"].as_str().unwrap()).collect();
    page.sees(&format!("text=of {} spans", spans.len()));

    page.does(&json!(["fill", "input[type=search]", "write_file"]));
    page.click("[role=treeitem]:has-text('key.txt')");
    page.sees(".detail:has-text('Keys were taken out'):has-text('密码 [redacted]')");
    assert_eq!(page.does(&json!(["count", format!("text={}", &KEY[..12])])), 0);
    page.press("Escape");
    page.does(&json!(["gone", ".detail"]));

    page.does(&json!(["fill", "input[type=search]", ""]));
    page.press("Tab");
    page.press("Tab");
    page.press("Home");
    assert!(active(&mut page).contains("写文件"));
    assert_eq!(page.does(&json!(["attribute", "[role=treeitem].goal", "aria-expanded"])), "true");
    page.press("ArrowLeft");
    page.sees("[role=treeitem].goal[aria-expanded=false]");
    assert_eq!(page.does(&json!(["count", "[role=treeitem]"])), 1);
    page.press("ArrowRight");
    page.press("End");
    assert!(active(&mut page).contains("done exists"), "the gate is the last");
    page.press("ArrowLeft");
    assert!(active(&mut page).contains("Attempt 1"), "the run that it is part of");
    page.press("ArrowRight");
    page.press("ArrowRight");
    page.press("Enter");
    page.sees(".detail h3:focus");
    page.sees(".detail:has-text('# Goal'):has-text('Answer'), .detail:has-text('write_file')");
    page.is_well(&origin);
}

#[test]
fn a_trace_that_was_deleted_says_so() {
    let scripted = Scripted::saying([worker([shell("touch done"), finish("done")])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("写文件", ""));
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(0));
    env.debug_events_to_the_end(&goal);
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::of_width(env, 360) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.open(&format!("{origin}/#/goal/{goal}/trace"));
    page.sees("[role=treeitem]:has-text('run_command')");
    page.click("[role=treeitem]:has-text('run_command')");
    page.sees(".detail");
    assert_eq!(page.does(&json!(["wider"])), 0);
    for file in ["trace.db", "trace.db-wal", "trace.db-shm"] {
        let _ = fs::remove_file(env.home().join(file)); // Not all of them are there.
    }
    // The scheduler makes another one once it has something to tell.
    let next = env.detach(&["goal.toml"]);
    env.watch(&next);
    wait_until("there is another trace", || env.debug_events(&["--goal", &goal]).is_empty().then_some(()));
    page.sees("text=There is no trace of this goal");
    page.is_well(&origin);
}
