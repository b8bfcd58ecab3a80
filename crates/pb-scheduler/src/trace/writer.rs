//! The file, opened when there is something to write and opened anew when it fails. Its trouble is told
//! once, and never anybody else's.

use std::sync::Arc;
use std::time::Duration;

use pb_runtime::config::Trace as Settings;
use pb_runtime::{Clock, process};
use pb_store::trace::Retention;
use pb_store::{Error, Trace, TraceEvent};
use tokio::time::Instant;

use crate::service::Config;

/// How long after a failure the file is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Writes the trace, as long as that works.
#[derive(Debug)]
pub(super) struct Writer {
    config: Config,
    keep: Settings,
    trace: Option<Trace>,
    /// Whether there may be events whose words are not in the index.
    is_unindexed: bool,
    retry_at: Instant,
    /// What was told about the trouble that there is.
    complaint: String,
}

impl Writer {
    pub(super) fn new(config: Config, keep: Settings) -> Self {
        Self {
            config,
            keep,
            trace: None,
            is_unindexed: true,
            retry_at: Instant::now(),
            complaint: String::new(),
        }
    }

    /// Writes events; gives the position of the first one, or `None` when they are lost.
    pub(super) async fn write(&mut self, events: Arc<[TraceEvent]>) -> Option<u64> {
        let mut written = self.append(&events).await;
        if matches!(written, Err(Error::Gone { .. })) {
            // Somebody deleted it, as anybody may: it is made anew at once.
            tracing::info!("the trace was removed; making a new one");
            self.close().await;
            written = self.append(&events).await;
        }
        match written {
            Ok(first) => {
                if first.is_some() && !std::mem::take(&mut self.complaint).is_empty() {
                    tracing::info!("the trace can be written again");
                }
                first
            }
            Err(error) => {
                self.failed(&error).await;
                None
            }
        }
    }

    /// Puts words into the index, and removes some of what is not to be kept; whether there may be more to do.
    pub(super) async fn tidy(&mut self, clock: &Clock) -> bool {
        let since_ms = clock.now_ms().saturating_sub(u64::from(self.keep.days).saturating_mul(DAY_MS));
        let retention = Retention { since_ms, bytes_max: self.keep.total_bytes };
        let Some(trace) = &self.trace else { return false };
        let is_unindexed = self.is_unindexed;
        let tidied = async {
            let indexed = if is_unindexed { trace.index().await? } else { 0 };
            Ok((indexed, trace.tidy(retention).await?))
        };
        match tidied.await {
            Ok((indexed, removed)) => {
                self.is_unindexed = indexed > 0;
                indexed + removed > 0
            }
            Err(error) => {
                self.failed(&error).await;
                false
            }
        }
    }

    /// Lets go of the file. That may copy its WAL back, which takes a while.
    pub(super) async fn close(&mut self) {
        if let Some(trace) = self.trace.take() {
            let _ = tokio::task::spawn_blocking(move || drop(trace)).await; // There is nothing to go wrong.
        }
    }

    /// `None` while the file is left alone.
    async fn append(&mut self, events: &Arc<[TraceEvent]>) -> Result<Option<u64>, Error> {
        self.is_unindexed = true;
        if self.trace.is_none() {
            if Instant::now() < self.retry_at {
                return Ok(None);
            }
            let fresh_id = self.config.ids.uuid().simple().to_string();
            self.trace = Some(Trace::open(self.config.home.trace_db(), fresh_id, process::boot_id()).await?);
        }
        match &self.trace {
            Some(trace) => trace.append(Arc::clone(events)).await.map(Some),
            None => Ok(None),
        }
    }

    async fn failed(&mut self, error: &Error) {
        let said = error.to_string();
        if said != self.complaint {
            tracing::warn!(
                %error,
                path = %self.config.home.trace_db().display(),
                "the trace cannot be written; going on without it, and trying again. It may be deleted: \
                 nothing but debug events is lost"
            );
            self.complaint = said;
        }
        self.retry_at = Instant::now() + RETRY_AFTER;
        self.close().await;
    }
}
