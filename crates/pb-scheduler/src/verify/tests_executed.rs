//! Gate: tests were executed, and passed. "0 tests" proves nothing (`security.md` 29).

use std::collections::BTreeMap;

use pb_model::goal::{Evidence, ExecutionOutcome};
use pb_model::spec::{TIME_LIMIT_S_DEFAULT, Work};

use super::judges::{self, Told};
use super::{Found, Place, Subject, control, counts};
use crate::effects::{Context, StepCommand};

/// What the gate wants.
pub(super) struct Tests<'g> {
    /// The test command; the item's own if absent.
    pub(super) argv: Option<&'g [String]>,
    /// Fewest tests.
    pub(super) min: u64,
    /// Longest run, in seconds.
    pub(super) time_limit_s: Option<u64>,
    /// The negative control.
    pub(super) control: &'g [String],
}

pub(super) async fn check(
    context: &Context,
    subject: &Subject,
    tests: &Tests<'_>,
    place: Place<'_>,
) -> Found {
    let own = match &subject.item.work {
        Work::Command(command) => Some((command.argv.as_slice(), command.cwd.as_deref())),
        Work::Agent(_) => None,
    };
    let Some((argv, cwd)) = tests.argv.map(|argv| (argv, None)).or(own) else {
        return Found::new(false, "it names no test command");
    };
    // What prints a summary and runs no tests is no proof.
    let told = Told::of(&subject.workspace, argv, cwd);
    if !told.runs_tests && !judges::names_a_file(&subject.workspace, &told) {
        return Found::new(false, format!("`{}` names no test runner and no script", argv.join(" ")));
    }
    let command = StepCommand {
        argv,
        cwd,
        env: &BTreeMap::new(),
        tcp_ports: &[],
        time_limit_ms: tests.time_limit_s.unwrap_or(TIME_LIMIT_S_DEFAULT) * 1000,
    };
    let judge = |code: i32, output: &str| judge(code, output, tests.min);
    if tests.argv.is_some() {
        return control::run(context, subject, (command, tests.control), place, judge).await;
    }
    // The item's own command was the test run: its recorded output is the evidence.
    let Some(execution) = &subject.run.execution else {
        return Found::new(false, "the command left no output");
    };
    let ExecutionOutcome::Exited { code } = execution.outcome else {
        return Found::new(false, execution.outcome.to_string());
    };
    if !tests.control.is_empty() {
        let rejected = control::passes(context, subject, (&command, tests.control), place, judge).await;
        if let Some(rejected) = rejected {
            return rejected;
        }
    }
    let (passed, words) = judge(code, &execution.output_tail);
    let evidence = Evidence {
        exit_code: Some(code),
        output_digest: Some(execution.output_digest.clone()),
        output_tail: super::tail(&execution.output_tail, super::EVIDENCE_BYTES_MAX),
        ..Evidence::default()
    };
    Found { passed, words, evidence }
}

fn judge(code: i32, output: &str, min: u64) -> (bool, String) {
    match counts::executed(output) {
        None => (false, "no test summary in the output".to_owned()),
        Some(count) if count < min => (false, format!("{count} test(s) ran, expected at least {min}")),
        Some(count) if code == 0 => (true, format!("{count} test(s) ran and passed")),
        Some(count) => (false, format!("{count} test(s) ran, exit {code}")),
    }
}
