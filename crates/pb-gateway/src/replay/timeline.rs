//! What happened when, of one goal, in one look.

use std::collections::BTreeMap;
use std::time::Duration;

use pb_model::GoalId;
use pb_model::goal::Event;
use pb_store::{LogReader, TraceQuery, TraceReader};
use serde::{Deserialize, Serialize};

use super::fold::{FoldError, Folded, unless_compacted, walk};

/// Most calls of models, and most errors, that are told.
const MARKS_MAX: usize = 1_000;
/// How long is looked for calls of models.
const LOOK_MAX: Duration = Duration::from_secs(3);
/// Debug events that are looked at for them.
const SPAN_EVENTS_MAX: usize = 8_000;

/// The timeline of a goal.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Timeline {
    goal_id: String,
    total_events: u64,
    start_time: u64,
    end_time: u64,
    duration_ms: u64,
    phase_boundaries: Vec<PhaseSpan>,
    error_markers: Vec<ErrorMarker>,
    llm_call_spans: Vec<CallSpan>,
    /// When it was looked.
    pub(crate) last_updated: u64,
}

/// How long the goal was in a phase.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhaseSpan {
    phase: String,
    start_time: u64,
    end_time: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorMarker {
    event_id: String,
    timestamp: u64,
    r#type: String,
}

/// A call of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct CallSpan {
    id: String,
    start_time: u64,
    /// Absent while it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<u64>,
    model: String,
    tokens: u64,
}

impl Timeline {
    /// What the goal's history tells.
    ///
    /// # Errors
    /// Some of it was compacted, or cannot be read.
    pub(crate) async fn of(log: &LogReader, goal: GoalId) -> Result<Self, FoldError> {
        unless_compacted(log, goal).await?;
        let mut timeline = Self { goal_id: goal.to_string(), ..Self::default() };
        let mut folded = Folded::default();
        walk(log, goal, |record| {
            if timeline.total_events == 0 {
                timeline.start_time = record.at_ms;
            }
            timeline.total_events += 1;
            timeline.end_time = record.at_ms;
            let event = folded.take(&record)?;
            timeline.phase(&folded, record.at_ms);
            timeline.call(&event, record.at_ms);
            if is_error(&record.kind) && timeline.error_markers.len() < MARKS_MAX {
                timeline.error_markers.push(ErrorMarker {
                    event_id: record.id,
                    timestamp: record.at_ms,
                    r#type: record.kind,
                });
            }
            Ok(true)
        })
        .await?;
        // A clock that was put back makes no time that is less than none.
        timeline.duration_ms = timeline.end_time.saturating_sub(timeline.start_time);
        if let Some(last) = timeline.phase_boundaries.last_mut() {
            last.end_time = timeline.end_time;
        }
        Ok(timeline)
    }

    fn phase(&mut self, folded: &Folded, at_ms: u64) {
        let Some(state) = &folded.state else { return };
        let phase = state.goal.phase.as_str();
        match self.phase_boundaries.last_mut() {
            Some(last) if last.phase == phase => return,
            Some(last) => last.end_time = at_ms,
            None => {}
        }
        if self.phase_boundaries.len() < MARKS_MAX {
            let phase = phase.to_owned();
            self.phase_boundaries.push(PhaseSpan { phase, start_time: at_ms, end_time: at_ms });
        }
    }

    /// A call that ended, as the history knows it.
    fn call(&mut self, event: &Event, at_ms: u64) {
        let (id, model, tokens, duration_ms) = match event {
            Event::ModelAnswered { run, n, model, used, duration_ms, .. } => {
                let tokens = used.map_or(0, |used| used.input_tokens + used.output_tokens);
                (format!("{run}.{n}"), model, tokens, duration_ms)
            }
            Event::ModelFailed { run, n, model, duration_ms, .. } => {
                (format!("{run}.{n}"), model, 0, duration_ms)
            }
            _ => return,
        };
        if self.llm_call_spans.len() < MARKS_MAX {
            self.llm_call_spans.push(CallSpan {
                id,
                start_time: at_ms.saturating_sub(*duration_ms),
                end_time: Some(at_ms),
                model: model.clone(),
                tokens,
            });
        }
    }

    /// Takes the calls of models from the trace, where it still has them: each try, and those under way.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) async fn take_spans(
        &mut self,
        trace: &TraceReader,
        goal: GoalId,
    ) -> Result<(), pb_store::Error> {
        let query = TraceQuery {
            goal: Some(goal.to_string()),
            kind: Some("llm.*".to_owned()),
            ..TraceQuery::default()
        };
        let found = trace.find(&query, (0, SPAN_EVENTS_MAX), LOOK_MAX).await?;
        let is_all = found.next.is_none();
        let mut spans = BTreeMap::<String, CallSpan>::new();
        for row in found.rows.into_iter().rev() {
            let Ok(told) = serde_json::from_str::<Told>(&row.event.data) else { continue };
            let (Some(id), at_ms) = (told.request_id, row.event.at_ms) else { continue };
            if row.event.kind == "llm.request" {
                let model = told.model.unwrap_or_default();
                let span = CallSpan { id: id.clone(), start_time: at_ms, end_time: None, model, tokens: 0 };
                spans.insert(id, span);
            } else if let Some(span) = spans.get_mut(&id) {
                match row.event.kind.as_str() {
                    "llm.response" | "llm.error" => span.end_time = Some(at_ms),
                    "llm.tokens" => span.tokens = told.total_tokens.unwrap_or(0),
                    _ => {}
                }
            }
        }
        let mut spans: Vec<_> = spans.into_values().collect();
        // Less than the history knows is the rest of what was removed.
        if is_all && spans.len() >= self.llm_call_spans.len() {
            spans.sort_by_key(|span| span.start_time);
            spans.truncate(MARKS_MAX);
            self.llm_call_spans = spans;
        }
        Ok(())
    }
}

/// What is read of a debug event about a call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    request_id: Option<String>,
    model: Option<String>,
    total_tokens: Option<u64>,
}

/// Whether an event of this name tells that something went wrong, or that a person is needed.
fn is_error(kind: &str) -> bool {
    kind.ends_with(".failed") || kind.contains("error") || kind.starts_with("escalation.created")
}
