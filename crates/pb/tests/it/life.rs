//! A goal's ordinary life, from the person's hand to its result.

use std::fs;

use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::machine::{assert_gapless, item};

/// One item that leaves a witness, waits for the file `go` and writes `done`.
pub(crate) const WAITS: &str = r#"
title = "Waits for the test"
workspace = "out"

[[items]]
id = "wait"
kind = "command"
argv = ["sh", "-ec", "mkdir -p witness; echo x >> witness/wait; until [ -e go ]; do sleep 0.01; done; touch done"]
effect = "unsafe"
gates = [{ kind = "file_exists", path = "done" }]
"#;

/// The owner's own example, with Chinese text wherever text may stand.
const CHINESE: &str = r#"
title = "帮我创建一个测试文件"
description = '''
帮我创建一个测试文件
第二行
'''
workspace = "工作区"

[[items]]
id = "写文件"
title = "写一个文件"
kind = "command"
argv = ["sh", "-ec", "printf %s \"$TEXT\" | tee '测试 文件.txt'"]
env = { TEXT = "你好，小马！\n𠮷野家 — “引号” ＼(^o^)／\n" }
effect = "idempotent"
gates = [{ kind = "file_contains", path = "测试 文件.txt", text = "小马" }]
"#;

#[test]
fn chinese_text_stays_as_it_is_on_every_way() {
    const TITLE: &str = "帮我创建一个测试文件";
    const TEXT: &str = "你好，小马！\n𠮷野家 — “引号” ＼(^o^)／\n";
    const DESCRIPTION: &str = "帮我创建一个测试文件\n第二行\n";
    let env = TestEnv::new();
    env.write("目标.toml", CHINESE);
    let ran = env.pb(["run", "目标.toml"]);
    assert_snapshot!("chinese_run", ran);
    assert_eq!(fs::read_to_string(env.file("工作区/测试 文件.txt")).unwrap(), TEXT);

    let goal = env.only_goal();
    assert_eq!(env.json(["goal", "list", "--json"])["goals"][0]["title"], TITLE);
    let told = env.show(&goal);
    assert_eq!((&told["title"], &told["description"]), (&json!(TITLE), &json!(DESCRIPTION)));
    assert_eq!(told["artifacts"][0]["file_path"], "测试 文件.txt");
    assert_eq!(item(&told, "写文件")["title"], "写一个文件");
    assert_eq!(item(&told, "写文件")["runs"][0]["execution_log"], TEXT);
    assert_eq!(env.pb(["goal", "logs", &goal, "--step", "1"]).raw_stdout, TEXT);
    assert_snapshot!("chinese_logs", env.pb(["goal", "logs", &goal]));
    assert_snapshot!("chinese_show", env.pb(["goal", "show", &goal]));
    let events = env.events(&goal);
    let of = |name: &str| events.iter().find(|event| event["event"] == name).unwrap();
    assert_eq!(of("goal.created")["data"]["goal"]["title"], TITLE);
    assert_eq!(of("run.executed")["data"]["run"]["execution_log"], TEXT);
    assert_eq!(of("artifact.created")["data"]["artifact"]["file_path"], "测试 文件.txt");
}

#[test]
fn the_same_key_gives_the_same_goal_which_runs_once() {
    let env = TestEnv::new();
    env.write("goal.toml", WAITS);
    let first = env.detach(&["goal.toml", "--key", "每晚"]);
    env.wait_lines("out/witness/wait", 1);
    let again = env.detach(&["goal.toml", "--key", "每晚"]);
    fs::write(env.file("out/go"), "").unwrap();
    let followed = env.pb(["run", "goal.toml", "--key", "每晚"]);
    assert_eq!(followed.exit, Some(0), "{followed}");
    assert_eq!((again.as_str(), env.only_goal()), (first.as_str(), first.clone()));
    assert_eq!(env.witnesses("out", ["wait"]), [1]);
    // Also after both were started anew.
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    assert_eq!(env.detach(&["goal.toml", "--key", "每晚"]), first);
    env.write("goal.toml", &WAITS.replace("Waits", "Longs"));
    assert_snapshot!("key_of_another_goal", env.pb(["run", "goal.toml", "--key", "每晚"]));
}

