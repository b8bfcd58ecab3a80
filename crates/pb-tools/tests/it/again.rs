//! `edit_file` when the same call was begun before a crash and nobody knows how it ended.

use serde_json::{Value, json};

use crate::env::Env;

/// Makes the edits twice, the second time as after a crash: the second must see the first.
async fn check_twice(content: &str, edits: Value) {
    let env = Env::new().with("f", content);
    let arguments = json!({"path": "f", "edits": edits});
    let first = env.call("edit_file", arguments.clone()).await;
    assert!(first.starts_with("edited f"), "{first}");
    let after = env.read("f");
    let env = env.again();
    let second = env.call("edit_file", arguments.clone()).await;
    assert!(second.starts_with("found applied: f has the new text"), "{second}");
    assert_eq!(env.read("f"), after, "{arguments}");
    // If the crash was before the edit, it is made.
    let fresh = Env::new().with("f", content).again();
    assert_eq!(fresh.call("edit_file", arguments).await, first);
    assert_eq!(fresh.read("f"), after);
}

#[tokio::test]
async fn what_was_applied_is_found_and_what_was_not_is_applied() {
    check_twice("a\nb\n", json!([{"old": "a", "new": "x"}])).await;
    // The new text contains the old one.
    check_twice("use a;\n", json!([{"old": "use a;\n", "new": "use a;\nuse b;\n"}])).await;
    check_twice("x = 1\n", json!([{"old": "1", "new": "11"}])).await;
    check_twice("f(a, b)\n", json!([{"old": "a, b", "new": "用户, a, b, c"}])).await;
    // The old text contains the new one.
    check_twice("a\nb\nb2\n", json!([{"old": "a\nb\n", "new": "a\n"}])).await;
    // A removal.
    check_twice("a\nb\n", json!([{"old": "b\n", "new": ""}])).await;
    check_twice("a a a\n", json!([{"old": "a", "new": "ba", "replace_all": true}])).await;
    // Several, of which a later one changes what an earlier one wrote.
    check_twice("a\nc\n", json!([{"old": "a", "new": "b"}, {"old": "c", "new": "d"}])).await;
    check_twice("a\n", json!([{"old": "a", "new": "use b;"}, {"old": "b", "new": "c"}])).await;
    // Blanks that had to be overlooked.
    check_twice("  if x {\n    y\n  }\n", json!([{"old": "if x {\n  y\n}", "new": "if x {\n  y\n  z\n}"}]))
        .await;
    check_twice("a\r\nb\r\n", json!([{"old": "a\nb\n", "new": "a\nb\nc\n"}])).await;
}

#[tokio::test]
async fn without_a_crash_the_same_edit_is_made_again() {
    let env = Env::new().with("f", "x = 1\n");
    let arguments = json!({"path": "f", "edits": [{"old": "1", "new": "12"}]});
    env.call("edit_file", arguments.clone()).await;
    env.call("edit_file", arguments).await;
    assert_eq!(env.read("f"), "x = 122\n");
}

#[tokio::test]
async fn what_looks_like_both_is_left_to_the_model() {
    // Applied to the first place; the second is like it but for its indentation.
    let env = Env::new().with("f", "    return One\n  return None\n").again();
    let edits = json!([{"old": "    return None", "new": "    return One"}]);
    insta::assert_snapshot!(env.call("edit_file", json!({"path": "f", "edits": edits})).await, @"MODEL: f: this call had begun before an interruption, and the file looks both as if the edit was made and as if not; nothing was changed now; read the file and edit what is missing");
    assert_eq!(env.read("f"), "    return One\n  return None\n");
}

#[tokio::test]
async fn what_can_never_have_been_applied_is_refused_as_ever() {
    let env = Env::new().with("f", "b\n").again();
    let call = |edits| env.call("edit_file", json!({"path": "f", "edits": edits}));
    insta::assert_snapshot!(call(json!([{"old": "x", "new": "y"}])).await, @"MODEL: f: `old` is not found, nor anything like it; read the file again");
    insta::assert_snapshot!(call(json!([{"old": "", "new": "b"}])).await, @"MODEL: f: `old` is empty; use write_file to make a file or to replace all of it");
}

#[tokio::test]
async fn writing_again_leaves_the_same_file() {
    let env = Env::new().again();
    for done in ["made", "replaced"] {
        let answer = env.call("write_file", json!({"path": "f", "content": "x"})).await;
        assert_eq!(answer, format!("{done} f: 1 byte"));
        assert_eq!(env.read("f"), "x");
    }
}
