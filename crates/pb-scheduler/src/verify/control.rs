//! The negative control of a gate: the same check of a command with which it must not pass. One that passes
//! shows that the gate cannot fail, and so proves nothing.

use std::time::Instant;

use super::{Found, Place, Subject, command};
use crate::effects::{Context, StepCommand};

/// Runs `checked`, after its control if it has one; both within the time limit. The control comes first, so
/// that what passes in the end is about what it left.
pub(super) async fn run(
    context: &Context,
    subject: &Subject,
    (checked, control): (StepCommand<'_>, &[String]),
    place: Place<'_>,
    judge: impl Fn(i32, &str) -> (bool, String),
) -> Found {
    let began = Instant::now();
    if let Some(rejected) = passes(context, subject, (&checked, control), place, &judge).await {
        return rejected;
    }
    let spent = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let time_limit_ms = checked.time_limit_ms.saturating_sub(spent).max(1);
    command::run(context, subject, &StepCommand { time_limit_ms, ..checked }, place, judge).await
}

/// Runs the control, if there is one; why the gate is rejected, unless the control fails as it must.
pub(super) async fn passes(
    context: &Context,
    subject: &Subject,
    (checked, control): (&StepCommand<'_>, &[String]),
    place: Place<'_>,
    judge: impl Fn(i32, &str) -> (bool, String),
) -> Option<Found> {
    if control.is_empty() {
        return None;
    }
    let found = command::run(context, subject, &checked.instead(control), place, judge).await;
    let shown = control.join(" ");
    let words = if found.passed {
        format!("it cannot fail: its control `{shown}` passes too ({})", found.words)
    } else if found.evidence.exit_code.is_none() {
        // One that never ran to its end did not fail by the check.
        format!("its control `{shown}` shows nothing: {}", found.words)
    } else {
        return None;
    };
    Some(Found { passed: false, words, ..found })
}
