//! How many tests a test run executed, from what it printed: cargo test, nextest, pytest, go test,
//! node. Skipped and filtered tests do not count.

use regex::Regex;
use std::sync::LazyLock;

/// The number of tests executed, or `None` when no summary is known in the text.
pub(super) fn executed(output: &str) -> Option<u64> {
    let output = without_colour(output);
    let counts = [cargo(&output), nextest(&output), pytest(&output), go(&output), node(&output)];
    counts.into_iter().flatten().reduce(u64::saturating_add)
}

/// `test result: ok. 3 passed; 1 failed; 0 ignored; …`, once a test binary.
fn cargo(output: &str) -> Option<u64> {
    static SUMMARY: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^test result: \w+\. (\d+) passed; (\d+) failed;").ok());
    sum(SUMMARY.as_ref()?, output)
}

/// `Summary [   0.010s] 3 tests run: 3 passed, 1 skipped`.
fn nextest(output: &str) -> Option<u64> {
    static SUMMARY: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^\s*Summary \[[^\]]*\]\s+(\d+)(?:/\d+)? tests? run:").ok());
    sum(SUMMARY.as_ref()?, output)
}

/// `==== 2 failed, 3 passed, 1 skipped in 0.12s ====`, or the same without the rule under `-q`.
fn pytest(output: &str) -> Option<u64> {
    static SUMMARY: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?m)^(?:=+ )?((?:\d+ \w+(?:, )?)+|no tests ran) in [\d.]+s(?: \([\d:]+\))?(?: =+)?\s*$")
            .ok()
    });
    static COUNT: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(\d+) (?:passed|failed|errors?|xfailed|xpassed)\b").ok());
    let summaries: Vec<_> =
        SUMMARY.as_ref()?.captures_iter(output).filter_map(|found| found.get(1)).collect();
    if summaries.is_empty() {
        return None;
    }
    Some(
        summaries
            .iter()
            .map(|summary| COUNT.as_ref().and_then(|count| sum(count, summary.as_str())).unwrap_or(0))
            .sum(),
    )
}

/// With `-v` each `--- PASS: TestX`; without, `ok  package  0.01s` says that some ran, unless it adds
/// `[no tests to run]`; `?  package  [no test files]` says that none did.
fn go(output: &str) -> Option<u64> {
    static TEST: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^\s*--- (?:PASS|FAIL): \S+").ok());
    static PACKAGE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^(?:ok|FAIL)\s+\S+\s+(?:[\d.]+s|\(cached\))(.*)$").ok());
    static NONE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^\?\s+\S+\s+\[no test files\]").ok());
    let tests = TEST.as_ref()?.find_iter(output).count() as u64;
    let mut packages = PACKAGE.as_ref()?.captures_iter(output).peekable();
    if tests > 0 {
        return Some(tests);
    }
    if packages.peek().is_none() {
        return NONE.as_ref()?.is_match(output).then_some(0);
    }
    Some(
        packages
            .filter(|package| !package.get(1).is_some_and(|rest| rest.as_str().contains("no tests to run")))
            .count() as u64,
    )
}

/// The summary of `node --test`: `# pass 3`, `# fail 0` (TAP) or `ℹ pass 3` (spec reporter).
fn node(output: &str) -> Option<u64> {
    static SUMMARY: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^(?:#|ℹ) (?:pass|fail) (\d+)$").ok());
    sum(SUMMARY.as_ref()?, output)
}

/// The sum of every number that the groups of every match captured; `None` without a match.
fn sum(regex: &Regex, text: &str) -> Option<u64> {
    let mut total = None;
    for found in regex.captures_iter(text) {
        let numbers = found.iter().skip(1).flatten().filter_map(|group| group.as_str().parse::<u64>().ok());
        total = Some(numbers.fold(total.unwrap_or(0), u64::saturating_add));
    }
    total
}

fn without_colour(text: &str) -> String {
    static COLOUR: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("\x1b\\[[0-9;]*[A-Za-z]").ok());
    COLOUR.as_ref().map_or_else(|| text.to_owned(), |colour| colour.replace_all(text, "").into_owned())
}

#[cfg(test)]
mod tests {
    use super::executed;

    #[test]
    fn each_runner_is_understood() {
        for (output, expect) in [
            (
                "test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                Some(3),
            ),
            (
                "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s",
                Some(0),
            ),
            (
                "test result: FAILED. 1 passed; 2 failed; 0 ignored\ntest result: ok. 4 passed; 0 failed;",
                Some(7),
            ),
            ("     Summary [   0.010s] 3 tests run: 3 passed, 1 skipped", Some(3)),
            ("\x1b[32;1m     Summary\x1b[0m [   1.2s] \x1b[1m1\x1b[0m test run: 1 passed", Some(1)),
            ("===== 2 failed, 3 passed, 1 skipped in 0.12s =====", Some(5)),
            ("3 passed in 0.01s", Some(3)),
            ("============ no tests ran in 0.00s ============", Some(0)),
            ("===== 4 skipped in 0.12s =====", Some(0)),
            ("===== 1 passed, 2 warnings in 61.50s (0:01:01) =====", Some(1)),
            (
                "--- PASS: TestA (0.00s)\n    --- PASS: TestA/sub (0.00s)\nPASS\nok  \texample.com/a\t0.002s",
                Some(2),
            ),
            ("ok  \texample.com/a\t0.002s\nok  \texample.com/b\t(cached)", Some(2)),
            ("ok  \texample.com/a\t0.002s [no tests to run]", Some(0)),
            ("?   \texample.com/a\t[no test files]", Some(0)),
            ("# tests 4\n# pass 3\n# fail 1\n# skipped 0", Some(4)),
            ("ℹ tests 3\nℹ pass 3\nℹ fail 0", Some(3)),
            ("all 12 tests passed, trust me", None),
            ("", None),
        ] {
            assert_eq!(executed(output), expect, "{output}");
        }
    }
}
