//! The task that writes what is told: a batch each 50 ms.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pb_protocol::debug::DebugEvent;
use pb_runtime::config::Trace as Settings;
use pb_store::TraceEvent;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::began::Began;
use super::data::Data;
use super::tracer::Waiting;
use super::writer::Writer;
use super::{About, Note, What};
use crate::link::Link;
use crate::service::Config;

/// Most events written at once.
const BATCH_MAX: usize = 1024;
/// How long events wait for company. Meanwhile the task sleeps: nobody who tells has to wake it.
const BATCH_EVERY: Duration = Duration::from_millis(50);
/// How often it is looked for what is not to be kept.
const TIDY_EVERY: Duration = Duration::from_secs(5);
/// Pause between two removals while there is more to be removed.
const TIDY_PAUSE: Duration = Duration::from_millis(10);

/// The other end of a tracer.
#[derive(Debug)]
pub(crate) struct TraceTask {
    config: Config,
    keep: Settings,
    link: Link,
    notes: mpsc::Receiver<Note>,
    waiting: Arc<Waiting>,
    began: Began,
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
        sleep_until(written_at + BATCH_EVERY).await;
        task.gather(&mut batch);
        task.write(&mut writer, &mut batch).await;
        // More may be there already: then nobody waits for company.
        if task.notes.is_empty() {
            written_at = Instant::now();
        }
    }
    task.notes.close();
    while task.notes.recv_many(&mut batch, BATCH_MAX).await > 0 {
        task.write(&mut writer, &mut batch).await;
    }
    writer.close().await;
}

impl TraceTask {
    pub(super) fn new(
        config: Config,
        keep: Settings,
        link: Link,
        (notes, waiting): (mpsc::Receiver<Note>, Arc<Waiting>),
    ) -> Self {
        let began = Began::at(config.clock.now_ms());
        Self { config, keep, link, notes, waiting, began }
    }

    /// Takes what has come meanwhile.
    fn gather(&mut self, batch: &mut Vec<Note>) {
        while batch.len() < BATCH_MAX
            && let Ok(note) = self.notes.try_recv()
        {
            batch.push(note);
        }
    }

    /// Writes the batch, then tells the gateway. What cannot be written is counted.
    async fn write(&mut self, writer: &mut Writer, batch: &mut Vec<Note>) {
        let dropped = self.waiting.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let at_ms = self.config.clock.now_ms();
            batch.push(Note { at_ms, about: About::default(), what: What::Dropped { count: dropped } });
        }
        let count = batch.len() as u64;
        let bytes = batch.iter().map(|note| note.what.weight()).sum();
        let events: Arc<[TraceEvent]> = batch.drain(..).map(|note| self.event(note)).collect();
        self.waiting.bytes.fetch_sub(bytes, Ordering::Relaxed);
        let Some(first) = writer.write(Arc::clone(&events)).await else {
            // The note about those that were dropped before is lost as well: its number is not.
            let lost = count - u64::from(dropped > 0) + dropped;
            self.waiting.dropped.fetch_add(lost, Ordering::Relaxed);
            return;
        };
        // The gateway reads the file: one bell for all of them.
        if let Some((pos, event)) = (first..).zip(&*events).last() {
            self.link.debug(|| on_the_link(event, pos));
        }
    }

    fn event(&mut self, note: Note) -> TraceEvent {
        let Note { at_ms, about, mut what } = note;
        self.began.note(at_ms, &about, &mut what);
        let kind = what.kind();
        let (goal, item, run) = (
            about.goal_id().map(|goal| goal.to_string()),
            about.item.map(|item| item.to_string()),
            about.run.map(|run| run.to_string()),
        );
        let mut data = Data::new(self.keep.content);
        if kind.has_ids {
            data.put_id("goalId", goal.as_deref());
            data.put_id("workItemId", item.as_deref());
            data.put_id("runId", run.as_deref());
            data.put_id("sessionId", about.session_id());
            data.put_id("scheduleId", about.schedule_id());
        }
        what.put_into(&mut data);
        TraceEvent {
            id: self.config.ids.uuid().to_string(),
            at_ms,
            kind: kind.name.to_owned(),
            source: kind.source.to_owned(),
            goal,
            item,
            run,
            step: about.step_id(),
            span: about.span(),
            parent: about.parent(),
            data: data.finish(),
        }
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
