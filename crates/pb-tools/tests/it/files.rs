//! `read_file` and `write_file`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::{Value, json};

use crate::env::Env;

async fn read(env: &Env, arguments: Value) -> String {
    env.call("read_file", arguments).await
}

#[tokio::test]
async fn a_small_file_is_its_content_and_nothing_else() {
    let env = Env::new().with("文件夹/笔记 😀.md", "一\n二\n").with("empty", "");
    assert_eq!(read(&env, json!({"path": "文件夹/笔记 😀.md"})).await, "一\n二\n");
    assert_eq!(read(&env, json!({"path": env.path("文件夹/笔记 😀.md")})).await, "一\n二\n");
    assert_eq!(read(&env, json!({"path": "./文件夹/../文件夹/笔记 😀.md"})).await, "一\n二\n");
    assert_eq!(read(&env, json!({"path": "empty"})).await, "[the file is empty]");
}

#[tokio::test]
async fn lines_are_counted_from_one() {
    let env = Env::new().with("f", "one\ntwo\nthree\nfour");
    insta::assert_snapshot!(read(&env, json!({"path": "f", "limit": 2})).await, @r#"
    [lines 1 to 2 of 4; read on with offset 3]
    one
    two
    "#);
    insta::assert_snapshot!(read(&env, json!({"path": "f", "offset": 3})).await, @r#"
    [lines 3 to 4 of 4]
    three
    four
    "#);
    insta::assert_snapshot!(read(&env, json!({"path": "f", "offset": 4, "limit": 9})).await, @r#"
    [lines 4 to 4 of 4]
    four
    "#);
    insta::assert_snapshot!(read(&env, json!({"path": "f", "offset": 5})).await, @"[the file ends before line 5]");
    insta::assert_snapshot!(read(&env, json!({"path": "f", "offset": 6})).await, @"MODEL: f: has only 4 lines");
    assert_eq!(read(&env, json!({"path": "f", "offset": 0, "limit": 4})).await, "one\ntwo\nthree\nfour");
}

#[tokio::test]
async fn a_huge_file_is_read_in_pieces_that_join() {
    let content = (1..=30_000).map(|number| format!("第 {number} 行\n")).collect::<Vec<_>>().concat();
    let env = Env::new().with("huge", &content);
    let mut joined = String::new();
    let mut offset = 1;
    loop {
        let answer = read(&env, json!({"path": "huge", "offset": offset})).await;
        let (note, piece) = answer.split_once('\n').unwrap();
        assert!(piece.len() <= 64 * 1024, "{}", piece.len());
        joined.push_str(piece);
        match note.split_once("read on with offset ") {
            Some((_, next)) => offset = next.trim_end_matches(']').parse().unwrap(),
            None => break assert!(note.ends_with("to 30000 of 30000]"), "{note}"),
        }
    }
    assert_eq!(joined, content);
}

#[tokio::test]
async fn a_line_that_is_too_long_is_cut_at_a_character() {
    let env = Env::new().with("long", format!("a{}\nlast\n", "文".repeat(50_000)));
    let answer = read(&env, json!({"path": "long"})).await;
    let (note, piece) = answer.split_once('\n').unwrap();
    assert_eq!(
        note,
        "[lines 1 to 1 of 2; line 1 is cut; use run_command to see the rest of it; read on with offset 2]"
    );
    assert_eq!(piece, format!("a{}", "文".repeat(21_845)));
    assert_eq!(read(&env, json!({"path": "long", "offset": 2})).await, "[lines 2 to 2 of 2]\nlast\n");
}

#[tokio::test]
async fn a_file_too_large_to_count_says_so() {
    let env = Env::new().with("sparse", "first\n".repeat(20_000));
    let file = fs::OpenOptions::new().write(true).open(env.path("sparse")).unwrap();
    file.set_len(1 << 40).unwrap();
    let answer = read(&env, json!({"path": "sparse", "limit": 1})).await;
    assert_eq!(answer, "[lines 1 to 1 of a very large file; read on with offset 2]\nfirst\n");
    let answer = read(&env, json!({"path": "sparse", "offset": 900_000})).await;
    assert_eq!(answer, "MODEL: sparse: is too large to count its lines that far; use run_command");
}

#[tokio::test]
async fn what_is_no_text_is_refused_and_broken_text_is_marked() {
    let env = Env::new()
        .with("image.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
        .with("latin1.txt", b"caf\xe9\n")
        .with("folder/file", "")
        .with_pipe("pipe");
    let _socket = std::os::unix::net::UnixListener::bind(env.path("socket")).unwrap();
    let mut answers = Vec::new();
    for path in [
        "image.png",
        "latin1.txt",
        "folder",
        "folder/",
        ".",
        "pipe",
        "socket",
        "none",
        "none/none",
        "latin1.txt/x",
        "",
        "a\0b",
    ] {
        answers.push(format!("{path:?} => {}", read(&env, json!({"path": path})).await));
    }
    insta::assert_snapshot!(answers.join("\n"), @r#"
    "image.png" => MODEL: image.png: a binary file of 16 bytes; use run_command to look into it
    "latin1.txt" => [not all of it is UTF-8: broken bytes are shown as U+FFFD]
    caf�

    "folder" => MODEL: folder: is a folder; use list_dir
    "folder/" => MODEL: folder/: is a folder; use list_dir
    "." => MODEL: .: is a folder; use list_dir
    "pipe" => MODEL: pipe: not a regular file
    "socket" => MODEL: socket: not a regular file
    "none" => MODEL: none: no such file or folder; list_dir shows what there is
    "none/none" => MODEL: none/none: no such file or folder; list_dir shows what there is
    "latin1.txt/x" => MODEL: latin1.txt/x: a part of the path is a file, not a folder
    "" => MODEL: the path is empty
    "a\0b" => MODEL: the path contains a zero byte
    "#);
    let long = "x".repeat(300);
    assert!(read(&env, json!({"path": long})).await.ends_with("the name is too long"));
}

#[tokio::test]
async fn a_device_is_refused_without_being_read() {
    // A device cannot be made here, so the workspace is the folder that has them.
    let mut env = Env::new();
    env.scope.workspace = "/dev".into();
    assert_eq!(read(&env, json!({"path": "zero"})).await, "MODEL: zero: not a regular file");
    assert_eq!(
        env.call("write_file", json!({"path": "null", "content": "x"})).await,
        "MODEL: null: not a regular file"
    );
}

#[tokio::test]
async fn a_new_file_gets_its_folders() {
    let env = Env::new();
    let answer = env.call("write_file", json!({"path": "a/深/b 😀.txt", "content": "内容\n"})).await;
    assert_eq!(answer, "made a/深/b 😀.txt: 7 bytes");
    assert_eq!(env.read("a/深/b 😀.txt"), "内容\n");
    assert_eq!(env.names("a/深"), ["b 😀.txt"]);
    let answer = env.call("write_file", json!({"path": "a/../neu/./x", "content": ""})).await;
    assert_eq!(answer, "made a/../neu/./x: 0 bytes");
    assert_eq!(env.read("neu/x"), "");
}

#[tokio::test]
async fn a_replaced_file_keeps_its_mode_and_a_hard_link_its_content() {
    let env = Env::new().with("run.sh", "old");
    fs::set_permissions(env.path("run.sh"), fs::Permissions::from_mode(0o777)).unwrap();
    fs::hard_link(env.path("run.sh"), env.path("other")).unwrap();
    let answer = env.call("write_file", json!({"path": "run.sh", "content": "n"})).await;
    assert_eq!(answer, "replaced run.sh: 1 byte");
    assert_eq!(fs::metadata(env.path("run.sh")).unwrap().mode() & 0o7777, 0o777);
    assert_eq!(env.read("other"), "old");
    assert_eq!(env.names("."), ["other", "run.sh"]);
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_and_stays() {
    let env = Env::new()
        .with("read-only", "x")
        .with("folder/file", "x")
        .with_pipe("pipe")
        .with_link("dangling", "nowhere")
        .with_link("loop", "loop");
    fs::set_permissions(env.path("read-only"), fs::Permissions::from_mode(0o444)).unwrap();
    let before = env.names(".");
    let mut answers = Vec::new();
    for path in [
        "read-only",
        "folder",
        "folder/",
        "new/",
        ".",
        "..",
        "folder/..",
        "folder/file/x",
        "pipe",
        "dangling",
        "loop",
        "",
    ] {
        answers.push(format!(
            "{path:?} => {}",
            env.call("write_file", json!({"path": path, "content": "y"})).await
        ));
    }
    insta::assert_snapshot!(answers.join("\n"), @r#"
    "read-only" => MODEL: read-only: is read-only; if you must, make it writable with run_command
    "folder" => MODEL: folder: is a folder
    "folder/" => MODEL: folder/: a path to a folder, not to a file
    "new/" => MODEL: new/: a path to a folder, not to a file
    "." => MODEL: .: a path to a folder, not to a file
    ".." => MODEL: ..: outside of the workspace; use run_command to read other files
    "folder/.." => MODEL: folder/..: a path to a folder, not to a file
    "folder/file/x" => MODEL: folder/file/x: a part of the path is a file, not a folder
    "pipe" => MODEL: pipe: not a regular file
    "dangling" => MODEL: dangling: a link that leads nowhere
    "loop" => MODEL: loop: too many links
    "" => MODEL: the path is empty
    "#);
    let large = "x".repeat(1024 * 1024 + 1);
    insta::assert_snapshot!(env.call("write_file", json!({"path": "large", "content": large})).await, @"MODEL: the content has 1048577 bytes, which is more than 1048576; write it with run_command, or in several files");
    let largest = env.call("write_file", json!({"path": "large", "content": large[1..]})).await;
    assert_eq!(largest, "made large: 1048576 bytes");
    fs::remove_file(env.path("large")).unwrap();
    assert_eq!(env.names("."), before);
    assert_eq!((env.read("read-only"), env.read("folder/file")), ("x".to_owned(), "x".to_owned()));
}

#[tokio::test]
async fn a_missing_workspace_is_the_hosts_fault() {
    let mut env = Env::new();
    env.scope.workspace = env.path("gone");
    let answer = read(&env, json!({"path": "x"})).await;
    assert!(answer.starts_with("HOST: cannot open the workspace"), "{answer}");
}
