//! `edit_file`: what is found, what is refused, and what it says.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::{Value, json};

use crate::env::Env;

/// Edits a file with this content; the answer, and what became of the file.
async fn check(content: &str, edits: Value) -> (String, String) {
    let env = Env::new().with("f", content);
    let answer = env.call("edit_file", json!({"path": "f", "edits": edits})).await;
    assert_eq!(env.names("."), ["f"]);
    (answer, env.read("f"))
}

/// The same, for an edit that must be refused.
async fn refused(content: &str, edits: Value) -> String {
    let (answer, after) = check(content, edits).await;
    assert_eq!(after, content);
    answer
}

/// The same, for one that must succeed; the file.
async fn edited(content: &str, old: &str, new: &str) -> String {
    let (answer, after) = check(content, json!([{"old": old, "new": new}])).await;
    assert!(answer.starts_with("edited f: 1 place replaced"), "{answer}");
    after
}

#[tokio::test]
async fn an_exact_passage_is_replaced_and_the_difference_shown() {
    let (answer, after) =
        check("一\n二\n三\n四\n五\n六\n", json!([{"old": "三\n", "new": "3\n3.5\n"}])).await;
    insta::assert_snapshot!(answer, @r#"
    edited f: 1 place replaced
    @@ -1,5 +1,6 @@
     一
     二
    -三
    +3
    +3.5
     四
     五
    "#);
    assert_eq!(after, "一\n二\n3\n3.5\n四\n五\n六\n");
}

#[tokio::test]
async fn several_edits_are_made_one_after_the_other() {
    let edits = json!([{"old": "a", "new": "b"}, {"old": "b\n", "new": "c\n"}, {"old": "x", "new": "", "replace_all": true}]);
    let (answer, after) = check("a\nx x\n", edits).await;
    insta::assert_snapshot!(answer, @r#"
    edited f: 4 places replaced
    @@ -1,2 +1,2 @@
    -a
    -x x
    +c
    +
    "#);
    assert_eq!(after, "c\n \n");
}

#[tokio::test]
async fn one_edit_may_stand_beside_the_path() {
    let env = Env::new().with("f", "a a\n");
    let answer =
        env.call("edit_file", json!({"path": "f", "old": "a", "new": "b", "replace_all": true})).await;
    assert!(answer.starts_with("edited f: 2 places replaced\n"), "{answer}");
    assert_eq!(env.read("f"), "b b\n");
}

#[tokio::test]
async fn blanks_are_overlooked_when_the_passage_is_the_only_one() {
    // At the ends of lines.
    assert_eq!(edited("a  \nb\t\nc\n", "a\nb\n", "x\ny\n").await, "x\ny\nc\n");
    assert_eq!(edited("a\nb\nc\n", "a \nb ", "x").await, "x\nc\n");
    // Indentation, less and more than there is.
    let file = "fn f() {\n    if x {\n\n        go();\n    }\n}\n";
    let expected = "fn f() {\n    if y {\n\n        stop();\n        go();\n    }\n}\n";
    let (old, new) = ("if x {\n\n    go();\n}", "if y {\n\n    stop();\n    go();\n}");
    assert_eq!(edited(file, old, new).await, expected);
    let indent = |text: &str| text.lines().map(|line| format!("\t    {line}\n")).collect::<Vec<_>>().concat();
    assert_eq!(edited(file, &indent(old), &indent(new)).await, expected);
    // Line ends, in a file that has them all alike, and in one that has not.
    assert_eq!(edited("a\r\nb\r\nc\r\n", "a\nb", "x\ny").await, "x\r\ny\r\nc\r\n");
    assert_eq!(edited("xa\r\nby\r\nc\r\n", "a\nb", "1\n2").await, "x1\r\n2y\r\nc\r\n");
    assert_eq!(edited("a\r\nb\r\nc\n", "a\nb\n", "x\ny\n").await, "x\r\ny\r\nc\n");
    assert_eq!(edited("a\nb\nc\n", "a\r\nb\r\n", "x\r\ny\r\n").await, "x\ny\nc\n");
    // What is exact, too, gets the line ends of the file.
    assert_eq!(edited("a\r\nb\r\n", "a", "x\ny").await, "x\r\ny\r\nb\r\n");
    let (answer, _) = check("a \nb\n", json!([{"old": "a\nb", "new": "c"}])).await;
    insta::assert_snapshot!(answer, @r#"
    edited f: 1 place replaced, overlooking blanks or line ends
    @@ -1,2 +1 @@
    -a 
    -b
    +c
    "#);
}

#[tokio::test]
async fn an_exact_passage_goes_before_tolerance() {
    assert_eq!(edited("  a\nb\n a\nb\n", "\n a\nb", "\n c").await, "  a\nb\n c\n");
}

#[tokio::test]
async fn a_passage_that_is_not_there_shows_the_closest_one() {
    let file = "fn one() {\n    go(1);\n}\n\nfn two() {\n    go(2);\n    return;\n}\n";
    insta::assert_snapshot!(refused(file, json!([{"old": "fn two() {\n    go(3);\n    return;", "new": "x"}])).await, @r#"
    MODEL: f: `old` is not found; most like it is:
    5: fn two() {
    6:     go(2);
    7:     return;
    "#);
    insta::assert_snapshot!(refused(file, json!([{"old": "fn twoo() {", "new": "x"}])).await, @r#"
    MODEL: f: `old` is not found; most like it is:
    5: fn two() {
    "#);
    insta::assert_snapshot!(refused(file, json!([{"old": "完全不同", "new": "x"}])).await, @"MODEL: f: `old` is not found, nor anything like it; read the file again");
    insta::assert_snapshot!(refused(file, json!([{"old": "stop(2);", "new": "    return;\n}"}])).await, @r#"
    MODEL: f: `old` is not found, but `new` stands at line 7: perhaps the edit was made before; most like it is:
    6:     go(2);
    "#);
    insta::assert_snapshot!(refused("", json!([{"old": "x", "new": "y"}])).await, @"MODEL: f: `old` is not found, nor anything like it; read the file again");
}

#[tokio::test]
async fn a_passage_that_is_there_more_than_once_is_not_guessed_at() {
    insta::assert_snapshot!(refused("a\nb\na\n", json!([{"old": "a", "new": "x"}])).await, @"MODEL: f: `old` is found at lines 1, 3; give more of the lines around it, so that it is found once, or set replace_all");
    insta::assert_snapshot!(refused("aaa\n", json!([{"old": "aa", "new": "x"}])).await, @"MODEL: f: `old` is found at lines 1, 1; give more of the lines around it, so that it is found once, or set replace_all");
    insta::assert_snapshot!(refused(" a\n b\n  a\n  b\n", json!([{"old": "a\nb \n", "new": "x"}])).await, @"MODEL: f: `old` is found at lines 1, 3; give more of the lines around it, so that it is found once, or set replace_all");
    insta::assert_snapshot!(refused(" a\n b\n  a\n  b\n", json!([{"old": "a\nb \n", "new": "x", "replace_all": true}])).await, @"MODEL: f: `old` is found at lines 1, 3; but only if blanks are overlooked; give `old` exactly as it stands in the file");
    let many = "a\n".repeat(50);
    insta::assert_snapshot!(refused(&many, json!([{"old": "a", "new": "x"}])).await, @"MODEL: f: `old` is found at lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 and perhaps more; give more of the lines around it, so that it is found once, or set replace_all");
}

#[tokio::test]
async fn all_edits_are_made_or_none() {
    let edits = json!([{"old": "a", "new": "x"}, {"old": "none", "new": "y"}]);
    insta::assert_snapshot!(refused("a\nb\n", edits).await, @"MODEL: f: edits[1]: `old` is not found, nor anything like it; read the file again; no edit was made");
}

#[tokio::test]
async fn an_edit_that_means_nothing_is_refused() {
    insta::assert_snapshot!(refused("a\n", json!([{"old": "", "new": "x"}])).await, @"MODEL: f: `old` is empty; use write_file to make a file or to replace all of it");
    insta::assert_snapshot!(refused("a\n", json!([{"old": "a", "new": "a"}])).await, @"MODEL: f: `old` and `new` are the same");
    insta::assert_snapshot!(refused("a\n", json!([{"old": "a", "new": "b"}, {"old": "b", "new": "a"}])).await, @"MODEL: f: the edits change nothing");
}

#[tokio::test]
async fn files_that_cannot_be_edited_are_left_alone() {
    let env = Env::new().with("latin1", b"caf\xe9\n").with("large", "x".repeat(5 << 20)).with_pipe("pipe");
    let mut answers = Vec::new();
    for path in ["latin1", "large", "pipe", ".", "none"] {
        let edits = json!([{"old": "x", "new": "y"}]);
        answers.push(env.call("edit_file", json!({"path": path, "edits": edits})).await);
    }
    insta::assert_snapshot!(answers.join("\n"), @r#"
    MODEL: latin1: not UTF-8 text; use run_command
    MODEL: large: 5242880 bytes are more than 4194304; use run_command
    MODEL: pipe: not a regular file
    MODEL: .: is a folder; use list_dir
    MODEL: none: no such file or folder; list_dir shows what there is
    "#);
}

#[tokio::test]
async fn a_large_edit_is_quick_and_its_answer_bounded() {
    let content = (0..60_000).map(|number| format!("line {number} of many\n")).collect::<Vec<_>>().concat();
    let env = Env::new().with("f", &content);
    let edits = json!([{"old": " of many", "new": " of very many", "replace_all": true}]);
    let answer = env.call("edit_file", json!({"path": "f", "edits": edits})).await;
    assert!(answer.starts_with("edited f: 60000 places replaced\n"));
    assert!(answer.ends_with("[the rest of the difference is left out]"));
    assert!(answer.len() < 8 * 1024);
    let edits = json!([{"old": "line 59999 or so", "new": "x"}]);
    let answer = env.call("edit_file", json!({"path": "f", "edits": edits})).await;
    assert!(answer.contains("`old` is not found"), "{answer}");
}

#[tokio::test]
async fn the_mode_of_an_edited_file_stays() {
    let env = Env::new().with("run.sh", "#!/bin/sh\nold\n");
    fs::set_permissions(env.path("run.sh"), fs::Permissions::from_mode(0o751)).unwrap();
    env.call("edit_file", json!({"path": "run.sh", "edits": [{"old": "old", "new": "new"}]})).await;
    assert_eq!(env.read("run.sh"), "#!/bin/sh\nnew\n");
    assert_eq!(fs::metadata(env.path("run.sh")).unwrap().mode() & 0o7777, 0o751);
}
