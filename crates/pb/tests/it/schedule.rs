//! Goals that are run again and again, by real processes whose clock the test sets.

use std::fs;
use std::path::PathBuf;

use insta::assert_snapshot;
use jiff::Timestamp;
use pb_runtime::Clock;
use pb_runtime::clock::TEST_CLOCK;
use pb_store::LogReader;
use serde_json::Value;

use crate::agent::plan_of_a_file;
use crate::env::{TestEnv, wait_until};
use crate::machine::item;
use crate::model::{Scripted, finish, plan, planner, worker, write};

/// A machine whose clock the test sets.
pub(crate) struct Timed {
    pub(crate) env: TestEnv,
    file: PathBuf,
}

impl Timed {
    pub(crate) fn at(moment: &str) -> Self {
        Self::with(TestEnv::new(), moment)
    }

    fn with(mut env: TestEnv, moment: &str) -> Self {
        let file = env.root().join("clock");
        env.variables.push((TEST_CLOCK, file.to_str().unwrap().to_owned()));
        let timed = Self { env, file };
        timed.set(moment);
        timed
    }

    /// Sets the clock of all processes; it goes on from there.
    pub(crate) fn set(&self, moment: &str) {
        let now: i64 = Clock::System.now_ms().try_into().unwrap();
        let new = self.file.with_extension("new");
        fs::write(&new, (ms(moment) - now).to_string()).unwrap();
        fs::rename(new, &self.file).unwrap();
    }

    /// Adds a schedule; its id.
    pub(crate) fn add(&self, arguments: &[&str]) -> String {
        let ran = self.env.pb(["schedule", "add"].iter().chain(arguments));
        assert_eq!(ran.exit, Some(0), "{ran}");
        ran.raw_stdout.trim_end().to_owned()
    }

    pub(crate) fn show(&self, id: &str) -> Value {
        self.env.json(["schedule", "show", id, "--json"])
    }

    /// Waits until a schedule has run so often, and the last of its goals has ended.
    pub(crate) fn wait_runs(&self, id: &str, runs: u64) -> Value {
        wait_until(&format!("{id} has run {runs} times"), || {
            let shown = self.show(id);
            (shown["runs"] == runs && shown["running"].is_null()).then_some(shown)
        })
    }

    /// Waits until the loop has looked at the clock: it has, when it has taken a command.
    pub(crate) fn look(&self) {
        let ran = self.env.pb(["run", "--detach", "noop.toml"]);
        assert_eq!(ran.exit, Some(0), "{ran}");
    }

    /// The names of all events of schedules, in order.
    fn told(&self) -> Vec<String> {
        let path = self.env.home().join("state.db");
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let log = LogReader::open(&path).await.unwrap();
            let events = log.events_after(0, 10_000).await.unwrap();
            let kinds = events.into_iter().map(|event| event.kind);
            kinds.filter(|kind| kind.starts_with("schedule.")).collect()
        })
    }
}

pub(crate) fn ms(moment: &str) -> i64 {
    moment.parse::<Timestamp>().unwrap().as_millisecond()
}

/// The slots of the goals that a schedule has submitted, oldest first.
pub(crate) fn slots(shown: &Value) -> Vec<i64> {
    shown["recent"].as_array().unwrap().iter().map(|run| run["slot"].as_i64().unwrap()).collect()
}

/// A goal of one command.
fn command(title: &str, script: &str, workspace: &str) -> String {
    format!(
        r#"
title = "{title}"
workspace = "{workspace}"

[[items]]
id = "do"
kind = "command"
argv = ["sh", "-ec", "{script}"]
effect = "unsafe"
gates = [{{ kind = "command", argv = ["true"] }}]
"#
    )
}

/// Policies, and what they made of it: how many ran, how many were skipped.
fn counts(timed: &Timed, ids: &[String]) -> Vec<(u64, u64)> {
    let count = |id: &String| {
        let shown = timed.show(id);
        (shown["runs"].as_u64().unwrap(), shown["skipped"].as_u64().unwrap())
    };
    ids.iter().map(count).collect()
}

