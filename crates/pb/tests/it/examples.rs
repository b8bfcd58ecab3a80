//! The examples of the README, as a person runs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use insta::assert_snapshot;
use serde_json::Value;

use crate::env::TestEnv;
use crate::machine::{assert_gapless, item, json_lines};
use crate::tools;

fn example(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name).to_str().unwrap().to_owned()
}

/// A repository with four commits, one with a Chinese subject.
fn repository(env: &TestEnv, git: &Path) -> PathBuf {
    let folder = env.file("repo");
    run_git(env, git, &["init", "--quiet", folder.to_str().unwrap()]);
    for (number, subject) in
        ["Begin", "添加一个测试文件", "Fix `it` \"all\"; $HOME", "End"].iter().enumerate()
    {
        fs::write(folder.join("file"), number.to_string()).unwrap();
        run_git(env, git, &["-C", "repo", "add", "file"]);
        let author = ["-c", "user.name=小马", "-c", "user.email=pony@example.org"];
        let commit = ["commit", "--quiet", "--no-gpg-sign", "-m", subject];
        run_git(env, git, &[&["-C", "repo"], author.as_slice(), commit.as_slice()].concat());
    }
    folder
}

#[expect(clippy::disallowed_methods, reason = "the test is the person who has a repository")]
fn run_git(env: &TestEnv, git: &Path, arguments: &[&str]) -> String {
    let output = Command::new(git)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", env.user())
        .current_dir(env.work())
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn hello_is_written_proven_and_shown() {
    let env = TestEnv::new();
    let ran = env.pb(["run", &example("hello.toml")]);
    assert_snapshot!("hello_run", ran);
    let goal = env.only_goal();
    let written = env.home().join("workspaces").join(&goal).join("hello.txt");
    assert!(ran.raw_stdout.contains(written.to_str().unwrap()), "{ran}");
    assert_eq!(fs::read_to_string(written).unwrap(), "Hello from PonyBunny\n你好，小马\n");
    assert_snapshot!("hello_show", env.pb(["goal", "show", &goal]));
    assert_snapshot!("hello_logs", env.pb(["goal", "logs", &goal]));
    assert_snapshot!("hello_list", env.pb(["goal", "list"]));
    // Watching what is over tells the same story again.
    assert_snapshot!("hello_watch", env.pb(["goal", "watch", &goal]));
}

#[test]
fn the_changelog_lists_every_commit_from_inside_the_repository_and_from_elsewhere_twice() {
    let Some(git) = tools::git() else { return };
    let env = TestEnv::new();
    let repository = repository(&env, &git);
    let hashes = run_git(&env, &git, &["-C", "repo", "rev-list", "--abbrev-commit", "HEAD"]);
    let hashes: Vec<&str> = hashes.lines().collect();
    assert_eq!(hashes.len(), 4);

    let check = |ran: crate::env::Ran| {
        assert_eq!(ran.exit, Some(0), "{ran}");
        let line = ran.raw_stdout.lines().find(|line| line.contains("CHANGELOG.md  ")).unwrap();
        let changelog = fs::read_to_string(line.split_whitespace().next().unwrap()).unwrap();
        let listed: Vec<&str> = changelog.lines().filter_map(|line| line.strip_prefix("- ")).collect();
        let expect = |hash: &str, subject: &str| format!("{hash} {subject} (小马)");
        assert_eq!(
            listed,
            [
                expect(hashes[0], "End"),
                expect(hashes[1], "Fix `it` \"all\"; $HOME"),
                expect(hashes[2], "添加一个测试文件"),
                expect(hashes[3], "Begin"),
            ]
        );
    };
    let inside = || env.spawn_in(&repository, ["run", &example("changelog.toml")]).wait();
    check(inside());
    check(inside());
    check(env.pb(["run", &example("changelog.toml"), "--set", "repo=repo"]));
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 3);
    assert_eq!(
        run_git(&env, &git, &["-C", "repo", "status", "--porcelain"]),
        "",
        "the repository is as it was"
    );
}

#[test]
fn parallel_retries_what_stumbles_and_joins() {
    let env = TestEnv::new();
    let ran = env.pb(["run", &example("parallel.toml"), "--workspace", "out"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert_eq!(env.witnesses("out", ["prepare", "left", "right", "join"]), [1, 1, 2, 1]);
    assert_eq!(fs::read_to_string(env.file("out/result.txt")).unwrap(), "left\nright\n");
    let goal = env.show(&env.only_goal());
    let attempts = |key: &str| item(&goal, key)["runs"].as_array().unwrap().len();
    assert_eq!(["prepare", "left", "right", "join"].map(attempts), [1, 1, 2, 1]);
    // Side by side: each began before the other ended.
    let time = |key: &str, run: usize, what: &str| item(&goal, key)["runs"][run][what].as_u64().unwrap();
    assert!(time("left", 0, "created_at") < time("right", 1, "completed_at"));
    assert!(time("right", 1, "created_at") < time("left", 0, "completed_at"));
    assert_snapshot!("parallel_report", ran.stdout);
}

#[test]
fn every_kind_of_gate_looks_at_the_page() {
    let Some(python) = tools::python_path() else { return };
    let env = TestEnv::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (port, python) = (format!("port={free}"), format!("python={python}"));
    let ran = env.pb(["run", &example("gates.toml"), "--set", &port, "--set", &python]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let told = env.show(&env.only_goal());
    let gates = item(&told, "page")["runs"][0]["gates"].as_array().unwrap().clone();
    let kinds: Vec<&str> = gates.iter().map(|gate| gate["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["file_exists", "file_contains", "json_schema", "http", "command", "changes_within", "files_lack"]
    );
    assert!(gates.iter().all(|gate| gate["passed"] == true), "{told}");
    // Nobody is asked about what may change, and it is told all the same.
    let edited: Vec<&Value> = gates.iter().filter(|gate| gate["edited"].is_array()).collect();
    assert_eq!((edited.len(), &edited[0]["edited"]), (1, &serde_json::json!(["check.sh"])), "{told}");
}

#[test]
fn detached_it_prints_the_id_and_as_json_one_event_a_line() {
    let env = TestEnv::new();
    let hello = example("hello.toml");
    let ran = env.pb(["run", "--detach", &hello]);
    assert_snapshot!("hello_detach", ran);
    let detached = ran.raw_stdout.trim_end();
    assert_eq!(env.watch(detached), Some(0));

    let ran = env.pb(["run", "--json", &hello]);
    assert_eq!((ran.exit, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    let events = json_lines(&ran.raw_stdout);
    assert_gapless(&events);
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((names.first(), names.last()), (Some(&"goal.created"), Some(&"goal.completed")));
    let second = events[0]["data"]["goalId"].as_str().unwrap();
    assert!(events.iter().all(|event| event["data"]["goalId"] == second));
    assert_eq!(env.events(second), events, "what was live is what is kept");

    let goal: Value = env.json(["run", "--detach", "--json", &hello]);
    assert_eq!(env.watch(goal["id"].as_str().unwrap()), Some(0));
    assert_ne!(goal["id"], detached);
}
