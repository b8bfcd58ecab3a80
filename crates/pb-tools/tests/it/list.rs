//! `list_dir`.

use serde_json::json;

use crate::env::Env;

#[tokio::test]
async fn folders_are_marked_files_have_sizes_and_rules_count() {
    let env = Env::new()
        .with(".gitignore", "target/\n*.log\n!keep.log\n")
        .with(".git/config", "")
        .with(".git/info/exclude", "private\n")
        .with("private", "")
        .with("target/debug/x", "")
        .with("src/main.rs", "fn main() {}\n")
        .with("src/.gitignore", "/generated\n")
        .with("src/generated/x.rs", "")
        .with("src/generate/generated", "")
        .with("docs/说明.md", "你好")
        .with("a.log", "")
        .with("keep.log", "")
        .with_pipe("pipe");
    insta::assert_snapshot!(env.call("list_dir", json!({})).await, @r#"
    .gitignore 24
    docs/
    keep.log 0
    pipe (not a regular file)
    src/
    [3 left out by .gitignore]
    "#);
    insta::assert_snapshot!(env.call("list_dir", json!({"depth": 3})).await, @r#"
    .gitignore 24
    docs/
    docs/说明.md 6
    keep.log 0
    pipe (not a regular file)
    src/
    src/.gitignore 11
    src/generate/
    src/generate/generated 0
    src/main.rs 13
    [4 left out by .gitignore]
    "#);
    // Rules of the folders above count, but a folder that is asked for is shown.
    insta::assert_snapshot!(env.call("list_dir", json!({"path": "src", "depth": 9})).await, @r#"
    .gitignore 11
    generate/
    generate/generated 0
    main.rs 13
    [1 left out by .gitignore]
    "#);
    insta::assert_snapshot!(env.call("list_dir", json!({"path": "target", "depth": 2})).await, @r#"
    debug/
    debug/x 0
    "#);
    insta::assert_snapshot!(env.call("list_dir", json!({"path": "src/main.rs"})).await, @"MODEL: src/main.rs: not a folder");
    insta::assert_snapshot!(env.call("list_dir", json!({"path": "none"})).await, @"MODEL: none: no such file or folder; list_dir shows what there is");
}

#[tokio::test]
async fn an_empty_folder_says_so() {
    assert_eq!(Env::new().call("list_dir", json!(null)).await, "[nothing]");
}

#[tokio::test]
async fn rules_above_the_workspace_do_not_count() {
    let env = Env::new().with("a.txt", "");
    std::fs::write(env.outside().join(".gitignore"), "*.txt\n").unwrap();
    assert_eq!(env.call("list_dir", json!({})).await, "a.txt 0");
}

#[tokio::test]
async fn a_list_is_cut_with_the_upper_levels_first() {
    let mut env = Env::new().with("z/last.txt", "");
    for number in 0..600 {
        env = env.with(&format!("a/{number:03}"), "");
    }
    let answer = env.call("list_dir", json!({"depth": 5})).await;
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(lines.len(), 501);
    assert_eq!((lines[0], lines[1], lines[499]), ("a/", "a/000 0", "z/"));
    assert_eq!(lines[500], "[cut after 500 entries; list a folder below]");
}

#[tokio::test]
async fn a_name_cannot_pretend_to_be_another_line() {
    let env = Env::new().with("a\nb/\u{202e}x", "");
    assert_eq!(env.call("list_dir", json!({"depth": 2})).await, "a\u{fffd}b/\na\u{fffd}b/\u{fffd}x 0");
}