#[test]
fn what_is_submitted_while_no_scheduler_runs_starts_when_one_comes() {
    let env = TestEnv::new();
    env.start_daemon("gateway");
    let file =
        WAITS.replace("until [ -e go ]; do sleep 0.01; done; ", "").replace("Waits for", "Earlier than");
    env.write("early.toml", &file);
    // What a client sends is what the goal file says, resolved.
    let mut spec = env.json(["goal", "check", "early.toml", "--json"])["goal"].clone();
    spec["idempotencyKey"] = json!("k");
    let goal = env.connect().call("goal.submit", &spec);
    assert_eq!((&goal["status"], &goal["waiting"]), (&json!("queued"), &json!(true)), "{goal}");
    // What was answered survives the gateway.
    env.kill9("gateway");
    env.start_daemon("gateway");
    assert_eq!(env.connect().call("goal.submit", &spec)["id"], goal["id"]);
    let goal = goal["id"].as_str().unwrap();
    assert_snapshot!("early_list", env.pb(["goal", "list"]));
    assert_snapshot!("early_show", env.pb(["goal", "show", goal]));
    assert_snapshot!("early_status", env.pb(["status"]));

    let watching = env.spawn(["goal", "watch", goal]);
    watching.wait_for_note("no scheduler is running");
    env.start_daemon("scheduler");
    let watched = watching.wait();
    assert_eq!(watched.exit, Some(0), "{watched}");
    assert_eq!(env.witnesses("out", ["wait"]), [1]);
    assert_eq!(env.only_goal(), goal);
    assert_gapless(&env.events(goal));
}

#[test]
fn after_ctrl_c_the_goal_goes_on_and_can_be_followed_again() {
    let env = TestEnv::new();
    env.write("goal.toml", WAITS);
    let running = env.spawn(["run", "goal.toml"]);
    env.wait_lines("out/witness/wait", 1);
    running.wait_for_note("wait: started");
    let pid = Pid::from_raw(running.child.id().cast_signed()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let ran = running.wait();
    assert_snapshot!("ctrl_c", ran);
    fs::write(env.file("out/go"), "").unwrap();
    let goal = env.only_goal();
    assert!(ran.raw_stderr.contains(&format!("pb goal watch {goal}")), "{ran}");
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!(env.witnesses("out", ["wait"]), [1]);
}

#[test]
fn any_part_of_an_id_that_only_one_goal_has_will_do() {
    let env = TestEnv::new();
    env.write("goal.toml", "title = \"x\"\n[[items]]\nid = \"a\"\nkind = \"command\"\nargv = [\"true\"]\n");
    let goals = [env.detach(&["goal.toml"]), env.detach(&["goal.toml"])];
    for goal in &goals {
        assert_eq!(env.show(&goal[goal.len() - 12..])["id"], **goal);
        assert_eq!(env.watch(goal), Some(3));
    }
    let ambiguous = env.pb(["goal", "show", "goal_"]);
    assert_snapshot!("id_of_two_goals", ambiguous);
    for (name, command) in [
        ("missing_show", ["goal", "show", "beef"].as_slice()),
        ("missing_watch", &["goal", "watch", "beef"]),
        ("missing_cancel", &["goal", "cancel", "beef"]),
        ("missing_logs", &["goal", "logs", "beef"]),
        ("missing_step", &["goal", "logs", &goals[0], "--step", "9"]),
    ] {
        let ran = env.pb(command);
        assert_eq!(ran.exit, Some(66), "{ran}");
        assert_snapshot!(name, ran);
    }
}

/// Goals that want the same folder, one inside it, and the one around it, while the first works there.
#[test]
fn who_wants_a_folder_that_another_goal_works_in_waits_says_for_whom_and_then_runs() {
    let env = TestEnv::new();
    env.write("first.toml", WAITS);
    let first = env.detach(&["first.toml"]);
    env.wait_lines("out/witness/wait", 1);
    let next = WAITS.replace("until [ -e go ]; do sleep 0.01; done; ", "");
    env.write("next.toml", &next);
    let after = ["out", "out/deeper", "."].map(|folder| env.detach(&["next.toml", "--workspace", folder]));
    let beside = env.pb(["run", "next.toml", "--workspace", "beside"]);
    assert_snapshot!("folder_beside", beside.stderr);
    for goal in &after {
        wait_until("it waits", || env.show(goal)["waits_for"].is_string().then_some(()));
    }
    let waits_for = |goal: &String| env.show(goal)["waits_for"].as_str().unwrap().to_owned();
    assert_eq!(waits_for(&after[0]), first);
    assert_snapshot!("folder_waits", env.pb(["goal", "show", &after[0]]));

    let watching = env.spawn(["goal", "watch", &after[0]]);
    watching.wait_for_note(&format!("waits for {first}, which works in"));
    fs::write(env.file("out/go"), "").unwrap();
    assert_eq!(watching.wait().exit, Some(0));
    for goal in &after {
        assert_eq!(env.watch(goal), Some(0));
    }
    // One after another: each began after the one before had ended.
    let mut spans: Vec<(u64, u64)> = [&[first], after.as_slice()]
        .concat()
        .iter()
        .map(|goal| {
            let events = env.events(goal);
            let at = |name: &str| {
                let event: &Value = events.iter().find(|event| event["event"] == name).unwrap();
                event["at"].as_u64().unwrap()
            };
            (at("goal.started"), at("goal.completed"))
        })
        .collect();
    spans.sort_unstable();
    assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{spans:?}");
}

#[test]
fn a_list_that_is_cut_shows_the_newest_goals() {
    let env = TestEnv::new();
    let file = env.write(
        "goal.toml",
        "title = \"one\"\n[[items]]\nid = \"a\"\nkind = \"command\"\nargv = [\"true\"]\n",
    );
    let goals: Vec<String> = (0..3).map(|_| env.detach(&[file.to_str().unwrap()])).collect();
    let list = env.json(["goal", "list", "--limit", "2", "--json"]);
    let shown: Vec<&str> =
        list["goals"].as_array().unwrap().iter().map(|goal| goal["id"].as_str().unwrap()).collect();
    assert_eq!((shown, list["total"].as_u64()), (vec![goals[1].as_str(), goals[2].as_str()], Some(3)));
    // Also the one that matters most, which goes first.
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("priority = 90\n{text}")).unwrap();
    let urgent = env.detach(&[file.to_str().unwrap()]);
    let list = env.json(["goal", "list", "--limit", "1", "--json"]);
    assert_eq!((list["goals"][0]["id"].as_str(), list["total"].as_u64()), (Some(urgent.as_str()), Some(4)));
}

