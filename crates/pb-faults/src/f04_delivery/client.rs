//! One of the clients: it reads, loses its connection at random, and goes on from its own cursor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pb_runtime::Home;
use pb_store::Cursor;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use super::numbering::{self, Data};
use crate::Tally;
use crate::follower::{Asked, Follower, Frame, Rebased, Told};
use crate::observe::Applied;

/// Pause before a client looks for a gateway again.
const RETRY: Duration = Duration::from_millis(20);
/// How long a connection lives at most, in milliseconds.
const CONNECTION_MS_MAX: u64 = 1_500;
/// How long a client that stops reading does so at most, in milliseconds.
const STALL_MS_MAX: u64 = 400;

/// What all clients together have got, for those who watch.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) deliveries: AtomicU64,
    pub(super) connections: AtomicU64,
    /// How many clients have everything.
    pub(super) finished: AtomicU64,
}

/// A client.
pub(super) struct Client {
    home: Home,
    rng: StdRng,
    /// The goal that it follows; all without.
    goal: Option<u64>,
    /// The position at which the log will end.
    events: u64,
    cursor: String,
    applied: Applied,
    progress: Arc<Progress>,
    tally: Tally,
}

impl Client {
    pub(super) fn new(
        home: Home,
        seed: u64,
        goal: Option<u64>,
        events: u64,
        progress: Arc<Progress>,
    ) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        let (cursor, applied) = ("start".to_owned(), Applied::default());
        Self { home, rng, goal, events, cursor, applied, progress, tally: Tally::default() }
    }

    /// Follows until it has everything or the deadline of all is over, and says what it counted.
    pub(super) async fn run(mut self, deadline: impl Fn() -> Option<Instant>) -> Tally {
        while self.applied.count() < self.expected() && deadline().is_none_or(|at| Instant::now() < at) {
            let kinds = self.goal.map(|goal| vec![numbering::kind(goal)]);
            let asked = Asked { after: self.cursor.clone(), kinds, receive_buffer: None, token: None };
            match Follower::connect(&self.home, &asked).await {
                Ok(follower) => self.follow(follower).await,
                Err(error) if error.is::<Rebased>() => self.tally.fail(error),
                Err(_) => {}
            }
            tokio::time::sleep(RETRY).await; // wait: a gateway that is killed rings no bell
        }
        self.progress.finished.fetch_add(1, Ordering::Relaxed);
        let events = self.events;
        let goal = self.goal;
        let of_goal = |pos: &u64| goal.is_none_or(|goal| numbering::goal_number(*pos) == goal);
        self.applied.audit((1..=events).filter(of_goal), &mut self.tally);
        self.tally
    }

    fn expected(&self) -> u64 {
        match self.goal {
            None => self.events,
            Some(goal) => (1..=self.events)
                .rev()
                .find(|pos| numbering::goal_number(*pos) == goal)
                .map_or(0, numbering::seq),
        }
    }

    /// Reads until the connection ends, by itself or by our own doing.
    async fn follow(&mut self, mut follower: Follower) {
        self.progress.connections.fetch_add(1, Ordering::Relaxed);
        let expected = self.expected();
        let ends = Instant::now() + Duration::from_millis(self.rng.random_range(1..CONNECTION_MS_MAX));
        let stalls = self.rng.random_range(0..4) == 0;
        while self.applied.count() < expected {
            tokio::select! {
                told = follower.next() => match told {
                    Told::Frame(text) => match follower.read(&text) {
                        Ok(Some(frame)) => self.take(&frame),
                        Ok(None) => {}
                        Err(error) => self.tally.fail(format_args!("no frame: {error}: {text}")),
                    },
                    Told::Closed(_) => return,
                },
                () = tokio::time::sleep_until(ends) => break,
            }
        }
        if stalls {
            let pause = Duration::from_millis(self.rng.random_range(0..STALL_MS_MAX));
            tokio::time::sleep(pause).await; // What comes meanwhile is never read.
        }
        if self.rng.random_bool(0.5) {
            follower.close().await;
        }
    }

    fn take(&mut self, frame: &Frame<'_>) {
        if let Some(cursor) = frame.cursor {
            cursor.clone_into(&mut self.cursor);
        }
        match frame.r#type {
            "event" => self.apply(frame),
            "cursor" => {}
            other => self.tally.fail(format_args!("a frame of type {other}")),
        }
    }

    fn apply(&mut self, frame: &Frame<'_>) {
        let data = frame.data.and_then(|data| serde_json::from_str::<Data>(data.get()).ok());
        let Some(Data { goal_id, n }) = data.filter(|data| data.n > 0 && data.n <= self.events) else {
            return self.tally.fail(format_args!("an event that nobody committed: {frame:?}"));
        };
        let number = numbering::goal_number(n);
        let kind = numbering::kind(number);
        let is_whole = frame.seq == Some(numbering::seq(n))
            && goal_id == numbering::goal(number).to_string()
            && frame.event.as_deref() == Some(kind.as_str())
            && self.goal.is_none_or(|goal| goal == number);
        if !is_whole {
            self.tally.fail(format_args!("event {n} came as {frame:?}"));
        }
        let stands_at =
            frame.cursor.and_then(|cursor| cursor.parse::<Cursor>().ok()).map(|cursor| cursor.pos);
        if stands_at != Some(n) {
            self.tally.fail(format_args!("the cursor of event {n} says {stands_at:?}"));
        }
        self.applied.apply(n);
        self.progress.deliveries.fetch_add(1, Ordering::Relaxed);
    }
}
