//! What must hold for `edit_file` whatever the file.

use proptest::prelude::*;
use serde_json::json;
use tokio::runtime;

use crate::env::Env;

fn edit(content: &str, old: &str, new: &str) -> (String, String) {
    let env = Env::new().with("f", content);
    let edits = json!([{"old": old, "new": new}]);
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(env.call("edit_file", json!({"path": "f", "edits": edits})));
    (answer, env.read("f"))
}

/// All places, also those that overlap.
fn places(content: &str, old: &str) -> usize {
    content.char_indices().filter(|(at, _)| content[*at..].starts_with(old)).count()
}

/// Few different characters, so that passages repeat and overlap.
fn any_file() -> impl Strategy<Value = Vec<char>> {
    let character = prop::sample::select(vec!['a', 'b', ' ', '\t', '\n', '\n', '\r', '文', '😀', '}']);
    prop::collection::vec(character, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// A passage that is cut from the file is replaced there if it is unique, else refused.
    #[test]
    fn an_edit_cut_from_the_file_is_made_where_it_was_cut(
        file in any_file(),
        from in any::<prop::sample::Index>(),
        length in 1_usize..20,
        new in "[ab文 ]{0,5}",
    ) {
        let from = from.index(file.len());
        let to = (from + length).min(file.len());
        let text = |characters: &[char]| characters.iter().collect::<String>();
        let (content, old) = (text(&file), text(&file[from..to]));
        let expected = text(&file[..from]) + &new + &text(&file[to..]);
        prop_assume!(old != new && expected != content);
        let (answer, after) = edit(&content, &old, &new);
        if places(&content, &old) == 1 {
            prop_assert!(answer.starts_with("edited f: 1 place replaced\n"), "{answer}");
            prop_assert_eq!(after, expected);
        } else {
            prop_assert!(answer.starts_with("MODEL: f: `old` is found at lines "), "{answer}");
            prop_assert_eq!(after, content);
        }
    }

    /// Blanks that the model lost or added change neither the place nor what stands there then.
    #[test]
    fn blanks_do_not_change_what_an_edit_does(
        indents in prop::collection::vec(0_usize..4, 3..12),
        from in any::<prop::sample::Index>(),
        length in 1_usize..5,
        more in 0_usize..3,
        crlf in any::<bool>(),
        trailing in any::<bool>(),
    ) {
        let from = from.index(indents.len());
        let to = (from + length).min(indents.len());
        let line_end = if crlf { "\r\n" } else { "\n" };
        let write = |word: &str, range: std::ops::Range<usize>, shift: usize, less: usize, end: &str| -> String {
            indents[range.clone()]
                .iter()
                .zip(range)
                .map(|(indent, number)| format!("{}{word} {number}{end}", " ".repeat(indent + shift - less)))
                .collect::<Vec<_>>()
                .concat()
        };
        // The model shifts the passage to the left as far as it goes, and then by `more`.
        let least = *indents[from..to].iter().min().unwrap();
        let slip = if trailing { " \n" } else { "\n" };
        let old = write("行", from..to, more, least, slip);
        let new = write("new", from..to, more, least, "\n");
        let before = write("行", 0..from, 0, 0, line_end);
        let behind = write("行", to..indents.len(), 0, 0, line_end);
        let content = before.clone() + &write("行", from..to, 0, 0, line_end) + &behind;
        let (answer, after) = edit(&content, &old, &new);
        prop_assert!(answer.starts_with("edited f: 1 place replaced"), "{answer}");
        let expected = before + &write("new", from..to, 0, 0, line_end) + &behind;
        prop_assert_eq!(after, expected, "{:?} {:?}", old, new);
    }
}
