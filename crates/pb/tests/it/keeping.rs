//! What is kept of goals, for how long, and how it is brought back: `pb backup`, `pb restore`, `pb gc`,
//! a disk with little room, a history that grows too long.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::life::WAITS;
use crate::machine::assert_gapless;
use crate::schedule::Timed;

const SMALL: &str = r#"
title = "一件小事"
[[items]]
id = "a"
kind = "command"
argv = ["sh", "-c", "echo 你好 | tee a"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "a" }]
"#;

impl TestEnv {
    /// Settings that hold from the next start on.
    fn settings(&self, text: &str) {
        fs::create_dir_all(self.home()).unwrap();
        fs::write(self.home().join("config.toml"), text).unwrap();
    }

    /// Runs a goal to its end, which is a success.
    fn done(&self, name: &str) -> String {
        self.write(name, SMALL);
        let goal = self.detach(&[name]);
        assert_eq!(self.watch(&goal), Some(0));
        goal
    }

    /// The events of a goal as a gateway tells them that starts now: one that saw them may still know more.
    fn events_in_log(&self, goal: &str) -> Vec<Value> {
        self.kill9("gateway");
        self.start_daemon("gateway");
        self.events(goal)
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let ran = self.pb(arguments);
        assert_eq!(ran.exit, Some(0), "{ran}");
        ran.to_string()
    }
}

