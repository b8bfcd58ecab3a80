//! A goal in one file, from one home to another person's, and debug events that are found by their words.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::agent::plan_of_a_file;
use crate::debug_server::{TWO, ask, exchange, list};
use crate::env::{TestEnv, wait_until};
use crate::machine::json_lines;
use crate::model::{Scripted, finish, plan, planner, worker, write};

/// A key as providers give them.
const KEY: &str = "sk-ant-api03-planted-key-of-this-test-0123456789abcdef";
/// One that looks like none.
const OWN_KEY: &str = "tesserakt!";
/// After everything that a test does, in milliseconds since 1970.
const LATER: u64 = 99_999_999_999_999;

/// A home in which a model planned a goal and did it.
fn done() -> (Scripted, String) {
    let text = format!("一份报告 {KEY} {OWN_KEY}");
    let items = plan_of_a_file("report", "写报告.md", "报告.md", "一份报告");
    let scripted =
        Scripted::saying([planner([plan(&items)]), worker([write("报告.md", &text), finish("好了")])]);
    let env = &scripted.env;
    let goal = env.detach(&["写一份报告"]);
    assert_eq!(env.watch(&goal), Some(0), "{}", env.pb(["goal", "show", &goal]));
    wait_until("the trace is written", || {
        let told = env.debug(&format!("/api/events?goalId={goal}&type=state.transition&limit=1"));
        (told["events"][0]["data"]["to"] == "completed").then_some(())
    });
    (scripted, goal)
}

/// The same file with another digest: as somebody would write it who wants it to be believed.
fn sealed(text: &str) -> String {
    let before = &text[..text.rfind("{\"end\"").unwrap()];
    let digest = blake3::hash(before.as_bytes()).to_hex();
    format!("{before}{{\"end\":{{\"events\":1,\"trace\":0,\"blake3\":\"{digest}\"}}}}\n")
}

/// What is told of a goal, without the places of its events, which are those of a trace.
fn without_places(mut told: Value) -> Value {
    for event in told["events"].as_array_mut().unwrap() {
        event.as_object_mut().unwrap().remove("cursor");
    }
    told
}

#[test]
fn a_goal_goes_to_another_person_in_one_file() {
    let (mut scripted, goal) = done();
    let env = &mut scripted.env;
    let here = env.debug(&format!("/api/goals/{goal}"));
    let agents: Vec<_> = list(&here, "runs").iter().map(|run| &run["data"]["agent_type"]).collect();
    assert_eq!(agents, ["planner", "agent"], "also those of no item");
    let state = env.debug(&format!("/api/replay/{goal}/state/{LATER}"));
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    // Nothing runs, neither here nor there.
    env.variables.push(("MINE_API_KEY", OWN_KEY.to_owned()));
    let exported = env.pb(["debug", "export", &goal, "-o", "it.pbgoal"]);
    assert_eq!((exported.exit, exported.raw_stdout.as_str()), (Some(0), "it.pbgoal\n"), "{exported}");
    let text = fs::read_to_string(env.file("it.pbgoal")).unwrap();
    assert!(text.contains("一份报告"), "what was said is in it");
    assert!(!text.contains(KEY) && !text.contains(OWN_KEY), "keys are taken out before anything is written");
    let printed = env.pb(["debug", "export", goal.get(5..17).unwrap(), "-o", "-"]);
    assert_eq!(printed.raw_stdout.lines().count(), text.lines().count());

    let there = TestEnv::new();
    fs::copy(env.file("it.pbgoal"), there.file("it.pbgoal")).unwrap();
    let opened = there.spawn(["debug", "open", "it.pbgoal", "--no-open"]);
    opened.wait_for_note("Ctrl-C ends it");
    let (page, code) = opened.printed("stdout").trim().split_once("/#code=").map(owned).unwrap();
    let programs = opened.printed("stderr");
    let (_, programs) = programs.split_once("for programs: http://").unwrap();
    let (address, path) = programs.split(';').next().unwrap().split_once('/').unwrap();
    let asked = |path: &str| {
        let (status, told) = ask(address, path);
        assert_eq!(status, 200, "{path}: {told}");
        told
    };
    let clean: Value = serde_json::from_str(&here.to_string().replace(OWN_KEY, "[redacted]")).unwrap();
    assert_eq!(without_places(asked(&format!("/{path}"))), without_places(clean));
    assert_eq!(asked(&format!("/api/replay/{goal}/state/{LATER}")), state);
    let found = asked("/api/events?q=%E4%BB%BD%E6%8A%A5"); // 份报
    assert!(!list(&found, "events").is_empty());
    // A browser comes in by the code, and looks.
    let session = come_in(page.strip_prefix("http://").unwrap(), &code);
    assert_eq!(session["permissions"], json!(["read", "admin"]));
    kill_process(Pid::from_child(&opened.child), Signal::INT).unwrap();
    assert_eq!(opened.wait().exit, Some(0));
    assert!(!there.home().exists(), "its own home is not touched");
    let summary = there.json(["debug", "open", "it.pbgoal", "--json"]);
    assert_eq!(
        (&summary["goal"], &summary["file"]["title"]),
        (&here["goal"]["data"], &here["goal"]["title"])
    );
}

