//! How many tests a test run executed, from what it printed: cargo test, nextest, pytest, unittest, go test,
//! node, mocha, jest, vitest, TAP. Skipped and filtered tests do not count.
//!
//! Of a runner that prints one summary the smallest counts, if there are several: what a test prints that looks
//! like one proves nothing.

use regex::Regex;
use std::sync::LazyLock;

/// The number of tests executed, or `None` when no summary is known in the text.
pub(super) fn executed(output: &str) -> Option<u64> {
    let output = without_colour(output);
    let counts = [
        cargo(&output),
        nextest(&output),
        pytest(&output),
        unittest(&output),
        go(&output),
        go_json(&output),
        node(&output).or_else(|| tap(&output)),
        mocha(&output),
        jest(&output),
        vitest(&output),
    ];
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
    listed(SUMMARY.as_ref()?, COUNT.as_ref()?, output)
}

/// `Ran 3 tests in 0.001s`, then `OK (skipped=1)`.
fn unittest(output: &str) -> Option<u64> {
    static SUMMARY: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?m)^Ran (\d+) tests? in [\d.]+s\s+(?:OK|FAILED|NO TESTS RAN)(?: \(([^)]*)\))?\s*$").ok()
    });
    static SKIPPED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"skipped=(\d+)").ok());
    let count = |summary: regex::Captures<'_>| {
        let ran: u64 = summary.get(1)?.as_str().parse().ok()?;
        let skipped = summary.get(2).and_then(|rest| sum(SKIPPED.as_ref()?, rest.as_str()));
        Some(ran.saturating_sub(skipped.unwrap_or(0)))
    };
    SUMMARY.as_ref()?.captures_iter(output).filter_map(count).min()
}

/// `Tests:       1 failed, 2 skipped, 5 passed, 8 total`.
fn jest(output: &str) -> Option<u64> {
    static SUMMARY: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^Tests:\s+(.*\d+ total)\s*$").ok());
    listed(SUMMARY.as_ref()?, passed_or_failed()?, output)
}

/// `      Tests  1 failed | 5 passed | 2 skipped (8)`.
fn vitest(output: &str) -> Option<u64> {
    static SUMMARY: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^\s*Tests\s+((?:\d+ \w+(?: \| )?)+) \(\d+\)\s*$").ok());
    listed(SUMMARY.as_ref()?, passed_or_failed()?, output)
}

/// `  5 passing (12ms)` and `  1 failing`.
fn mocha(output: &str) -> Option<u64> {
    static SUMMARY: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^\s+(\d+) (?:passing \(\d+\w+\)|failing)\s*$").ok());
    sum(SUMMARY.as_ref()?, output)
}

/// `1..3`, then `ok 1 - name`, or `not ok 2 - name # SKIP why`.
fn tap(output: &str) -> Option<u64> {
    static PLAN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^1\.\.\d+\b").ok());
    static TEST: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^(?:not )?ok \d+\b(.*)$").ok());
    static LEFT_OUT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)# (?:skip|todo)").ok());
    if !PLAN.as_ref()?.is_match(output) {
        return None;
    }
    let tests = TEST.as_ref()?.find_iter(output);
    Some(tests.filter(|test| !LEFT_OUT.as_ref().is_some_and(|out| out.is_match(test.as_str()))).count() as u64)
}

/// With `-json` one object a line, of which those that end a test name it.
fn go_json(output: &str) -> Option<u64> {
    static ENDED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?m)^\{.*"Action":"(pass|fail|skip)","Package":"[^"]*"(,"Test":")?"#).ok()
    });
    let mut ended = ENDED.as_ref()?.captures_iter(output).peekable();
    ended.peek()?;
    let ran = |found: &regex::Captures<'_>| {
        found.get(2).is_some() && found.get(1).is_some_and(|action| action.as_str() != "skip")
    };
    Some(ended.filter(ran).count() as u64)
}

fn passed_or_failed() -> Option<&'static Regex> {
    static COUNT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(\d+) (?:passed|failed)\b").ok());
    COUNT.as_ref()
}

/// The sum of what `count` finds in the smallest summary; none of that is 0.
fn listed(summary: &Regex, count: &Regex, output: &str) -> Option<u64> {
    let summaries = summary.captures_iter(output).filter_map(|found| found.get(1));
    summaries.map(|listed| sum(count, listed.as_str()).unwrap_or(0)).min()
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
    fn security_29_each_runner_is_understood_and_what_is_skipped_is_no_test() {
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
            ("5 passed in 0.01s\n==== no tests ran in 0.00s ====", Some(0)),
            ("Ran 3 tests in 0.001s\n\nOK (skipped=1)", Some(2)),
            ("Ran 0 tests in 0.000s\n\nNO TESTS RAN\nRan 5 tests in 0.1s\n\nOK\n", Some(0)),
            ("Ran 1 test in 0.001s\n\nFAILED (failures=1)", Some(1)),
            ("Tests:       1 failed, 2 skipped, 5 passed, 8 total\nSnapshots:   0 total", Some(6)),
            ("Tests:       0 total", Some(0)),
            ("Tests:       3 skipped, 3 total", Some(0)),
            (" Test Files  1 passed (1)\n      Tests  1 failed | 5 passed | 2 skipped (8)", Some(6)),
            ("      Tests  2 skipped (2)", Some(0)),
            ("\n  5 passing (12ms)\n  2 pending\n  1 failing\n", Some(6)),
            ("\n  0 passing (1ms)\n  2 pending\n", Some(0)),
            ("1..3\nok 1 - a\nok 2 - b # SKIP no net\nnot ok 3 - c\n", Some(2)),
            ("1..2\nok 1 - 一\nok 2 - 二\n# tests 2\n# pass 1\n# fail 0\n", Some(1)),
            (
                "{\"Time\":\"t\",\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"A\"}\n{\"Time\":\"t\",\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"A\",\"Elapsed\":0}\n{\"Action\":\"skip\",\"Package\":\"p\",\"Test\":\"B\"}\n{\"Action\":\"pass\",\"Package\":\"p\",\"Elapsed\":0}",
                Some(1),
            ),
            ("{\"Action\":\"skip\",\"Package\":\"p\",\"Elapsed\":0}", Some(0)),
            ("all 12 tests passed, trust me", None),
            ("", None),
        ] {
            assert_eq!(executed(output), expect, "{output}");
        }
    }
}
