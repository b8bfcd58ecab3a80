//! The lines about what was made out of a goal, and about what became of attempts at it.

use super::payload::Payload;
use crate::format;
use crate::output::{GOOD, WARN, styled};

/// An attempt that was not enough. Retries and failures have lines of their own.
pub(super) fn of_evaluation(payload: &Payload) -> Option<String> {
    let reason = format::line(payload.reason.as_deref().unwrap_or_default());
    match payload.decision.as_deref()? {
        "switch_model" => Some(format!("{}: {reason}", styled(WARN, "somebody else tries"))),
        _ => None,
    }
}

/// What became of a yes; that it is asked for is told with the question.
pub(super) fn of_approval(what: &str, payload: &Payload) -> Option<String> {
    match what {
        "granted" => Some(format!(
            "{} by {}",
            styled(GOOD, "approved"),
            format::line(payload.granted_by.as_deref().unwrap_or("somebody"))
        )),
        "denied" => Some(format!(
            "{} by {}",
            styled(WARN, "denied"),
            format::line(payload.denied_by.as_deref().unwrap_or("somebody"))
        )),
        "expired" => Some(styled(WARN, "nobody said yes in time")),
        "voided" => Some(styled(WARN, "the yes was for something else, or is not needed any more")),
        _ => None,
    }
}

/// What is taken for granted.
pub(super) fn of_elaboration(payload: &Payload) -> Option<String> {
    let assumed: Vec<String> = payload.assumptions.iter().map(|text| format::line(text)).collect();
    (!assumed.is_empty()).then(|| format!("assumes: {}", assumed.join("; ")))
}

/// Another plan.
pub(super) fn of_replanning(payload: &Payload) -> String {
    let why = format::line(payload.why.as_deref().unwrap_or_default());
    format!("{}: {why}", styled(WARN, "plans anew"))
}