#[test]
fn schedule_with_three_missed_slots_and_a_dst_change() {
    let timed = Timed::at("2026-03-27T12:00:00Z");
    timed.env.write("noop.toml", &command("Nothing", "true", "nothing"));
    timed.env.write("report.toml", &command("夜间报告", "true", "报告"));
    let ids: Vec<String> = ["skip", "once", "all"]
        .map(|missed| {
            let when = ["--cron", "30 2 * * *", "--tz", "Europe/Berlin", "--missed", missed];
            timed.add(&[&["report.toml"], when.as_slice()].concat())
        })
        .to_vec();
    timed.set("2026-03-28T01:30:01Z"); // 02:30 in winter.
    for id in &ids {
        assert_eq!(slots(&timed.wait_runs(id, 1)), [ms("2026-03-28T01:30:00Z")]);
    }

    // Off for three slots; on the 29th the clock on the wall leapt over 02:30.
    timed.env.kill9("scheduler");
    timed.set("2026-03-31T06:00:00Z");
    timed.env.start_daemon("scheduler");
    let [skip, once, all] = ids.as_slice() else { panic!("three") };
    wait_until("the slots are skipped", || (timed.show(skip)["skipped"] == 3).then_some(()));
    assert_eq!(slots(&timed.wait_runs(once, 2)).last(), Some(&ms("2026-03-31T00:30:00Z")));
    let caught_up = timed.wait_runs(all, 4);
    let expect = [
        "2026-03-28T01:30:00Z",
        "2026-03-29T01:00:00Z", // The first moment after the leap.
        "2026-03-30T00:30:00Z",
        "2026-03-31T00:30:00Z",
    ];
    assert_eq!(slots(&caught_up), expect.map(ms));
    assert_eq!(counts(&timed, &ids), [(1, 3), (2, 2), (4, 0)]);

    // A clock that is set back repeats nothing, and the next slot comes once.
    timed.set("2026-03-30T00:29:00Z");
    timed.look();
    timed.set("2026-03-30T00:31:00Z");
    timed.look();
    assert_eq!(counts(&timed, &ids), [(1, 3), (2, 2), (4, 0)]);
    timed.set("2026-04-01T00:30:01Z");
    for (id, runs) in ids.iter().zip([2, 3, 5]) {
        assert_eq!(slots(&timed.wait_runs(id, runs)).last(), Some(&ms("2026-04-01T00:30:00Z")));
    }
    for id in &ids {
        assert_eq!(timed.env.pb(["schedule", "remove", id]).exit, Some(0));
    }

    // In autumn the clock shows 02:30 twice; the slot is the first.
    timed.set("2026-10-24T22:00:00Z");
    let autumn =
        timed.add(&["report.toml", "--cron", "30 2 * * *", "--tz", "Europe/Berlin", "--missed", "all"]);
    timed.set("2026-10-25T00:30:01Z");
    timed.wait_runs(&autumn, 1);
    timed.set("2026-10-25T01:30:01Z");
    timed.look();
    assert_eq!(timed.show(&autumn)["runs"], 1, "02:30 is over");
    timed.set("2026-10-26T01:30:01Z");
    let expect = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
    assert_eq!(slots(&timed.wait_runs(&autumn, 2)), expect.map(ms));
    assert_eq!(timed.told().iter().filter(|kind| *kind == "schedule.claimed").count(), 3 + 1 + 3 + 3 + 2);
}

