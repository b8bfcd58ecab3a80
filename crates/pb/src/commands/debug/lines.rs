//! A debug event as it is shown.

use pb_protocol::debug::DebugEvent;
use serde::Serialize;

use super::words::words;
use crate::output::{BOLD, DIM, styled};
use crate::{format, output};

/// Shows a debug event: for people, or as JSON.
pub(super) fn show(event: &DebugEvent, cursor: &str, json: bool) -> anyhow::Result<()> {
    if json { output::json_line(&JsonEvent { event, cursor }) } else { output::data(line(event)) }
}

/// A debug event as `--json` prints it.
#[derive(Debug, Serialize)]
struct JsonEvent<'a> {
    #[serde(flatten)]
    event: &'a DebugEvent,
    cursor: &'a str,
}

/// When, what, about what, and the beginning of what is told.
fn line(event: &DebugEvent) -> String {
    let about = [&event.step_id, &event.run_id, &event.work_item_id, &event.goal_id];
    let about = about.into_iter().find_map(Option::as_deref).unwrap_or("-");
    format!(
        "{}  {}  {}  {}",
        format::moment_ms(event.timestamp),
        styled(BOLD, format::line(&event.r#type)),
        styled(DIM, format::line(about)),
        words(&event.r#type, event.data.get())
    )
}
