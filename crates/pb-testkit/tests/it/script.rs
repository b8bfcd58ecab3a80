//! Scripts as files.

use std::fs;
use std::path::Path;

use pb_testkit::model_server::{Conversation, Fault, Finish, Reply, Script, When};
use serde_json::json;

const FILE: &str = r#"{
  "model": "pony",
  "conversations": [
    { "when": { "tool": "submit_plan" },
      "turns": [
        [ { "fault": { "status": 429, "retry_after_s": 1 } },
          { "calls": [ { "name": "submit_plan", "arguments": { "目标": "好" } } ], "usage": { "input": 10, "output": 5 } } ],
        [ { "text": "完成", "thought": "嗯", "usage": null, "finish": "length", "chunk_bytes": 3, "chunk_delay_ms": 2 } ] ] },
    { "turns": [ [ { "text": "a", "fault": { "cut_after_chunks": 3 } }, { "text": "a", "fault": { "hang_after_chunks": 0 } } ],
                 [ { "calls": [ { "name": "x", "raw_arguments": "{" } ], "hold": "gate" } ] ],
      "repeat_last": true } ] }"#;

fn read(text: &str) -> Result<Script, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script.json");
    fs::write(&path, text).unwrap();
    Script::read(&path).map_err(|error| format!("{error:#}").replace(path.to_str().unwrap(), "FILE"))
}

#[test]
fn a_file_says_all_that_the_builders_say() {
    let plan = [
        Reply::broken(Fault::retry_after(429, 1)),
        Reply::call("submit_plan", json!({"目标": "好"})).usage(10, 5),
    ];
    let done = Reply::text("完成").thought("嗯").no_usage().finish(Finish::Length);
    let broken = [Reply::text("a").fault(Fault::cut_after(3)), Reply::text("a").fault(Fault::hang_after(0))];
    let script = Script {
        model: "pony".to_owned(),
        conversations: vec![
            Conversation { when: When::tool("submit_plan"), ..Conversation::default() }
                .turn(plan)
                .turn([done.chunk_bytes(3).chunk_delay_ms(2)]),
            Conversation::default().turn(broken).turn([Reply::raw_call("x", "{").hold("gate")]).repeat_last(),
        ],
    };
    assert_eq!(read(FILE).unwrap(), script);
    assert_eq!(read(&serde_json::to_string(&script).unwrap()).unwrap(), script);
}

#[test]
fn what_is_no_script_is_named() {
    let errors = [
        r#"{"conversations": [{"turns": [[{"txt": "a"}]]}]}"#,
        r#"{"conversations": [{"turns": [[{"fault": {"statuss": 1}}]]}]}"#,
        r#"{"conversations": []} x"#,
        "",
    ]
    .map(|text| read(text).unwrap_err());
    insta::assert_snapshot!(errors.join("\n"), @r"
    FILE is no script: conversations[0].turns[0][0].txt: unknown field `txt`, expected one of `text`, `thought`, `calls`, `usage`, `finish`, `chunk_bytes`, `chunk_delay_ms`, `fault`, `hold` at line 1 column 37
    FILE is no script: conversations[0].turns[0][0].fault: expected {status}, {cut_after_chunks} or {hang_after_chunks} at line 1 column 56
    FILE goes on after its script: trailing characters at line 1 column 23
    FILE is no script: EOF while parsing a value at line 1 column 0
    ");
}

#[test]
fn the_script_of_the_example_is_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/fix-the-bug/script.json");
    let script = Script::read(&path).unwrap();
    let turns = script.conversations.iter().flat_map(|conversation| &conversation.turns);
    let tools: Vec<&str> =
        turns.flatten().flat_map(|reply| &reply.calls).map(|call| call.name.as_str()).collect();
    assert_eq!(
        tools,
        ["list_dir", "read_file", "read_file", "run_command", "edit_file", "run_command", "finish"]
    );
}