#[test]
fn it_stands_still_after_so_many_failures_and_goes_on_when_a_person_has_looked() {
    let timed = Timed::at("2026-06-01T00:00:30Z");
    timed.env.write("noop.toml", &command("Nothing", "true", "nothing"));
    timed.env.write("fails.toml", &command("总是失败", "[ -e fixed ]", "out"));
    let id = timed.add(&["fails.toml", "--every", "1h", "--failures", "2"]);
    for hour in 1..=2 {
        timed.set(&format!("2026-06-01T0{hour}:00:40Z"));
        timed.wait_runs(&id, hour);
    }
    let broken = timed.show(&id);
    assert_eq!((&broken["status"], &broken["failures"]), (&"broken".into(), &2.into()));
    assert_snapshot!("schedule_broken_list", timed.env.pb(["schedule", "list"]));
    assert_snapshot!("schedule_broken_show", timed.env.pb(["schedule", "show", &id]));
    timed.set("2026-06-01T05:00:40Z");
    timed.look();
    assert_eq!(timed.show(&id)["runs"], 2, "nothing runs");

    // It is tried by hand, then goes on: with the slots after that.
    fs::write(timed.env.file("out/fixed"), "").unwrap();
    assert_eq!(timed.env.pb(["schedule", "run", &id]).exit, Some(0));
    assert_eq!(timed.wait_runs(&id, 3)["status"], "broken");
    assert_eq!(timed.env.pb(["schedule", "resume", &id]).exit, Some(0));
    assert_eq!(timed.show(&id)["reason"], Value::Null);
    timed.set("2026-06-01T06:00:40Z");
    let again = timed.wait_runs(&id, 4);
    assert_eq!((&again["status"], &again["failures"]), (&"active".into(), &0.into()));
    let expect = [
        "created",
        "claimed",
        "failed",
        "claimed",
        "broke",
        "ran",
        "succeeded",
        "resumed",
        "claimed",
        "succeeded",
    ];
    assert_eq!(timed.told(), expect.map(|name| format!("schedule.{name}")));
}

#[test]
fn a_run_that_takes_long_is_not_joined_by_another_and_outlives_its_schedule() {
    let timed = Timed::at("2026-06-01T00:00:00Z");
    timed.env.write("noop.toml", &command("Nothing", "true", "nothing"));
    let wait = |name: &str| {
        let file = command(name, "until [ -e go ]; do sleep 0.01; done", name);
        // After a kill it is seen that it has not ended, and it runs again.
        let file = file.replace("unsafe", "idempotent").replace("[\"true\"]", "[\"test\", \"-e\", \"go\"]");
        timed.env.write(&format!("{name}.toml"), &file);
        format!("{name}.toml")
    };
    let (skip, once) = (wait("skip"), wait("once"));
    let skip = timed.add(&[&skip, "--every", "1h"]);
    let once = timed.add(&[&once, "--every", "1h", "--missed", "once"]);
    for hour in 1..=3 {
        timed.set(&format!("2026-06-01T0{hour}:00:10Z"));
        let passed = hour - 1;
        wait_until("the first runs, the others are skipped", || {
            let (skip, once) = (timed.show(&skip), timed.show(&once));
            (skip["runs"] == 1 && skip["skipped"] == passed && once["runs"] == 1).then_some(())
        });
    }
    let refused = timed.env.pb(["schedule", "run", &skip]);
    assert_snapshot!("schedule_still_running", refused);
    // Also after a restart it is known what runs.
    timed.env.kill9("scheduler");
    timed.env.start_daemon("scheduler");
    timed.look();
    assert_eq!((timed.show(&skip)["runs"].clone(), timed.show(&once)["runs"].clone()), (1.into(), 1.into()));

    let goal = timed.show(&skip)["running"].as_str().unwrap().to_owned();
    assert_snapshot!("schedule_remove", timed.env.pb(["schedule", "remove", &skip]));
    let refused = timed.env.pb(["schedule", "pause", &skip]);
    assert!(refused.stderr.contains("schedule not found"), "{refused}");
    for name in ["skip", "once"] {
        fs::write(timed.env.file(&format!("{name}/go")), "").unwrap();
    }
    assert_eq!(timed.env.watch(&goal), Some(0), "what runs goes on");
    let ended = timed.env.show(&goal);
    assert_eq!(ended["schedule_id"], skip.as_str());
    assert_eq!(item(&ended, "do")["lane"], "cron");
    // The other one makes up for what it missed, once.
    let shown = timed.wait_runs(&once, 2);
    let last = *slots(&shown).last().unwrap() - ms("2026-06-01T03:00:00Z");
    assert!((0..10_000).contains(&last), "{last}: whole hours after it was added");
    assert_eq!(shown["skipped"], 1);
    let removed = timed.env.json(["schedule", "list", "--removed", "--json"]);
    assert_eq!(removed["total"], 2);
    assert_eq!(timed.env.json(["schedule", "list", "--json"])["total"], 1);
}

