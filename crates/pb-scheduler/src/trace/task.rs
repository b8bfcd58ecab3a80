//! The task that writes what is told: a batch each 100 ms, or when there are many.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pb_protocol::debug::DebugEvent;
use pb_runtime::Ids;
use pb_runtime::config::Trace as Settings;
use pb_store::TraceEvent;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::writer::Writer;
use super::{About, Note, What};
use crate::link::Link;
use crate::service::Config;

/// Most events written at once.
const BATCH_MAX: usize = 512;
/// How long events wait for company.
const BATCH_EVERY: Duration = Duration::from_millis(100);
/// How often it is looked for what is not to be kept.
const TIDY_EVERY: Duration = Duration::from_secs(5);
/// Pause between two removals while there is more to be removed.
const TIDY_PAUSE: Duration = Duration::from_millis(10);

/// The other end of a tracer.
#[derive(Debug)]
pub(crate) struct TraceTask {
    pub(super) config: Config,
    pub(super) keep: Settings,
    pub(super) link: Link,
    pub(super) notes: mpsc::Receiver<Note>,
    /// How many notes were dropped since that was last written.
    pub(super) dropped: Arc<AtomicU64>,
}

/// Writes until `stop`, and then what still waits.
pub(crate) async fn run(mut task: TraceTask, stop: CancellationToken) {
    let mut writer = Writer::new(task.config.clone(), task.keep);
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let (mut written_at, mut tidy_at) = (Instant::now(), Instant::now() + TIDY_EVERY);
    loop {
        tokio::select! {
            count = task.notes.recv_many(&mut batch, BATCH_MAX) => if count == 0 { break },
            () = sleep_until(tidy_at) => {
                let pause = if writer.tidy(&task.config.clock).await { TIDY_PAUSE } else { TIDY_EVERY };
                tidy_at = Instant::now() + pause;
                continue;
            }
            () = stop.cancelled() => break,
        }
        task.gather(&mut batch, written_at + BATCH_EVERY).await;
        task.write(&mut writer, &mut batch).await;
        written_at = Instant::now();
    }
    task.notes.close();
    while task.notes.recv_many(&mut batch, BATCH_MAX).await > 0 {
        task.write(&mut writer, &mut batch).await;
    }
    writer.close().await;
}

impl TraceTask {
    /// Waits for company, until `deadline` or until there are enough.
    async fn gather(&mut self, batch: &mut Vec<Note>, deadline: Instant) {
        while batch.len() < BATCH_MAX {
            let room = BATCH_MAX - batch.len();
            match timeout_at(deadline, self.notes.recv_many(batch, room)).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
    }

    /// Writes the batch, then tells the gateway. What cannot be written is counted.
    async fn write(&mut self, writer: &mut Writer, batch: &mut Vec<Note>) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let at_ms = self.config.clock.now_ms();
            batch.push(Note { at_ms, about: About::default(), what: What::Dropped { count: dropped } });
        }
        let count = batch.len() as u64;
        let ids = &self.config.ids;
        let events: Arc<[TraceEvent]> = batch.drain(..).map(|note| event(note, ids)).collect();
        let Some(first) = writer.write(Arc::clone(&events)).await else {
            // The note about those that were dropped before is lost as well: its number is not.
            let lost = count - u64::from(dropped > 0) + dropped;
            self.dropped.fetch_add(lost, Ordering::Relaxed);
            return;
        };
        for (pos, event) in (first..).zip(&*events) {
            self.link.debug(|| on_the_link(event, pos));
        }
    }
}

fn event(note: Note, ids: &Ids) -> TraceEvent {
    let Note { at_ms, about, what } = note;
    TraceEvent {
        id: ids.uuid().to_string(),
        at_ms,
        kind: what.name().to_owned(),
        source: what.source().to_owned(),
        goal: about.goal.map(|goal| goal.to_string()),
        item: about.item.map(|item| item.to_string()),
        run: about.run.map(|run| run.to_string()),
        step: about.step_id(),
        span: about.span(),
        parent: about.parent(),
        data: what.data(&about).to_string(),
    }
}

fn on_the_link(event: &TraceEvent, pos: u64) -> Option<DebugEvent> {
    Some(DebugEvent {
        id: event.id.clone(),
        timestamp: event.at_ms,
        r#type: event.kind.clone(),
        source: event.source.clone(),
        data: RawValue::from_string(event.data.clone()).ok()?,
        goal_id: event.goal.clone(),
        work_item_id: event.item.clone(),
        run_id: event.run.clone(),
        step_id: event.step.clone(),
        span_id: event.span.clone(),
        parent_span_id: event.parent.clone(),
        pos: Some(pos),
    })
}
