//! The person's files: kept before a goal writes, shown beside what is there now, and put back.

use std::fs;

use insta::assert_snapshot;

use crate::env::TestEnv;
use crate::model::{Scripted, agent_file, finish, shell, worker, write};

/// An agent that changes a file, adds one and removes one.
fn changing() -> Scripted {
    let edit = write("笔记.txt", "一\n贰\n三\n");
    let scripted = Scripted::saying([worker([
        edit,
        write("done", "new\n"),
        shell("rm old/gone.txt; echo built > ignored"),
        finish("changed"),
    ])]);
    let env = &scripted.env;
    fs::create_dir_all(env.file("out/old")).unwrap();
    fs::write(env.file("out/笔记.txt"), "一\n二\n三\n").unwrap();
    fs::write(env.file("out/old/gone.txt"), "still here\n").unwrap();
    fs::write(env.file("out/.gitignore"), "ignored\n").unwrap();
    env.write("goal.toml", &agent_file("改文件", "max_retries = 0"));
    scripted
}

fn read(env: &TestEnv, name: &str) -> String {
    fs::read_to_string(env.file("out").join(name)).unwrap_or_else(|_| "(not there)".to_owned())
}

#[expect(clippy::disallowed_methods, reason = "the test is the person who has a repository")]
fn git(env: &TestEnv, arguments: &[&str]) -> String {
    let output =
        std::process::Command::new("git").args(arguments).current_dir(env.file("out")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn finished(env: &TestEnv) -> String {
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    env.only_goal()
}

#[test]
fn what_a_finished_goal_did_is_shown_and_undone_and_done_again() {
    let scripted = changing();
    let env = &scripted.env;
    let goal = finished(env);
    assert_snapshot!("undo_diff", env.pb(["goal", "diff", &goal]));
    // No process is needed for it.
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    assert_snapshot!("undo_dry_run", env.pb(["goal", "undo", &goal, "--dry-run"]));
    assert_eq!(read(env, "done"), "new\n");

    assert_snapshot!("undo_done", env.pb(["goal", "undo", &goal]));
    assert_eq!(
        [read(env, "笔记.txt"), read(env, "old/gone.txt"), read(env, "done"), read(env, "ignored")],
        ["一\n二\n三\n", "still here\n", "(not there)", "built\n"]
    );
    assert_snapshot!(env.pb(["goal", "undo", &goal]), @"
    exit: 0
    --- stderr
    nothing is different
    ");

    let redone = env.pb(["goal", "undo", &goal, "--redo"]);
    assert_eq!(redone.exit, Some(0), "{redone}");
    assert_eq!(
        [read(env, "笔记.txt"), read(env, "old/gone.txt"), read(env, "done")],
        ["一\n贰\n三\n", "(not there)", "new\n"]
    );
}

#[test]
fn what_a_person_changed_after_the_goal_is_not_taken_from_them() {
    let scripted = changing();
    let env = &scripted.env;
    let goal = finished(env);
    fs::write(env.file("out/笔记.txt"), "我自己写的\n").unwrap();
    fs::write(env.file("out/mine.txt"), "mine\n").unwrap();
    assert_snapshot!("undo_conflict", env.pb(["goal", "undo", &goal]));
    assert_eq!(read(env, "done"), "new\n");
    let forced = env.pb(["goal", "undo", &goal, "--force"]);
    assert_eq!(forced.exit, Some(0), "{forced}");
    assert_eq!([read(env, "笔记.txt"), read(env, "mine.txt")], ["一\n二\n三\n", "mine\n"]);
}

#[test]
fn a_repository_keeps_the_files_as_a_commit() {
    let scripted = changing();
    let env = &scripted.env;
    git(env, &["init", "--quiet"]);
    let goal = finished(env);
    assert!(env.pb(["goal", "show", &goal]).stdout.contains("kept as git commit"));
    let references = git(env, &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(references.trim(), format!("refs/ponybunny/{goal}"));
    let undone = env.pb(["goal", "undo", &goal]);
    assert_eq!(undone.exit, Some(0), "{undone}");
    assert_eq!(read(env, "old/gone.txt"), "still here\n");
}

#[test]
fn where_a_goal_is_at_work_nothing_is_put_back() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", crate::life::WAITS);
    let goal = env.detach(&["goal.toml"]);
    env.wait_lines("out/witness/wait", 1);
    assert_snapshot!("undo_at_work", env.pb(["goal", "undo", &goal]));
    assert_snapshot!("undo_no_goal", env.pb(["goal", "undo", "nothing"]));
    assert_eq!(env.pb(["goal", "cancel", &goal]).exit, Some(0));
}
