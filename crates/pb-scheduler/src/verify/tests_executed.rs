//! Gate: tests were executed, and passed. "0 tests" proves nothing (`security.md` 29).

use std::collections::BTreeMap;

use pb_model::goal::{Evidence, ExecutionOutcome};
use pb_model::spec::TIME_LIMIT_S_DEFAULT;

use super::{Found, Place, Subject, command, counts};
use crate::effects::{Context, StepCommand};

pub(super) async fn check(
    context: &Context,
    subject: &Subject,
    (argv, min, time_limit_s): (Option<&[String]>, u64, Option<u64>),
    place: Place<'_>,
) -> Found {
    if let Some(argv) = argv {
        let command = StepCommand {
            argv,
            cwd: None,
            env: &BTreeMap::new(),
            tcp_ports: &[],
            time_limit_ms: time_limit_s.unwrap_or(TIME_LIMIT_S_DEFAULT) * 1000,
        };
        return command::run(context, subject, &command, place, |code, output| judge(code, output, min))
            .await;
    }
    // The item's own command was the test run: its recorded output is the evidence.
    let Some(execution) = &subject.run.execution else {
        return Found::new(false, "the command left no output");
    };
    let ExecutionOutcome::Exited { code } = execution.outcome else {
        return Found::new(false, execution.outcome.to_string());
    };
    let (passed, words) = judge(code, &execution.output_tail, min);
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