#[test]
fn what_a_person_types_and_reads() {
    let timed = Timed::at("2026-11-27T08:00:00Z");
    let env = &timed.env;
    env.write("report.toml", &command("每日报告：销售", "true", "报告"));
    let add = ["schedule", "add", "report.toml", "--cron", "0 9 * * 1-5", "--tz", "Asia/Shanghai"];
    let ran = env.pb(add);
    assert_snapshot!("schedule_add", ran);
    let id = ran.raw_stdout.trim_end();
    assert!(
        ran.raw_stderr.contains("next run: 2026-11-30 01:00:00 (2026-11-30 09:00:00 in Asia/Shanghai)"),
        "{}",
        ran.raw_stderr
    );
    let part = &id[id.len() - 8..];
    assert_snapshot!("schedule_list", env.pb(["schedule", "list"]));
    assert_snapshot!("schedule_pause", env.pb(["schedule", "pause", part]));
    assert_snapshot!("schedule_pause_again", env.pb(["schedule", "pause", part]));
    let by_hand = env.pb(["schedule", "run", part]);
    assert_eq!(by_hand.exit, Some(0), "{by_hand}");
    let goal = by_hand.raw_stdout.trim_end();
    assert_eq!(env.watch(goal), Some(0));
    timed.wait_runs(id, 1);
    assert_snapshot!("schedule_show", env.pb(["schedule", "show", part]));
    assert_snapshot!("schedule_resume", env.pb(["schedule", "resume", part]));
    assert!(env.pb(["goal", "show", goal]).raw_stdout.contains(&format!("schedule   {id}, run by hand")));
    // A repeat of a key is the same schedule.
    let key = [add.as_slice(), &["--key", "k"]].concat();
    assert_eq!(env.pb(&key).raw_stdout, env.pb(&key).raw_stdout);
    assert_eq!(env.json(["schedule", "list", "--json"])["total"], 2);

    let wrong: [&[&str]; 8] = [
        &["report.toml", "--cron", "0 9 * * 8"],
        &["report.toml", "--cron", "0 9 * *"],
        &["report.toml", "--cron", "0 9 31 2 *"],
        &["report.toml", "--cron", "0 9 * * *", "--tz", "Europe/Belin"],
        &["report.toml", "--every", "10s"],
        &["report.toml", "--every", "soon"],
        &["report.toml"],
        &["missing.toml", "--every", "1h"],
    ];
    let told: Vec<String> = wrong
        .iter()
        .map(|arguments| {
            let ran = env.pb(["schedule", "add"].iter().chain(*arguments));
            format!("$ pb schedule add {}\n{ran}", arguments.join(" "))
        })
        .collect();
    assert_snapshot!("schedule_wrong", told.join("\n"));
    assert_snapshot!("schedule_unknown", env.pb(["schedule", "show", "ffffffff"]));
}

#[test]
fn a_goal_in_words_is_planned_and_done_at_its_slot_and_nobody_has_to_look() {
    let items = plan_of_a_file("日报", "写一份日报。", "日报.txt", "完成");
    let said = [planner([plan(&items)]), worker([write("日报.txt", "完成"), finish("写好了。")])];
    let Scripted { env, model } = Scripted::cold(said);
    let timed = Timed::with(env, "2026-06-01T07:59:00Z");
    let id = timed.add(&["每天早上写一份日报", "--cron", "0 8 * * *", "--tz", "UTC", "--workspace", "报告"]);
    // No gateway, and no client.
    timed.env.kill9("gateway");
    timed.set("2026-06-01T08:00:01Z");
    let ended = ["schedule.created", "schedule.claimed", "schedule.succeeded"];
    wait_until("it has run", || (timed.told() == ended).then_some(()));
    assert_eq!(fs::read_to_string(timed.env.file("报告/日报.txt")).unwrap(), "完成");
    assert_eq!(model.requests().len(), 3, "a plan, and two turns");
    timed.env.start_daemon("gateway");
    let shown = timed.show(&id);
    assert_eq!(slots(&shown), [ms("2026-06-01T08:00:00Z")]);
    let goal = timed.env.show(shown["recent"][0]["goal_id"].as_str().unwrap());
    assert_eq!((&goal["title"], &goal["verdict"]), (&"每天早上写一份日报".into(), &"verified".into()));
    assert_eq!(goal["items"][0]["lane"], "cron", "also what a model planned");
}
