//! How many items run at once: settings, what `pb status` shows of them, and what the log says came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::agent_support::Log;
use crate::env::{TestEnv, wait_until};

/// A goal of so many items that each say that they run, and then wait until they are let go.
fn goal(title: &str, items: &[(&str, &str)]) -> String {
    let item = |(key, lane): &(&str, &str)| {
        let script = format!("echo x > {lane}.{key}; until [ -e go ]; do sleep 0.01; done");
        let argv = serde_json::to_string(&["sh", "-ec", &script]).unwrap();
        let gates = format!("gates = [{{ kind = \"file_exists\", path = \"{lane}.{key}\" }}]");
        format!(
            "\n[[items]]\nid = \"{key}\"\nkind = \"command\"\nlane = \"{lane}\"\nargv = {argv}\n\
             effect = \"idempotent\"\n{gates}\n"
        )
    };
    let items: String = items.iter().map(item).collect();
    format!("title = \"{title}\"\nworkspace = \"{title}\"\n{items}")
}

/// Most items that ran at once in each lane, of all goals, as the log says.
fn most_at_once(log: &Log) -> BTreeMap<String, usize> {
    let mut running: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut most: BTreeMap<String, usize> = BTreeMap::new();
    for event in log.events() {
        let data: Value = serde_json::from_str(&event.data).unwrap();
        let id = || data["workItemId"].as_str().unwrap().to_owned();
        match event.kind.as_str() {
            "workitem.started" => {
                let lane = data["laneId"].as_str().unwrap().to_owned();
                let now = running.entry(lane.clone()).or_default();
                now.insert(id());
                let count = most.entry(lane).or_default();
                *count = now.len().max(*count);
            }
            "workitem.completed" => {
                let ended = running.values_mut().map(|items| usize::from(items.remove(&id())));
                assert_eq!(ended.sum::<usize>(), 1);
            }
            _ => {}
        }
    }
    most
}

#[test]
fn no_more_items_run_at_once_than_their_lane_takes() {
    let env = TestEnv::new();
    env.configure("[lanes]\nmain = 2\ncron = 1\n");
    env.start_daemons();
    let items = [("a", "main"), ("b", "main"), ("c", "main"), ("d", "cron"), ("e", "cron")];
    let titles = ["one", "two"];
    let goals = titles.map(|title| {
        env.write(&format!("{title}.toml"), &goal(title, &items));
        env.detach(&[&format!("{title}.toml")])
    });
    let witnesses = |lane: &str| {
        let there =
            |(title, (key, _)): &(&str, (&str, &str))| env.file(title).join(format!("{lane}.{key}")).exists();
        let all = titles.iter().flat_map(|title| items.iter().map(move |item| (*title, *item)));
        all.filter(there).count()
    };
    // `ready` counts both goals only once both have started.
    let lanes = |main: Value, cron: Value| {
        json!({"main": main, "subagent": {"running": 0, "ready": 0}, "cron": cron,
               "session": {"running": 0, "ready": 0}})
    };
    let full = lanes(json!({"running": 2, "ready": 4}), json!({"running": 1, "ready": 3}));
    wait_until("both lanes are full", || {
        let status = env.json(["status", "--json"]);
        (status["system"]["lanes"] == full && witnesses("main") == 2 && witnesses("cron") == 1).then_some(())
    });
    let shown = env.pb(["status"]).stdout;
    assert!(shown.contains("main 2/2 (4 ready), subagent 0/3, cron 1/1 (3 ready), session 0/1"), "{shown}");

    for title in titles {
        fs::write(env.file(title).join("go"), "").unwrap();
    }
    for goal in &goals {
        assert_eq!(env.watch(goal), Some(0));
    }
    let most = most_at_once(&Log::of(&env));
    assert_eq!(most, [("cron".to_owned(), 1), ("main".to_owned(), 2)].into());
}
