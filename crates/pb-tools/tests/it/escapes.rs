//! No path and no link leads out of the workspace.

use serde_json::{Value, json};

use crate::env::{Env, SECRET};

/// A workspace with everything in it that could lead out.
fn trapped() -> Env {
    let env = Env::new().with("file.txt", "inside\n").with("sub/deep.txt", "deep\n");
    let outside = env.outside();
    env.with_link("link.txt", outside.join("secret.txt"))
        .with_link("relative.txt", "../secret.txt")
        .with_link("sub/up.txt", "../../secret.txt")
        .with_link("folder", &outside)
        .with_link("sub/folder", "../..")
        .with_link("root", "/")
        .with_link("self", "/proc/self/root")
        .with_link("new.txt", outside.join("new.txt"))
        .with_link("chain", "folder")
}

/// Paths to the secret, and to other files that are there on every machine.
fn ways_out(env: &Env) -> Vec<String> {
    let outside = env.outside().display().to_string();
    let workspace = env.scope.workspace.display().to_string();
    let secret = format!("{outside}/secret.txt");
    vec![
        "../secret.txt".to_owned(),
        "./../secret.txt".to_owned(),
        "sub/../../secret.txt".to_owned(),
        "sub/../sub/../../secret.txt".to_owned(),
        format!("{workspace}/../secret.txt"),
        format!("/proc/self/root{secret}"),
        format!("/proc/self/cwd/../..{secret}"),
        format!("self{secret}"),
        format!("root{secret}"),
        secret,
        "link.txt".to_owned(),
        "relative.txt".to_owned(),
        "sub/up.txt".to_owned(),
        "folder/secret.txt".to_owned(),
        "sub/folder/secret.txt".to_owned(),
        "chain/secret.txt".to_owned(),
        "/etc/passwd".to_owned(),
        "root/etc/passwd".to_owned(),
        "~/.bashrc".to_owned(),
        "~".to_owned(),
    ]
}

async fn check_refused(env: &Env, tool: &str, path: &str, arguments: Value) {
    let answer = env.call(tool, arguments).await;
    let expected = format!("MODEL: {path}: outside of the workspace; use run_command to read other files");
    assert_eq!(answer, expected, "{tool} {path}");
    env.assert_untouched();
}

#[tokio::test]
async fn no_file_outside_is_read_written_edited_or_searched() {
    let env = trapped();
    for path in ways_out(&env) {
        check_refused(&env, "read_file", &path, json!({"path": path})).await;
        check_refused(&env, "write_file", &path, json!({"path": path, "content": "gone"})).await;
        let edits = json!([{"old": "secret", "new": "gone"}]);
        check_refused(&env, "edit_file", &path, json!({"path": path, "edits": edits})).await;
        check_refused(&env, "search_files", &path, json!({"path": path, "pattern": "."})).await;
    }
}

#[tokio::test]
async fn no_folder_outside_is_listed_searched_written_to_or_run_in() {
    let env = trapped();
    let outside = env.outside().display().to_string();
    for path in
        ["..", "sub/../..", "folder", "sub/folder", "chain", "root", "self", "/", "/proc/self/cwd", &outside]
    {
        check_refused(&env, "list_dir", path, json!({"path": path})).await;
        check_refused(&env, "search_files", path, json!({"path": path, "pattern": "secret"})).await;
        check_refused(&env, "run_command", path, json!({"argv": ["true"], "cwd": path})).await;
        let file = format!("{path}/made/new.txt");
        check_refused(&env, "write_file", &file, json!({"path": file, "content": "x"})).await;
    }
    // A link to a file that is not there yet.
    check_refused(&env, "write_file", "new.txt", json!({"path": "new.txt", "content": "x"})).await;
    assert_eq!(env.runner.asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn walks_follow_no_links() {
    let env = trapped();
    insta::assert_snapshot!(env.call("list_dir", json!({"depth": 9})).await, @r#"
    chain (link)
    file.txt 7
    folder (link)
    link.txt (link)
    new.txt (link)
    relative.txt (link)
    root (link)
    self (link)
    sub/
    sub/deep.txt 5
    sub/folder (link)
    sub/up.txt (link)
    "#);
    let found = env.call("search_files", json!({"pattern": "secret|inside|deep"})).await;
    assert_eq!(found, "file.txt:1: inside\nsub/deep.txt:1: deep");
}

#[tokio::test]
async fn links_within_the_workspace_are_followed_and_kept() {
    let env =
        Env::new().with("real/文.txt", "旧\n").with_link("short", "real").with_link("文", "real/文.txt");
    assert_eq!(env.call("read_file", json!({"path": "short/文.txt"})).await, "旧\n");
    assert_eq!(
        env.call("write_file", json!({"path": "文", "content": "新\n"})).await,
        "replaced 文: 4 bytes"
    );
    assert_eq!(env.read("real/文.txt"), "新\n");
    assert!(env.path("文").is_symlink());
    assert_eq!(env.call("list_dir", json!({"path": "short"})).await, "文.txt 4");
    let found = env.call("search_files", json!({"pattern": "新", "path": "short"})).await;
    assert_eq!(found, "real/文.txt:1: 新");
}

#[tokio::test]
async fn rules_that_are_links_or_pipes_do_no_harm() {
    let env = Env::new().with("a/x.txt", "x").with("b/x.txt", "x");
    let outside = env.outside();
    let env = env.with_link("a/.gitignore", outside.join("secret.txt")).with_pipe("b/.gitignore");
    insta::assert_snapshot!(env.call("list_dir", json!({"depth": 2})).await, @r#"
    a/
    a/.gitignore (link)
    a/x.txt 1
    b/
    b/.gitignore (not a regular file)
    b/x.txt 1
    "#);
    env.assert_untouched();
}

/// Swaps a name between a file and a link to the secret as fast as it can, while tools use it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_swapped_in_leads_nowhere() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    let env = Env::new().with("real.txt", "inside\n").with("folder/secret.txt", "inside\n");
    let outside = env.outside();
    let env = env.with_link("evil.txt", outside.join("secret.txt")).with_link("evil", &outside);
    let (workspace, stop) = (env.scope.workspace.clone(), Arc::new(AtomicBool::new(false)));
    let swapper = tokio::task::spawn_blocking({
        let stop = Arc::clone(&stop);
        move || {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            let swap = |a: &str, b: &str| {
                renameat_with(CWD, workspace.join(a), CWD, workspace.join(b), RenameFlags::EXCHANGE).unwrap();
            };
            let mut swaps: u64 = 0;
            while !stop.load(Ordering::Relaxed) {
                swap("real.txt", "evil.txt");
                swap("folder", "evil");
                swaps += 1;
            }
            swaps
        }
    });
    for round in 0..60 {
        for path in ["real.txt", "folder/secret.txt"] {
            let read = env.call("read_file", json!({"path": path})).await;
            assert!(!read.contains(SECRET.trim()), "{read}");
            env.call("write_file", json!({"path": path, "content": format!("written {round}\n")})).await;
        }
        let listed = env.call("list_dir", json!({"depth": 3})).await;
        assert!(!listed.contains("workspace"), "{listed}");
        let found = env.call("search_files", json!({"pattern": "秘密"})).await;
        assert!(!found.contains("秘密"), "{found}");
        env.assert_untouched();
    }
    stop.store(true, Ordering::Relaxed);
    assert!(swapper.await.unwrap() > 0);
    env.assert_untouched();
}
