//! A client that follows everything that happens in a home, whatever becomes of its connection, and at the
//! end is compared with the log (I3).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pb_runtime::{Home, Tasks};
use pb_store::{Cursor, EventRecord};
use tokio::time::{Instant, sleep};

use crate::Tally;
use crate::follower::{Asked, Follower, Frame, Rebased, Told};
use crate::observe::Applied;

/// Pause before it looks for a gateway again.
const RETRY: Duration = Duration::from_millis(20);

/// The client. It ends with the tasks that it was spawned on.
#[derive(Debug, Clone, Default)]
pub struct Watcher {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    cursor: Option<String>,
    applied: Applied,
    events: Vec<Event>,
    connections: u64,
    tally: Tally,
}

/// An event, as it came.
#[derive(Debug)]
struct Event {
    pos: u64,
    seq: Option<u64>,
    kind: String,
    data: String,
}

impl Watcher {
    /// Begins to follow.
    pub fn spawn(home: &Home, tasks: &Tasks) -> Self {
        let watcher = Self::default();
        tasks.spawn("watcher", follow(home.clone(), watcher.clone()));
        watcher
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it has the event at `pos`, or the time is up.
    pub async fn has(&self, pos: u64, at_most: Duration) -> bool {
        let deadline = Instant::now() + at_most;
        while self.seen().applied.highest() < pos {
            if Instant::now() > deadline {
                return false;
            }
            sleep(Duration::from_millis(5)).await; // wait: the other end of a socket is another process
        }
        true
    }

    /// Compares what came with the log.
    pub fn audit(&self, log: &[EventRecord], whose: &str, tally: &mut Tally) {
        let mut seen = self.seen();
        for event in &seen.events {
            let stands = usize::try_from(event.pos).ok().and_then(|pos| log.get(pos.checked_sub(1)?));
            let is_same = stands.is_some_and(|stands| {
                Some(stands.seq) == event.seq && stands.kind == event.kind && stands.data == event.data
            });
            if !is_same {
                tally.fail(format_args!("{whose}: I3: what came is not what stands in the log: {event:?}"));
            }
        }
        seen.applied.audit(1..=log.len() as u64, tally);
        tally.count("delivered", seen.events.len() as u64);
        tally.count("connections", seen.connections);
        tally.add(std::mem::take(&mut seen.tally));
    }
}

impl Seen {
    fn take(&mut self, frame: &Frame<'_>) {
        if let Some(cursor) = frame.cursor {
            self.cursor = Some(cursor.to_owned());
        }
        if frame.r#type != "event" {
            return;
        }
        let Some(cursor) = frame.cursor.and_then(|cursor| cursor.parse::<Cursor>().ok()) else {
            return self.tally.fail(format_args!("an event without a cursor: {frame:?}"));
        };
        self.applied.apply(cursor.pos);
        self.events.push(Event {
            pos: cursor.pos,
            seq: frame.seq,
            kind: frame.event.as_deref().unwrap_or_default().to_owned(),
            data: frame.data.map_or("", |data| data.get()).to_owned(),
        });
    }
}

async fn follow(home: Home, watcher: Watcher) {
    loop {
        let after = watcher.seen().cursor.clone().unwrap_or_else(|| "start".to_owned());
        match Follower::connect(&home, &Asked { after, ..Asked::default() }).await {
            Ok(follower) => read(follower, &watcher).await,
            Err(error) if error.is::<Rebased>() => watcher.seen().tally.fail(error),
            Err(_) => {}
        }
        sleep(RETRY).await; // wait: a gateway that is killed rings no bell
    }
}

async fn read(mut follower: Follower, watcher: &Watcher) {
    watcher.seen().connections += 1;
    while let Told::Frame(text) = follower.next().await {
        match follower.read(&text) {
            Ok(Some(frame)) => watcher.seen().take(&frame),
            Ok(None) => {}
            Err(error) => watcher.seen().tally.fail(format_args!("no frame: {error}: {text}")),
        }
    }
}
