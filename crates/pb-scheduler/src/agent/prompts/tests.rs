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
