//! The one door, and what people see of a call.

use futures_util::future::BoxFuture;
use pb_model::Effect;
use pb_tools::{Allowed, Output, Registry, Scope, Tool, ToolError, policy};
use serde_json::{Value, json};

use crate::env::Env;

fn denied(allowed: &Allowed, name: &str, arguments: Value) -> String {
    policy::approve(&Registry::builtin(), allowed, name, arguments).unwrap_err().to_string()
}

#[test]
fn a_denial_tells_the_model_what_it_may_do() {
    let some = Allowed::only(["read_file", "finish", "no_such_tool"]);
    insta::assert_snapshot!(denied(&some, "read_fil", json!({})), @"there is no tool `read_fil` (perhaps `read_file`); allowed: read_file, finish");
    insta::assert_snapshot!(denied(&some, "browse\nthe web", json!({})), @"there is no tool `browse the web`; allowed: read_file, finish");
    insta::assert_snapshot!(denied(&some, "no_such_tool", json!({})), @"there is no tool `no_such_tool`; allowed: read_file, finish");
    insta::assert_snapshot!(denied(&some, "run_command", json!({"argv": ["ls"]})), @"tool `run_command` is not allowed here; allowed: read_file, finish");
    insta::assert_snapshot!(denied(&Allowed::only::<String>([]), "finish", json!({})), @"tool `finish` is not allowed here; allowed: none");
    insta::assert_snapshot!(denied(&some, "read_file", json!({"path": 7})), @"arguments of `read_file`: `path`: invalid type: integer `7`, expected a string");
    insta::assert_snapshot!(denied(&some, "read_file", json!({"file": "x"})), @"arguments of `read_file`: `file`: unknown field `file`, expected one of `path`, `offset`, `limit`");
    insta::assert_snapshot!(denied(&some, "read_file", json!({})), @"arguments of `read_file`: missing field `path`");
    insta::assert_snapshot!(denied(&some, "read_file", json!("{\"path\": \"x")), @"arguments of `read_file`: the arguments are not valid JSON");
    let all = Allowed::everything();
    insta::assert_snapshot!(denied(&all, "edit_file", json!({"path": "x", "edits": [{"old": "a", "new": "b"}, {"old": "c"}]})), @"arguments of `edit_file`: `edits[1]`: missing field `new`");
    insta::assert_snapshot!(denied(&all, "edit_file", json!({"path": "x", "edits": []})), @"arguments of `edit_file`: missing field `edits`");
    insta::assert_snapshot!(denied(&all, "edit_file", json!({"path": "x", "old": "a"})), @"arguments of `edit_file`: an edit needs both `old` and `new`; put edits into `edits`");
}

#[test]
fn the_tool_or_else_the_item_says_what_repeating_means() {
    let effect = |name: &str, arguments: Value| {
        let call = policy::approve(&Registry::builtin(), &Allowed::everything(), name, arguments).unwrap();
        assert_eq!(call.name(), name);
        (call.effect(Effect::Unsafe), call.effect(Effect::Idempotent))
    };
    assert_eq!(effect("read_file", json!({"path": "x"})), (Effect::Pure, Effect::Pure));
    let write = json!({"path": "x", "content": ""});
    assert_eq!(effect("write_file", write), (Effect::Idempotent, Effect::Idempotent));
    assert_eq!(effect("run_command", json!({"argv": ["ls"]})), (Effect::Unsafe, Effect::Idempotent));
}

#[test]
fn a_title_is_one_short_line_whatever_the_arguments() {
    let title = |name: &str, arguments: Value| Registry::builtin().get(name).unwrap().title(&arguments);
    assert_eq!(title("read_file", json!({"path": "a\n\u{1b}[31mb"})), "a [31mb");
    assert_eq!(title("read_file", json!({"path": "a", "offset": 5, "limit": 9})), "a from line 5, at most 9");
    assert_eq!(title("list_dir", json!(null)), ".");
    assert_eq!(title("search_files", json!({"pattern": "用户", "glob": "*.rs"})), "用户 in *.rs");
    assert_eq!(title("run_command", json!({"command": "ls |\n wc"})), "ls | wc");
    assert_eq!(
        title("run_command", json!({"argv": ["git", "commit", "-m", "it's 好"]})),
        r"git commit -m 'it'\''s 好'"
    );
    assert_eq!(title("finish", json!({"nonsense": [1]})), r#"{"nonsense":[1]}"#);
    for name in Registry::builtin().names() {
        for arguments in [json!(null), json!(7), json!("文".repeat(500)), json!({"path": "文".repeat(500)})]
        {
            let title = title(name, arguments);
            assert!(title.chars().count() <= 120, "{name}: {title}");
        }
    }
}

#[derive(Debug)]
struct Rude;

impl Tool for Rude {
    fn name(&self) -> &'static str {
        "finish"
    }
    fn description(&self) -> &'static str {
        "Takes another's place."
    }
    fn schema(&self) -> Value {
        json!({"type": "object"})
    }
    fn effect(&self) -> Option<Effect> {
        None
    }
    fn title(&self, _: &Value) -> String {
        "two\nlines".repeat(100)
    }
    fn call<'a>(&'a self, _: &'a Value, _: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(async { Ok(Output { text: "rude".to_owned(), ok: true }) })
    }
}

#[tokio::test]
async fn a_tool_of_another_crate_takes_the_place_of_its_name() {
    let registry = Registry::builtin().with(Rude);
    assert_eq!(registry.names(), Registry::builtin().names());
    let call = policy::approve(&registry, &Allowed::everything(), "finish", json!(7)).unwrap();
    assert_eq!(call.title().chars().count(), 120);
    assert_eq!(call.arguments(), &json!(7));
    assert_eq!(call.run(&Env::new().scope).await.unwrap().text, "rude");
    let specs = registry.specs(&Allowed::only(["finish", "read_file"]));
    let names: Vec<&str> = specs.iter().map(|(name, _, _)| *name).collect();
    assert_eq!(names, ["read_file", "finish"]);
}
