//! `search_files`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::env::Env;

async fn search(env: &Env, arguments: Value) -> String {
    env.call("search_files", arguments).await
}

fn project() -> Env {
    Env::new()
        .with(".gitignore", "target\n")
        .with("target/x.rs", "fn needle() {}\n")
        .with("src/lib.rs", "one\ntwo\nfn needle() {}\r\nfour\nfive\n")
        .with("src/深/用户.rs", "// 用户\nNEEDLE\n")
        .with("docs/a.md", "needle\n")
        .with("image.bin", b"needle\0needle\n")
        .with_pipe("pipe")
}

#[tokio::test]
async fn matches_have_path_line_and_text() {
    let env = project();
    insta::assert_snapshot!(search(&env, json!({"pattern": "needle"})).await, @r#"
    docs/a.md:1: needle
    src/lib.rs:3: fn needle() {}
    "#);
    insta::assert_snapshot!(search(&env, json!({"pattern": "needle", "ignore_case": true, "glob": "*.rs"})).await, @r#"
    src/lib.rs:3: fn needle() {}
    src/深/用户.rs:2: NEEDLE
    "#);
    insta::assert_snapshot!(search(&env, json!({"pattern": "needle", "glob": "!*.md"})).await, @"src/lib.rs:3: fn needle() {}");
    insta::assert_snapshot!(search(&env, json!({"pattern": "needle", "glob": "lib.*", "path": "src", "context": 1})).await, @r#"
    src/lib.rs-2- two
    src/lib.rs:3: fn needle() {}
    src/lib.rs-4- four
    "#);
    insta::assert_snapshot!(search(&env, json!({"pattern": "用.", "path": "src/深"})).await, @"src/深/用户.rs:1: // 用户");
    insta::assert_snapshot!(search(&env, json!({"pattern": "}$", "path": "src/lib.rs"})).await, @"src/lib.rs:3: fn needle() {}");
    insta::assert_snapshot!(search(&env, json!({"pattern": "no such thing"})).await, @"[no match; 5 files searched]");
    insta::assert_snapshot!(search(&env, json!({"pattern": "needle", "path": "target"})).await, @"target/x.rs:1: fn needle() {}");
}

#[tokio::test]
async fn wrong_arguments_are_explained() {
    let env = project();
    insta::assert_snapshot!(search(&env, json!({"pattern": "("})).await, @"MODEL: the pattern is not valid: regex parse error: (?:() ^ error: unclosed group");
    insta::assert_snapshot!(search(&env, json!({"pattern": ""})).await, @"MODEL: the pattern is empty; list_dir shows what files there are");
    insta::assert_snapshot!(search(&env, json!({"pattern": "a\nb"})).await, @r#"MODEL: the pattern is not valid: the literal "\n" is not allowed in a regex"#);
    insta::assert_snapshot!(search(&env, json!({"pattern": "x", "glob": "{a"})).await, @"MODEL: the glob is not valid: error parsing glob '{a': unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)");
    insta::assert_snapshot!(search(&env, json!({"pattern": "x", "path": "none"})).await, @"MODEL: none: no such file or folder; list_dir shows what there is");
    insta::assert_snapshot!(search(&env, json!({"pattern": "x", "path": "pipe"})).await, @"MODEL: pipe: not a regular file");
}

#[tokio::test]
async fn an_answer_is_cut_by_matches_and_by_bytes() {
    let env = Env::new()
        .with("many", "x\n".repeat(101))
        .with("wide", format!("{}\n", "文".repeat(5_000)).repeat(99));
    let answer = search(&env, json!({"pattern": "x", "path": "many"})).await;
    assert_eq!(answer.lines().count(), 101);
    assert!(answer.ends_with("many:100: x\n[cut after 100 matches; narrow it by pattern, path or glob]"));
    let answer = search(&env, json!({"pattern": "文", "path": "wide"})).await;
    assert!(answer.len() <= 33 * 1024, "{}", answer.len());
    assert!(answer.contains("文 …\nwide:2: "), "{answer}");
    assert!(answer.contains("[cut after "), "{answer}");
    let exact = Env::new().with("many", "x\n".repeat(100));
    assert!(!search(&exact, json!({"pattern": "x"})).await.contains("cut"));
}

#[tokio::test]
async fn a_huge_file_without_lines_does_not_hold_it_up() {
    let env = Env::new().with("huge", "x".repeat(20 * 1024 * 1024)).with("small", "y\n");
    let started = Instant::now();
    let answer = search(&env, json!({"pattern": "y"})).await;
    assert_eq!(answer, "small:1: y\n[1 file could not be searched]");
    assert!(started.elapsed() < Duration::from_secs(10));
}
