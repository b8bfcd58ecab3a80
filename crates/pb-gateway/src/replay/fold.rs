//! Folding up to a moment, and how what comes of it is told.

use std::collections::BTreeMap;

use pb_model::GoalId;
use pb_model::goal::{Event, GoalState, evolve};
use pb_protocol::RpcError;
use pb_protocol::domain::{Artifact, Escalation, Goal, Run, WorkItem};
use pb_store::{Cursor, EventRecord, GoalEventFilter, LogIdentity, LogReader};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::api::Sums;

/// Events read and folded at once: some milliseconds, between which others are served.
const PAGE_EVENTS: usize = 256;
/// Who tells the events of a goal's history.
const SOURCE: &str = "scheduler";

/// Why a history cannot be folded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FoldError {
    /// What happened then is not kept.
    #[error(
        "the history of {goal} before its event {first_seq} was compacted; its rows, evidence and cost are kept"
    )]
    Compacted {
        /// The goal.
        goal: GoalId,
        /// The number of the first event that is kept.
        first_seq: u64,
    },
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Store(#[from] pb_store::Error),
    /// What stands in the log is no event.
    #[error("the event {seq} cannot be understood: it was written by a later version, or is damaged")]
    NoEvent {
        /// Its number.
        seq: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// How far is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Up to the first event that happened after this moment.
    Time(u64),
    /// Up to this position of the log.
    Pos(u64),
    /// Up to this number in the goal.
    Seq(u64),
}

impl Until {
    fn has(self, record: &EventRecord) -> bool {
        match self {
            Self::Time(at_ms) => record.at_ms <= at_ms,
            Self::Pos(pos) => record.pos <= pos,
            Self::Seq(seq) => record.seq <= seq,
        }
    }
}

/// Where a cursor of the log leads to.
///
/// # Errors
/// It is none of this log.
pub(crate) async fn at_cursor(log: &LogReader, text: &str) -> Result<Until, RpcError> {
    let told = "it is neither a time in milliseconds nor a cursor of an event of this log";
    let cursor: Cursor = text.parse().map_err(|_| RpcError::invalid_params(told))?;
    let identity = log.identity().await.map_err(RpcError::internal)?;
    let is_ours = identity.is_some_and(|identity| cursor.is_of(&identity));
    is_ours.then_some(Until::Pos(cursor.pos)).ok_or_else(|| RpcError::invalid_params(told))
}

/// What the events of a goal up to a moment fold into.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folded {
    /// The rows; `None` before the goal was made.
    pub(crate) state: Option<GoalState>,
    /// How many events were folded.
    pub(crate) events: u64,
    /// The number of the last of them, its place in the log, and its time.
    pub(crate) seq: u64,
    pub(crate) pos: u64,
    pub(crate) at_ms: u64,
    /// What the events sum up to.
    pub(crate) sums: Sums,
    /// Calls of models that have begun and not ended, by run and place in its journal.
    calls: BTreeMap<String, OpenCall>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct OpenCall {
    model: String,
    since_ms: u64,
}

impl Folded {
    /// Takes the next event; gives it.
    ///
    /// # Errors
    /// It is no event.
    pub(crate) fn take(&mut self, record: &EventRecord) -> Result<Event, FoldError> {
        let event: Event = serde_json::from_str(&record.body)
            .map_err(|source| FoldError::NoEvent { seq: record.seq, source })?;
        self.count(&event, record);
        self.state = evolve(self.state.take(), &event, record.at_ms);
        (self.events, self.seq) = (self.events + 1, record.seq);
        (self.pos, self.at_ms) = (record.pos, record.at_ms);
        Ok(event)
    }

    fn count(&mut self, event: &Event, record: &EventRecord) {
        self.sums.count(&record.kind, 1);
        match event {
            Event::GoalCreated { .. } => self.sums.goal_stats.created += 1,
            Event::GoalCompleted { .. } => self.sums.goal_stats.completed += 1,
            Event::GoalFailed { .. } | Event::GoalCancelled { .. } => self.sums.goal_stats.failed += 1,
            Event::ToolCompleted { .. } => self.sums.tool_invocations += 1,
            Event::ModelRequested { model, reservation, .. } => {
                let call = OpenCall { model: model.clone(), since_ms: record.at_ms };
                self.calls.insert(format!("{}.{}", reservation.run, reservation.n), call);
            }
            Event::ModelAnswered { run, n, used, .. } => {
                self.calls.remove(&format!("{run}.{n}"));
                if let Some(used) = used {
                    self.sums.llm_tokens.add(used.input_tokens, used.output_tokens);
                }
            }
            Event::ModelFailed { run, n, .. } => {
                self.calls.remove(&format!("{run}.{n}"));
            }
            // The rest are counted by their names.
            _ => {}
        }
    }

    /// As it is told: goal, items, runs, sums, and what models were doing.
    pub(crate) fn view(&self) -> Value {
        let state = self.state.as_ref();
        let tokens = self.sums.llm_tokens;
        let calls = self.calls.iter();
        let calls =
            calls.map(|(id, call)| json!({"id": id, "model": call.model, "startTime": call.since_ms}));
        json!({
            "goal": state.map(|state| Goal::from(&state.goal)),
            "workItems": state.map(items).unwrap_or_default(),
            "runs": state.map(runs).unwrap_or_default(),
            "artifacts": state.map(artifacts).unwrap_or_default(),
            "escalations": state.map(escalations).unwrap_or_default(),
            "metrics": self.sums,
            "llmContext": {
                "activeRequests": calls.collect::<Vec<_>>(),
                "totalTokens": {"input": tokens.input, "output": tokens.output},
            },
        })
    }
}

fn items(state: &GoalState) -> Vec<WorkItem> {
    state.items.iter().map(|item| WorkItem::of(item, state)).collect()
}

fn runs(state: &GoalState) -> Vec<Run> {
    state.runs.iter().map(|run| Run::of(run, state)).collect()
}

fn artifacts(state: &GoalState) -> Vec<Artifact> {
    state.artifacts.iter().map(Artifact::from).collect()
}

fn escalations(state: &GoalState) -> Vec<Escalation> {
    state.escalations.iter().map(Escalation::from).collect()
}

/// Refuses a goal of which events are not kept.
///
/// # Errors
/// It was compacted.
pub(crate) async fn unless_compacted(log: &LogReader, goal: GoalId) -> Result<(), FoldError> {
    match log.goal_history(goal).await? {
        Some(history) if history.first_seq > 1 => {
            Err(FoldError::Compacted { goal, first_seq: history.first_seq })
        }
        Some(_) | None => Ok(()),
    }
}

/// Folds the events of a goal up to a moment.
///
/// # Errors
/// What happened then was compacted, or cannot be read.
pub(crate) async fn fold(log: &LogReader, goal: GoalId, until: Until) -> Result<Folded, FoldError> {
    let mut folded = Folded::default();
    walk(log, goal, |record| {
        if !until.has(&record) {
            return Ok(false);
        }
        folded.take(&record)?;
        Ok(true)
    })
    .await?;
    // Of a compacted goal the first event that is kept tells how everything stood, and nothing before it does.
    if folded.state.is_none() {
        unless_compacted(log, goal).await?;
    }
    Ok(folded)
}

/// How everything stood before and after one event; `None` if the goal has none of this id.
///
/// # Errors
/// It was compacted, or cannot be read.
pub(crate) async fn around(
    log: &LogReader,
    goal: GoalId,
    event: &str,
) -> Result<Option<(Folded, Folded)>, FoldError> {
    unless_compacted(log, goal).await?;
    let (mut folded, mut before) = (Folded::default(), None);
    walk(log, goal, |record| {
        if record.id == event {
            before = Some(folded.clone());
        }
        folded.take(&record)?;
        Ok(before.is_none())
    })
    .await?;
    Ok(before.map(|before| (before, folded)))
}

/// Gives the events of a goal in their order, until `take` has enough.
pub(super) async fn walk(
    log: &LogReader,
    goal: GoalId,
    mut take: impl FnMut(EventRecord) -> Result<bool, FoldError>,
) -> Result<(), FoldError> {
    let mut after = 0;
    loop {
        let page = log.goal_events(GoalEventFilter::after(goal, after), PAGE_EVENTS).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        for record in page {
            if !take(record)? {
                return Ok(());
            }
        }
        tokio::task::yield_now().await;
    }
}

/// An event of a goal's history as it is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplayEvent {
    id: String,
    timestamp: u64,
    r#type: String,
    source: &'static str,
    data: Box<RawValue>,
    goal_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    work_item_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
    /// Its number in the goal.
    seq: u64,
    /// Its place in the log, as `events.subscribe` takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

impl ReplayEvent {
    /// `None` if what was stored is no JSON, which we never write.
    pub(crate) fn of(record: EventRecord, log: Option<&LogIdentity>) -> Option<Self> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Ids {
            work_item_id: Option<String>,
            run_id: Option<String>,
        }
        let ids: Ids = serde_json::from_str(&record.data).unwrap_or_default();
        Some(Self {
            id: record.id,
            timestamp: record.at_ms,
            r#type: record.kind,
            source: SOURCE,
            data: RawValue::from_string(record.data).ok()?,
            goal_id: record.goal,
            work_item_id: ids.work_item_id,
            run_id: ids.run_id,
            seq: record.seq,
            cursor: log.map(|log| Cursor::at(log, record.pos).to_string()),
        })
    }
}