#[test]
fn a_restart_keeps_the_address_and_the_goals_and_stops_nothing_for_settings_that_do_not_work() {
    let env = TestEnv::new();
    env.write("goal.toml", WAITS);
    assert_eq!(env.pb(["gateway", "start", "--port", "0", "--debug"]).exit, Some(0));
    env.start_daemon("scheduler");
    let goal = env.detach(&["goal.toml"]);
    env.wait_lines("out/witness/wait", 1);
    let pids = || ["gateway", "scheduler"].map(|name| env.holder(name).unwrap().pid);
    let (before, address) = (pids(), env.address());

    fs::write(env.home().join("config.toml"), "[gateway\nport = 1\n").unwrap();
    for what in [vec!["restart"], vec!["gateway", "restart"], vec!["scheduler", "restart"]] {
        let refused = env.pb(&what);
        assert_eq!(refused.exit, Some(78), "{refused}");
        assert!(refused.raw_stderr.contains("nothing was stopped"), "{refused}");
    }
    assert_eq!(pids(), before);

    fs::remove_file(env.home().join("config.toml")).unwrap();
    env.write("out/go", "");
    let restarted = env.pb(["restart"]);
    assert_eq!(restarted.exit, Some(0), "{restarted}");
    let after = pids();
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");
    assert_eq!(env.address(), address);
    let line = fs::read_to_string(format!("/proc/{}/cmdline", after[0])).unwrap();
    assert!(line.contains("--debug") && line.matches("--report-ready").count() == 1, "{line:?}");
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!(fs::read_to_string(env.file("out/witness/wait")).unwrap(), "x\n", "its step ended first");
}

#[test]
fn a_status_that_is_watched_follows_what_changes_until_ctrl_c() {
    let env = TestEnv::new();
    let watching = env.spawn(["status", "--watch", "--json"]);
    let seen = || -> Vec<bool> {
        // The last line may not be whole yet.
        let printed = watching.printed("stdout");
        let lines = printed.rsplit_once('\n').map_or("", |(whole, _)| whole).lines();
        lines.map(|line| serde_json::from_str::<Value>(line).unwrap()["gateway"]["running"] == true).collect()
    };
    wait_until("nothing runs", || (seen().last() == Some(&false)).then_some(()));
    env.start_daemon("gateway");
    wait_until("the gateway is seen", || (seen().last() == Some(&true)).then_some(()));
    kill_process(Pid::from_child(&watching.child), Signal::INT).unwrap();
    assert_eq!(watching.wait().exit, None, "the signal ended it");
}
