use serde_json::json;

use super::*;

#[test]
fn an_unknown_variable_is_an_error_and_no_gap() {
    let environment =
        environment([("a", "{{ known }}{% if unknown %}!{% endif %}"), ("b", "{{ a.b }}")]).unwrap();
    let rendered = |name: &str| {
        let template = environment.get_template(name).unwrap();
        template
            .render(minijinja::value::Serde(&json!({"known": "你好", "a": {}})))
            .map_err(|error| error.to_string())
    };
    insta::assert_debug_snapshot!([rendered("a"), rendered("b")], @r#"
    [
        Err(
            "undefined value (in a:1)",
        ),
        Err(
            "undefined value (in b:1)",
        ),
    ]
    "#);
}

#[test]
fn nothing_is_escaped_as_in_a_page() {
    let environment = environment([("a", "{{ text }}")]).unwrap();
    let text = "<b> & \"{{ text }}\" 文";
    let rendered =
        environment.get_template("a").unwrap().render(minijinja::value::Serde(&json!({"text": text})));
    assert_eq!(rendered.unwrap(), text);
}

#[test]
fn every_prompt_can_be_read() {
    for prompt in Prompt::ALL {
        // Those with variables refuse nothing; the others are their text.
        match prompt.render(()) {
            Ok(text) => assert_eq!(text.trim_end(), prompt.text().trim_end(), "{prompt:?}"),
            Err(error) => {
                assert_eq!(error.kind(), minijinja::ErrorKind::UndefinedError, "{prompt:?}: {error}");
            }
        }
    }
}

#[test]
fn the_version_is_that_of_the_texts() {
    assert_eq!(version(), version_of(Prompt::ALL.map(Prompt::text)));
    assert_eq!(version().len(), VERSION_CHARS);
    assert_eq!(version_of(["a", "b"]), version_of(["a", "b"]));
    for others in [["a", "c"], ["b", "a"], ["ab", ""], ["", "ab"]] {
        assert_ne!(version_of(["a", "b"]), version_of(others), "{others:?}");
    }
}

#[test]
fn a_guard_says_what_it_saw_and_what_was_done() {
    let render = |guard: &str, rung: &str, tool: &str| {
        let variables = json!({"guard": guard, "rung": rung, "tool": tool, "repeats": 3, "stale_turns": 8});
        Prompt::Guard.render(variables).unwrap()
    };
    let told = [
        render("repetition", "nudge", ""),
        render("no_progress", "nudge", ""),
        render("cycle", "drop_tool", "list_dir"),
        render("cycle", "other_model", ""),
        render("empty_answers", "other_model", ""),
        render("runaway_turns", "nudge", ""),
    ];
    insta::assert_snapshot!(told.join("\n---\n"), @"
    This leads nowhere: you made the same call 3 times in a row, and it had the same result each time. Do not do it again. Think about what you know, and try another way; or end with `finish` and say what is missing.
    ---
    This leads nowhere: in 8 turns nothing changed in the workspace, and you saw nothing new. Do not do it again. Think about what you know, and try another way; or end with `finish` and say what is missing.
    ---
    This leads nowhere: you went round the same calls 3 times, with the same results. The tool `list_dir` is not there any more. Do not do it again. Think about what you know, and try another way; or end with `finish` and say what is missing.
    ---
    You take over: the model before you went round the same calls 3 times, with the same results. Read what was tried, do not do it again, and go on with the task another way; or end with `finish` and say what is missing.
    ---
    You take over: the model before you answered without calling a tool, again and again. Read what was tried, do not do it again, and go on with the task another way; or end with `finish` and say what is missing.
    ---
    Most of the turns that you have for this task are used up. Do what is most important now, and end with `finish`: say what is done and what is not.
    ");
}
