//! `GET /api/metrics`: what debug events sum up to, by windows of five minutes.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use pb_store::TraceCount;
use serde::{Deserialize, Serialize};

use super::LOOK_MAX;
use super::answer::Refused;
use super::events::trace;
use crate::hub::Hub;

/// A window, in milliseconds.
const WINDOW_MS: u64 = 300_000;
/// Most windows that are told: the latest of them.
const WINDOWS_MAX: usize = 1_000;
/// What a goal that came is called.
const SUBMITTED: &str = "scheduler.goal.submitted";
/// What a call of a tool is called.
const TOOL_INVOKED: &str = "tool.invoke";

/// The query.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Asked {
    start_time: Option<u64>,
    end_time: Option<u64>,
}

/// The sums.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    /// Windows that are over, the first one first.
    metrics: Vec<Window>,
    /// The window that is not.
    current: Window,
    /// Whether there is more than is told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

#[derive(Debug, Default, Serialize)]
struct Window {
    #[serde(rename = "windowStart")]
    since: u64,
    #[serde(rename = "windowEnd")]
    until: u64,
    data: Sums,
}

/// What the events of a time sum up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sums {
    /// By whole name, and by its part before the first dot.
    pub(crate) event_counts: BTreeMap<String, u64>,
    pub(crate) llm_tokens: Tokens,
    pub(crate) tool_invocations: u64,
    pub(crate) goal_stats: GoalStats,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tokens {
    pub(crate) input: u64,
    pub(crate) output: u64,
    pub(crate) total: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct GoalStats {
    pub(crate) created: u64,
    pub(crate) completed: u64,
    /// Those that failed or were cancelled.
    pub(crate) failed: u64,
}

impl Tokens {
    pub(crate) fn add(&mut self, input: u64, output: u64) {
        self.input += input;
        self.output += output;
        self.total += input + output;
    }
}

impl Sums {
    /// Counts events of a name.
    pub(crate) fn count(&mut self, kind: &str, events: u64) {
        *self.event_counts.entry(kind.to_owned()).or_default() += events;
        if let Some((domain, _)) = kind.split_once('.') {
            *self.event_counts.entry(domain.to_owned()).or_default() += events;
        }
    }

    fn add(&mut self, count: &TraceCount) {
        self.count(&count.kind, count.events);
        self.llm_tokens.add(count.input_tokens, count.output_tokens);
        self.goal_stats.completed += count.goals_completed;
        self.goal_stats.failed += count.goals_failed;
        match count.kind.as_str() {
            SUBMITTED => self.goal_stats.created += count.events,
            TOOL_INVOKED => self.tool_invocations += count.events,
            _ => {}
        }
    }
}

pub(super) async fn metrics(
    State(hub): State<Arc<Hub>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Told>, Refused> {
    let Query(asked) = asked?;
    let now_ms = hub.clock.now_ms();
    let (since, until) = (asked.start_time.unwrap_or(0), asked.end_time.unwrap_or(now_ms));
    let current_ms = now_ms / WINDOW_MS * WINDOW_MS;
    let (mut windows, mut is_all) = (BTreeMap::<u64, Sums>::new(), true);
    if let Some((trace, _)) = trace(&hub).await? {
        let (counts, all) =
            trace.counts((since.min(current_ms), until.max(now_ms), WINDOW_MS), LOOK_MAX).await?;
        is_all = all;
        for count in &counts {
            windows.entry(count.since_ms).or_default().add(count);
        }
    }
    let window = |(since, data)| Window { since, until: since + WINDOW_MS, data };
    let current = windows.remove(&current_ms).unwrap_or_default();
    let is_asked = |start: &u64| *start + WINDOW_MS > since && *start <= until;
    let asked: Vec<_> = windows.into_iter().filter(|(start, _)| is_asked(start)).collect();
    let too_many = asked.len().saturating_sub(WINDOWS_MAX);
    Ok(Json(Told {
        metrics: asked.into_iter().skip(too_many).map(window).collect(),
        current: Window { since: current_ms, until: now_ms, data: current },
        truncated: !is_all || too_many > 0,
    }))
}
