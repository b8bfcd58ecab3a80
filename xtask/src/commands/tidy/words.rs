//! Words that do not stay in the tree, and files that are left over.

use super::Problem;
use crate::tree::SourceFile;

/// Words in Rust, and what to do instead.
const WORDS: &[(&str, &str)] = &[
    ("todo!", "write it, or leave it out"),
    ("unimplemented!", "write it, or leave it out"),
    ("FIXME", "fix it, or file an issue"),
    ("XXX", "fix it, or file an issue"),
    ("#[ignore", "slow tests are nextest profiles; a wrong behaviour is asserted and explained"),
    ("#[allow(", "#[expect(…, reason = \"…\")]"),
    ("#![allow(", "#![expect(…, reason = \"…\")]"),
];

/// The one file that has to spell the words out.
const OURSELVES: &str = "xtask/src/commands/tidy/words.rs";

/// Marks a line of a test that waits because there is nothing to wait for.
const WAITS: &str = "// wait:";

/// Endings of files that a tool leaves behind.
const LEFTOVERS: [&str; 5] = [".snap.new", ".pending-snap", ".orig", ".rej", ".bak"];

/// Every word and file that does not stay.
pub(super) fn problems(files: &[SourceFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files {
        if LEFTOVERS.iter().any(|ending| file.path.ends_with(ending)) {
            problems.push(Problem::new(&file.path, "left over by a tool").hint("look at it and remove it"));
        }
        if file.is_rust() && file.path != OURSELVES {
            problems.extend(in_rust(file));
        }
    }
    problems
}

fn in_rust(file: &SourceFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (n, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, n + 1);
        for (word, hint) in WORDS.iter().filter(|(word, _)| contains(line, word)) {
            problems.push(Problem::new(&place, format!("`{word}`")).hint(*hint));
        }
        if is_test(&file.path) && line.contains("sleep(") && !line.contains(WAITS) {
            problems.push(
                Problem::new(&place, "a test sleeps")
                    .hint(format!("wait for what has to happen, or say why there is nothing: `{WAITS} …`")),
            );
        }
    }
    problems
}

/// Whether the word stands there by itself: `XXX`, not the `XXXXXX` of a temporary file.
fn contains(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        let joined_after = word.ends_with(char::is_alphanumeric) && after.is_some_and(joins);
        let joined_before = word.starts_with(char::is_alphanumeric) && before.is_some_and(joins);
        !joined_before && !joined_after
    })
}

fn is_test(path: &str) -> bool {
    path.starts_with("crates/pb-testkit/") || (path.starts_with("crates/") && path.contains("/tests/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
        problems(&[file]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn words_that_do_not_stay_are_found() {
        assert_eq!(
            check("crates/a/src/lib.rs", "fn a() {\n    todo!()\n}\n// FIXME later\n").join("\n"),
            "crates/a/src/lib.rs:2: `todo!` (write it, or leave it out)\n\
             crates/a/src/lib.rs:4: `FIXME` (fix it, or file an issue)"
        );
        assert_eq!(check("a.rs", "#[allow(dead_code)] // XXX").len(), 2);
        assert_eq!(check("a.rs", "#![allow(dead_code)]").len(), 1);
        assert_eq!(check("a.rs", "#[ignore = \"slow\"]").len(), 1);
        assert!(check("a.rs", "mktemp XXXXXX; my_todo!()").is_empty());
        assert!(check("a.md", "FIXME").is_empty());
    }

    #[test]
    fn tests_do_not_sleep() {
        let line = "    thread::sleep(tick);";
        assert_eq!(check("crates/a/tests/it/main.rs", line).len(), 1);
        assert_eq!(check("crates/pb-testkit/src/env.rs", line).len(), 1);
        assert!(
            check("crates/a/tests/it/main.rs", &format!("{line} // wait: the kernel tells nobody"))
                .is_empty()
        );
        assert!(check("crates/a/src/lib.rs", line).is_empty());
    }

    #[test]
    fn leftovers_are_found() {
        assert_eq!(
            check("crates/a/tests/it/snapshots/x.snap.new", ""),
            ["crates/a/tests/it/snapshots/x.snap.new: left over by a tool (look at it and remove it)"]
        );
    }
}