fn owned((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

/// What the page is told of a browser that came in by a code.
fn come_in(address: &str, code: &str) -> Value {
    let request = |method: &str, more: &str| {
        let head = format!("{method} /console/session HTTP/1.1\r\nHost: {address}\r\n{more}\r\n");
        let page = "Sec-Fetch-Site: same-origin\r\nContent-Length: 0\r\nConnection: close";
        exchange(address, &format!("{head}{page}\r\n\r\n"))
    };
    let (head, body) = request("POST", &format!("Authorization: Code {code}"));
    let key: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{head}\n{body}"));
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let key = key["key"].as_str().unwrap();
    let (head, body) = request("GET", &format!("Cookie: {cookie}\r\nPb-Console-Key: {key}"));
    serde_json::from_str(&body).unwrap_or_else(|_| panic!("{head}\n{body}"))
}

#[test]
fn a_file_that_is_not_what_was_written_is_not_shown_and_it_is_said_why() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", TWO);
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(0));
    let exported = env.pb(["debug", "export", &goal]);
    assert_eq!(exported.exit, Some(0), "{exported}");
    let text = fs::read_to_string(env.file(exported.raw_stdout.trim())).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let without = |line: usize| [&lines[..line], &lines[line + 1..]].concat().join("\n") + "\n";
    let cut = lines[..5].join("\n") + "\n";
    let changed = text.replacen("先后", "后先", 1);
    let rows = text.rfind("{\"rows\"").unwrap();
    let believed = sealed(&format!("{}{}", &text[..rows], text[rows..].replacen("先后", "后先", 1)));
    let later = text.replacen("\"version\":1", "\"version\":9", 1);
    let later = later.replacen("\"by\":\"", "\"by\":\"\\u001b[2J", 1);
    for (file, wrong, why, hint) in [
        ("cut", cut, "cut short after line 5", "sent again, whole"),
        ("changed", changed, "its digest is another", "have it written anew"),
        ("believed", believed, "do not come to its rows", "have it written anew"),
        ("shorter", without(3), "line 4 does not follow", "have it written anew"),
        ("foreign", TWO.to_owned(), "`pb debug export` has not written it", "pb debug export ID"),
        ("later", later, "wrote it in form 9", "a pb that is as new"),
    ] {
        env.write(file, &wrong);
        let refused = env.pb(["debug", "open", file, "--json"]);
        assert_eq!((refused.exit, refused.raw_stdout.as_str()), (Some(65), ""), "{refused}");
        assert!(refused.stderr.contains(why) && refused.stderr.contains(hint), "{refused}");
        assert!(!refused.stderr.contains('\u{1b}'), "a terminal obeys nothing of it: {refused}");
    }
    File::create(env.file("large")).unwrap().set_len(5 << 30).unwrap();
    let refused = env.pb(["debug", "open", "large"]);
    assert_eq!(refused.exit, Some(65), "{refused}");
    assert!(refused.stderr.contains("it is larger than 4 GiB"), "{refused}");
    for missing in [["debug", "open", "nowhere"], ["debug", "export", "ffffffff"]] {
        let refused = env.pb(missing);
        assert_eq!(refused.exit, Some(66), "{refused}");
    }
    let nowhere = env.pb(["debug", "export", &goal, "-o", "no/such/folder"]);
    assert_eq!(nowhere.exit, Some(1), "{nowhere}");
}

