//! Gate: a program ends with the declared exit code.

use pb_model::goal::Evidence;
use pb_model::spec::{GateCommand, TIME_LIMIT_S_DEFAULT};

use super::{EVIDENCE_BYTES_MAX, Found, Place, Subject, control, tail};
use crate::effects::{Context, StepCommand};

pub(super) async fn check(
    context: &Context,
    subject: &Subject,
    gate: &GateCommand,
    place: Place<'_>,
) -> Found {
    let command = StepCommand {
        argv: &gate.argv,
        cwd: gate.cwd.as_deref(),
        env: &gate.env,
        tcp_ports: &[],
        time_limit_ms: gate.time_limit_s.unwrap_or(TIME_LIMIT_S_DEFAULT) * 1000,
    };
    control::run(context, subject, (command, &gate.control), place, |code, _| {
        let passed = code == gate.expect_exit;
        let expected = if passed { String::new() } else { format!(", expected {}", gate.expect_exit) };
        (passed, format!("exit {code}{expected}"))
    })
    .await
}

/// Runs a gate's program; `judge` sees its exit code and output. A program that did not exit by
/// itself proves nothing.
pub(super) async fn run(
    context: &Context,
    subject: &Subject,
    command: &StepCommand<'_>,
    place: Place<'_>,
    judge: impl FnOnce(i32, &str) -> (bool, String),
) -> Found {
    let finished = match context.run_step(subject.into(), command, place.step, place.cancel).await {
        Ok(finished) => finished,
        Err(error) => return Found::new(false, format!("it did not start: {error}")),
    };
    let output = finished.output.text();
    let (passed, words, exit_code) = match &finished.outcome {
        pb_exec::Outcome::Exited(code) => {
            let (passed, words) = judge(*code, &output);
            (passed, words, Some(*code))
        }
        pb_exec::Outcome::Signaled(signal) => (false, format!("signal {signal} ended it"), None),
        pb_exec::Outcome::TimedOut => (false, "it ran into its time limit".to_owned(), None),
        pb_exec::Outcome::Stopped => (false, "it was stopped".to_owned(), None),
        pb_exec::Outcome::NotStarted(why) => (false, format!("it did not start: {why}"), None),
        pb_exec::Outcome::Lost => (false, "its outcome is unknown".to_owned(), None),
    };
    let evidence = Evidence {
        argv: Some(command.argv.to_vec()),
        exit_code,
        output_digest: Some(finished.output.digest.clone()),
        output_tail: tail(&output, EVIDENCE_BYTES_MAX),
        ..Evidence::default()
    };
    Found { passed, words, evidence }
}