#[test]
fn a_backup_of_a_running_system_comes_back_as_another_generation() {
    let env = TestEnv::new();
    let before = env.done("small.toml");
    env.write("goal.toml", WAITS);
    let running = env.detach(&["goal.toml"]);
    env.wait_lines("out/witness/wait", 1);
    let made = env.pb(["backup", "备份 今天/"]);
    assert_eq!(made.exit, Some(0), "{made}");
    assert!(made.stderr.contains("2 goals are in 备份 今天/ ("), "{made}");
    let folder = env.file("备份 今天");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_snapshot!(env.pb(["backup", "备份 今天"]), @"
    exit: 64
    --- stderr
    error: 备份 今天 is there already
    hint: name a folder that is to be made
    ");

    // What comes after the backup is lost by the restore, and no client takes it for what comes then.
    fs::write(env.file("out/go"), "").unwrap();
    let after = env.done("small.toml");
    assert_eq!(env.watch(&running), Some(0));
    let mut client = env.connect();
    client.call("events.subscribe", &json!({"goalId": running, "after": "start"}));
    let cursor = client.events_until("goal.completed").last().unwrap()["cursor"].clone();
    assert_snapshot!(env.pb(["restore", "--yes", "备份 今天"]), @"
    exit: 75
    --- stderr
    error: the scheduler is running (pid [pid])
    hint: stop both first: pb stop
    ");
    env.succeed(&["stop"]);
    let asked = env.pb(["restore", "备份 今天"]);
    assert!(asked.stderr.contains("this replaces 3 goals"), "{asked}");
    assert_eq!(asked.exit, Some(64), "nobody can answer");
    let told = env.json(["restore", "--yes", "--json", "备份 今天"]);
    assert_eq!((&told["goals"], &told["generation"]), (&json!(2), &json!(2)));
    assert!(fs::metadata(format!("{}/state.db", told["kept"].as_str().unwrap())).is_ok());

    env.start_daemons();
    env.wait_linked(true);
    let mut client = env.connect();
    let resumed = client.call("events.subscribe", &json!({"after": cursor}));
    assert_eq!(resumed["rebase_required"], true);
    let known: Vec<&Value> =
        resumed["snapshot"]["goals"].as_array().unwrap().iter().map(|goal| &goal["id"]).collect();
    assert_eq!(known, [&json!(before), &json!(running)]);
    // It was running then. Its work was done meanwhile, as its gate tells, so it is not done again.
    assert_eq!(env.watch(&running), Some(0));
    assert_gapless(&env.events(&running));
    assert_eq!(fs::read_to_string(env.file("out/witness/wait")).unwrap(), "x\n");
    assert_eq!(env.pb(["goal", "show", &after]).exit, Some(66), "it came after the backup");
    env.done("small.toml");
}

#[test]
fn restore_makes_a_home_and_refuses_what_is_no_backup() {
    let env = TestEnv::new();
    let goal = env.done("small.toml");
    env.succeed(&["stop"]);
    env.succeed(&["backup", "kept"]);
    assert_snapshot!(env.pb(["restore", "--yes", "out"]), @"
    exit: 78
    --- stderr
    error: this is no backup that can be restored
    caused by: out/state.db is not a PonyBunny database
    hint: move it away, or name another file: --db PATH
    ");
    fs::rename(env.home(), env.root().join("lost")).unwrap();
    env.succeed(&["restore", "kept"]);
    env.start_daemons();
    assert_eq!(env.show(&goal)["status"], "completed");
}

#[test]
fn ended_goals_are_compacted_and_their_results_stay() {
    let env = TestEnv::new();
    env.settings("[retention]\ndays = 0\n");
    let goal = env.done("small.toml");
    let (shown, events) = (env.show(&goal), env.events(&goal));
    let middle = events[events.len() / 2]["cursor"].clone();
    let due = env.json(["gc", "--dry-run", "--json"]);
    assert_eq!((&due["goals"][0]["id"], &due["events"]), (&json!(goal), &json!(events.len())));
    let said = env.succeed(&["gc"]);
    assert!(said.contains(&format!("1 goal compacted: {} events", events.len())), "{said}");
    assert_eq!(env.json(["gc", "--dry-run", "--json"])["goals"], json!([]));

    let left = env.events_in_log(&goal);
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!((&left[0]["event"], &left[0]["seq"]), (&json!("goal.compacted"), &json!(events.len() + 1)));
    assert_eq!(env.show(&goal), shown);
    let logs = env.pb(["goal", "logs", &goal]);
    assert!(logs.exit == Some(0) && logs.stdout.contains("sh -c"), "{logs}");
    // A cursor in the stretch that is gone goes on.
    let mut client = env.connect();
    let resumed = client.call("events.subscribe", &json!({"goalId": goal, "after": middle}));
    assert_eq!(resumed["rebase_required"], Value::Null);
    assert_eq!(client.next_event().unwrap()["event"], "goal.compacted");

    // Without a scheduler it is done here; with one, also at its start.
    let second = env.done("small.toml");
    env.succeed(&["scheduler", "stop"]);
    let said = env.succeed(&["gc"]);
    assert!(said.contains("1 goal compacted"), "{said}");
    assert_eq!(env.events_in_log(&second).len(), 1);
    env.start_daemon("scheduler");
    let third = env.done("small.toml");
    env.succeed(&["scheduler", "restart"]);
    crate::env::wait_until("the third goal is compacted at the start", || {
        (env.json(["gc", "--dry-run", "--json"])["goals"] == json!([])).then_some(())
    });
    assert_eq!(env.events_in_log(&third).len(), 1);
}

#[test]
fn what_happened_long_ago_is_pruned_when_somebody_asks_and_what_came_of_it_stays() {
    let timed = Timed::at("2030-01-01T00:00:00Z");
    let env = &timed.env;
    env.settings("");
    let goal = env.done("small.toml");
    let shown = env.show(&goal);
    let events = env.events(&goal).len();
    timed.set("2030-01-04T00:00:00Z");
    let mut client = env.connect();
    let error = client.answer("audit.prune", &json!({"olderThanDays": 0}));
    assert_eq!(error["error"]["message"], "Invalid params: olderThanDays: it is 1 at least");
    let young = client.call("audit.prune", &json!({"olderThanDays": 7}));
    assert_eq!(young, json!({"deleted": 0, "goals": 0}));
    let asked = json!({"olderThanDays": 2, "idempotencyKey": "old ones"});
    let pruned = client.call("audit.prune", &asked);
    assert_eq!(pruned, json!({"deleted": events, "goals": 1}));
    crate::env::wait_until("the goal is compacted", || (env.events_in_log(&goal).len() == 1).then_some(()));
    let mut client = env.connect();
    assert_eq!(client.call("audit.prune", &asked), pruned, "a repeat is told the same");
    assert_eq!(client.call("audit.byGoal", &json!({"goalId": goal}))["logs"], json!([]));
    assert_eq!(env.show(&goal), shown);
    // What is usual is so again at the next look.
    let second = env.done("small.toml");
    env.succeed(&["gc"]);
    assert!(env.events_in_log(&second).len() > 1);
}

#[test]
fn a_disk_with_little_room_takes_no_new_goals() {
    let env = TestEnv::new();
    env.write("goal.toml", &WAITS.replace("unsafe", "idempotent"));
    env.write("small.toml", SMALL);
    let running = env.detach(&["goal.toml"]);
    env.wait_lines("out/witness/wait", 1);
    env.settings("[disk]\nfree_bytes_min = 9_000_000_000_000_000_000\n");
    for name in ["gateway", "scheduler"] {
        env.kill9(name);
        env.start_daemon(name);
    }
    let refused = env.pb(["run", "--detach", "small.toml"]);
    assert_eq!(refused.exit, Some(75), "{refused}");
    assert!(refused.stderr.contains("MiB left, and new goals need"), "{refused}");
    assert!(refused.stderr.contains("hint: free some space, or drop the history of old goals with: pb gc"));
    let status = env.pb(["status"]);
    assert!(status.stdout.contains("free; new goals are refused below 9000000.0 TB"), "{status}");
    // What was accepted goes on and is recorded.
    fs::write(env.file("out/go"), "").unwrap();
    assert_eq!(env.watch(&running), Some(0));
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 1);
}

#[test]
fn a_goal_whose_history_grows_too_long_waits_for_a_human() {
    let env = TestEnv::new();
    env.settings("[retention]\ngoal_events = 30\n");
    let mut items = String::new();
    for n in 0..12 {
        let needs = if n == 0 { String::new() } else { format!("needs = [\"i{}\"]\n", n - 1) };
        let item =
            format!("[[items]]\nid = \"i{n}\"\nkind = \"command\"\nargv = [\"true\"]\neffect = \"pure\"\n");
        items.push_str(&(item + &needs));
    }
    env.write("long.toml", &format!("title = \"long\"\n{items}"));
    let goal = env.detach(&["long.toml"]);
    assert_eq!(env.watch(&goal), Some(2));
    let shown = env.show(&goal);
    assert_eq!(shown["status"], "blocked");
    let escalations = shown["escalations"].as_array().unwrap();
    assert_eq!(escalations.len(), 1, "{escalations:?}");
    assert_eq!(escalations[0]["title"], "the room for the goal's history is used up");
    let events = env.events(&goal);
    assert_gapless(&events);
    assert!(events.len() < 50, "{} events", events.len());
}