/// A file with a goal that is done, and the home that it comes from.
fn file_of_a_goal(file: &str) -> TestEnv {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", TWO);
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(0));
    // Somebody who knows where we write would have us write elsewhere, or where others may read.
    env.write("other", "theirs");
    symlink(env.file("other"), env.file(&format!("{file}.new"))).unwrap();
    env.write(file, "before");
    fs::set_permissions(env.file(file), Permissions::from_mode(0o644)).unwrap();
    let exported = env.pb(["debug", "export", &goal, "-o", file]);
    assert_eq!(exported.exit, Some(0), "{exported}");
    env
}

#[test]
fn a_file_is_written_for_its_owner_alone_and_through_no_link() {
    let env = file_of_a_goal("it.pbgoal");
    assert_eq!(fs::read_to_string(env.file("other")).unwrap(), "theirs");
    assert_eq!(fs::metadata(env.file("it.pbgoal")).unwrap().permissions().mode() & 0o777, 0o600);
    let beside = fs::read_dir(env.work()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(beside.filter(|name| name.to_string_lossy().ends_with(".new")).count(), 1, "nothing is left");
}

#[test]
fn a_terminal_that_is_closed_ends_it_and_leaves_nothing_also_while_a_browser_comes() {
    // It is done when the test says so.
    const OPENER: &str = "#!/bin/sh\nmkfifo release && : >opening && read line <release\n";
    let mut env = file_of_a_goal("it.pbgoal");
    env.write("xdg-open", OPENER);
    fs::set_permissions(env.file("xdg-open"), Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", env.work().display());
    env.variables.extend([("PATH", path), ("DISPLAY", ":0".to_owned())]);
    let opened = env.spawn(["debug", "open", "it.pbgoal"]);
    wait_until("a browser is opened", || env.file("opening").exists().then_some(()));
    let home = scratch_of(opened.child.id());
    kill_process(Pid::from_child(&opened.child), Signal::HUP).unwrap();
    let ended = opened.wait();
    fs::write(env.file("release"), "\n").unwrap();
    assert_eq!(ended.exit, Some(0), "{ended}");
    assert!(!home.exists(), "{} is left", home.display());
}

/// The home of a `pb debug open`, by a file that it has open there.
fn scratch_of(pid: u32) -> PathBuf {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let mut files = open.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    let one = files.find(|file| file.starts_with("/tmp") && file.to_string_lossy().contains("/pb-open-"));
    one.unwrap().ancestors().find(|folder| folder.parent() == Some("/tmp".as_ref())).unwrap().to_owned()
}

#[test]
fn debug_events_are_found_by_their_words_also_when_nothing_runs() {
    let env = TestEnv::new();
    assert_eq!(env.pb(["debug", "search", "x"]).exit, Some(0), "nothing there is no error");
    env.start_daemons();
    env.write("goal.toml", TWO);
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    let search = |words: &[&str]| {
        let ran = env.pb(["debug", "search", "--json"].iter().chain(words));
        assert_eq!(ran.exit, Some(0), "{ran}");
        json_lines(&ran.raw_stdout)
            .iter()
            .map(|one| one["type"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let finds = |words: &[&str], kind: &str| search(words).iter().any(|found| found == kind);
    assert!(finds(&["先后"], "scheduler.goal.submitted"));
    assert!(finds(&["--goal", goal.get(5..17).unwrap(), "后"], "scheduler.goal.submitted"));
    assert!(finds(&["goal", "active", "completed"], "state.transition"));
    assert_eq!(search(&["nowhere"]), Vec::<String>::new());
    let all = search(&["goal"]);
    assert_eq!(search(&["goal", "--limit", "2"]), all[all.len() - 2..], "the latest");
    let other = env.pb(["debug", "search", "x", "--goal", "ffffffff"]);
    assert_eq!(other.exit, Some(66), "{other}");
}
