//! How everything stands in a goal that is played, and what is told of each event.

use std::mem;
use std::sync::Arc;

use pb_store::{EventRecord, LogIdentity};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::replay::{Change, FoldError, Folded, ReplayEvent, changes};

/// How everything stood after the last event that was played.
#[derive(Debug)]
pub(super) struct Stage {
    log: Option<LogIdentity>,
    folded: Folded,
    /// The same as it was told.
    view: Arc<Value>,
}

/// An event with how everything stood after it, and what that changed.
#[derive(Debug, Serialize)]
pub(in crate::api) struct Scene {
    /// Null before the first one.
    event: Option<ReplayEvent>,
    #[serde(serialize_with = "shared")]
    state: Arc<Value>,
    diff: Vec<Change>,
}

impl Stage {
    /// Before the first event of a goal in this log.
    pub(super) fn empty(log: Option<LogIdentity>) -> Self {
        let folded = Folded::default();
        Self { log, view: Arc::new(folded.view()), folded }
    }

    /// Plays events, in their order. Takes as long as the goal is large: not for a thread that others wait for.
    ///
    /// # Errors
    /// One is no event.
    pub(super) fn play(&mut self, records: Vec<EventRecord>) -> Result<Vec<Scene>, FoldError> {
        let play = |record| {
            self.folded.take(&record)?;
            Ok(self.scene(Some(record)))
        };
        records.into_iter().map(play).collect()
    }

    /// Goes to where everything stood as in `folded`, after `last`. Takes as long as [`Self::play`].
    pub(super) fn go_to(&mut self, folded: Folded, last: Option<EventRecord>) -> Scene {
        self.folded = folded;
        self.scene(last)
    }

    fn scene(&mut self, record: Option<EventRecord>) -> Scene {
        let before = mem::replace(&mut self.view, Arc::new(self.folded.view()));
        Scene {
            event: record.and_then(|record| ReplayEvent::of(record, self.log.as_ref())),
            diff: changes(&before, &self.view),
            state: Arc::clone(&self.view),
        }
    }
}

fn shared<S: Serializer>(value: &Arc<Value>, to: S) -> Result<S::Ok, S::Error> {
    value.as_ref().serialize(to)
}
