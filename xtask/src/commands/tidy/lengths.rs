//! The lengths of files. Functions are clippy's.

use super::Problem;
use crate::tree::SourceFile;

/// Longest Rust file, in lines.
const LINES_MAX: usize = 800;
/// From here on a file is worth a look, in lines.
const LINES_MANY: usize = 500;
/// Parts of a path that mark what is generated, or data of tests.
const EXCEPTED: [&str; 3] = ["/gen/", "/fixtures/", "/snapshots/"];

/// Files that are too long.
pub(super) fn problems(files: &[SourceFile]) -> Vec<Problem> {
    measured(files)
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(path, lines)| {
            Problem::new(path, format!("{lines} lines, at most {LINES_MAX} are allowed"))
                .hint("split it by what a reader looks for")
        })
        .collect()
}

/// Files that are getting long.
pub(super) fn warnings(files: &[SourceFile]) -> Vec<Problem> {
    measured(files)
        .filter(|(_, lines)| (LINES_MANY + 1..=LINES_MAX).contains(lines))
        .map(|(path, lines)| Problem::new(path, format!("{lines} lines; most files have 100 to 300")))
        .collect()
}

fn measured(files: &[SourceFile]) -> impl Iterator<Item = (&str, usize)> {
    files
        .iter()
        .filter(|file| file.is_rust() && !EXCEPTED.iter().any(|part| file.path.contains(part)))
        .map(|file| (file.path.as_str(), file.text.lines().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, lines: usize) -> SourceFile {
        SourceFile { path: path.to_owned(), text: "x\n".repeat(lines) }
    }

    #[test]
    fn long_files_are_named() {
        let files = [
            file("crates/a/src/short.rs", LINES_MANY),
            file("crates/a/src/many.rs", LINES_MANY + 1),
            file("crates/a/src/full.rs", LINES_MAX),
            file("crates/a/src/long.rs", LINES_MAX + 1),
            file("crates/a/src/gen/long.rs", LINES_MAX + 1),
            file("docs/long.md", LINES_MAX + 1),
        ];
        let shown = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            shown(problems(&files)),
            [
                "crates/a/src/long.rs: 801 lines, at most 800 are allowed (split it by what a reader looks for)"
            ]
        );
        assert_eq!(
            shown(warnings(&files)),
            [
                "crates/a/src/many.rs: 501 lines; most files have 100 to 300",
                "crates/a/src/full.rs: 800 lines; most files have 100 to 300",
            ]
        );
    }
}
