//! A goal played again: its events in their order, as fast as they came or faster, each with how everything stood
//! after it and what it changed.

mod stage;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pb_model::GoalId;
use pb_protocol::RpcError;
use pb_store::{EventRecord, GoalEventFilter, LogReader};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{Instant, sleep_until};

use super::live::Told;
use crate::hub::Hub;
use crate::methods::goal::resolve;
use crate::replay::{FoldError, Until, fold, unless_compacted};
use crate::websocket::json_frame;
pub(super) use stage::Scene;
use stage::Stage;

/// Goals that are played at once, for all clients: each keeps the state of its goal.
pub(crate) const PLAYERS_MAX: usize = 8;
/// Most events of one message.
const BATCH_MAX: usize = 10;
/// About how long a message of several events may be, in bytes: each has the state of its goal.
const BATCH_BYTES: usize = 256 * 1024;
/// What is due within so much time is sent together.
const BATCH_EVERY: Duration = Duration::from_millis(50);
/// Least time between two events.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// Longest time between two events: nobody watches a night.
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// The slowest and the fastest.
const SPEEDS: (f64, f64) = (0.01, 10_000.0);

/// What is asked of a player.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Command {
    Pause,
    Resume,
    /// To a moment, in milliseconds since 1970.
    Seek(u64),
    Forward,
    Backward,
    Speed(f64),
}

/// Why a goal cannot be played on.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlayError {
    #[error("{PLAYERS_MAX} goals are played already: send replay.stop for one")]
    TooMany,
    #[error("nothing is played: send replay.start with a goalId")]
    Nothing,
    #[error("Goal not found")]
    NoGoal,
    /// The goal cannot be told from others.
    #[error("{}", .0.message)]
    Unclear(#[from] RpcError),
    #[error(transparent)]
    Fold(#[from] FoldError),
    #[error("an event cannot be told: see the gateway's log")]
    Panicked(#[from] JoinError),
}

/// A goal that is played. One that failed is not played on.
#[derive(Debug)]
pub(super) struct Player {
    log: LogReader,
    goal: GoalId,
    /// How everything stands.
    stage: Stage,
    /// The number of the last event that was played.
    seq: u64,
    speed: f64,
    is_paused: bool,
    is_over: bool,
    /// The next event, if there is one already.
    next: Option<EventRecord>,
    /// When that is to be played.
    due: Instant,
    /// How long one event of the last message was, in bytes.
    scene_bytes: usize,
    _turn: OwnedSemaphorePermit,
}

impl Player {
    /// Begins to play a goal from its first event.
    ///
    /// # Errors
    /// There is no such goal, its history is not kept, or enough others are played.
    pub(super) async fn start(hub: &Hub, goal: &str, speed: f64) -> Result<Self, PlayError> {
        let turn = Arc::clone(&hub.players).try_acquire_owned().map_err(|_| PlayError::TooMany)?;
        let goal = resolve(hub, goal).await?;
        let log = hub.feed.reader().ok_or(PlayError::NoGoal)?;
        unless_compacted(&log, goal).await?;
        let identity = log.identity().await.map_err(FoldError::from)?;
        let mut player = Self {
            log,
            goal,
            stage: Stage::empty(identity),
            seq: 0,
            speed: 1.0,
            is_paused: false,
            is_over: false,
            next: None,
            due: Instant::now(),
            scene_bytes: 0,
            _turn: turn,
        };
        player.set_speed(speed);
        player.look().await?;
        if player.next.is_some() { Ok(player) } else { Err(PlayError::NoGoal) }
    }

    /// Waits until something is to be played; forever while nothing is.
    pub(super) async fn due(player: Option<&Self>) {
        match player.filter(|player| !player.is_paused && !player.is_over) {
            Some(player) => sleep_until(player.due).await,
            None => std::future::pending().await,
        }
    }

    /// Plays what is due; gives the message about it.
    ///
    /// # Errors
    /// The history cannot be read, or was compacted meanwhile.
    pub(super) async fn play(&mut self) -> Result<Bytes, PlayError> {
        let until = Instant::now() + BATCH_EVERY;
        let most = (BATCH_BYTES / self.scene_bytes.max(1)).clamp(1, BATCH_MAX);
        let mut records = Vec::new();
        while records.len() < most
            && self.due <= until
            && let Some(record) = self.advance().await?
        {
            records.push(record);
        }
        if records.is_empty() {
            self.is_over = true;
            return Ok(json_frame(&Told::Over { goal_id: self.goal }));
        }
        self.told(|stage| stage.play(records)).await
    }

    /// Does what is asked; gives what the client is told of it.
    ///
    /// # Errors
    /// As [`Self::play`].
    pub(super) async fn command(&mut self, command: Command) -> Result<Option<Bytes>, PlayError> {
        match command {
            Command::Pause => self.is_paused = true,
            Command::Resume => {
                (self.is_paused, self.is_over) = (false, false);
                self.due = Instant::now();
            }
            Command::Speed(speed) => self.set_speed(speed),
            Command::Seek(at_ms) => return self.go_to(Until::Time(at_ms)).await.map(Some),
            Command::Forward => {
                self.is_paused = true;
                self.due = Instant::now();
                // One event, whatever is due.
                self.scene_bytes = BATCH_BYTES;
                return self.play().await.map(Some);
            }
            Command::Backward => {
                self.is_paused = true;
                return self.go_to(Until::Seq(self.seq.saturating_sub(1))).await.map(Some);
            }
        }
        Ok(None)
    }

    /// Goes to another moment; tells the last event before it, with how everything stood.
    async fn go_to(&mut self, until: Until) -> Result<Bytes, PlayError> {
        let folded = fold(&self.log, self.goal, until).await?;
        self.seq = folded.seq;
        let last = match folded.seq.checked_sub(1) {
            Some(before) => self.event_after(before).await?,
            None => None,
        };
        self.look().await?;
        self.is_over = false;
        self.due = Instant::now();
        self.told(|stage| Ok(vec![stage.go_to(folded, last)])).await
    }

    /// The message about what `play` makes of the stage, on a thread that nobody waits for.
    async fn told(
        &mut self,
        play: impl FnOnce(&mut Stage) -> Result<Vec<Scene>, FoldError> + Send + 'static,
    ) -> Result<Bytes, PlayError> {
        let mut stage = mem::replace(&mut self.stage, Stage::empty(None));
        let work = move || {
            let scenes = play(&mut stage)?;
            let count = scenes.len();
            Ok::<_, FoldError>((stage, count, json_frame(&Told::played(scenes))))
        };
        let (stage, count, message) = spawn_blocking(work).await??;
        self.stage = stage;
        self.scene_bytes = message.len() / count.max(1);
        Ok(message)
    }

    /// The next event, if there is one, and when the one after it is due.
    async fn advance(&mut self) -> Result<Option<EventRecord>, FoldError> {
        if self.next.is_none() {
            // Of a goal that is not over there may be more by now.
            self.look().await?;
        }
        let Some(record) = self.next.take() else { return Ok(None) };
        self.seq = record.seq;
        self.look().await?;
        let pause = self.next.as_ref().map_or(0, |next| next.at_ms.saturating_sub(record.at_ms));
        let pause = Duration::from_millis(pause).div_f64(self.speed).clamp(PAUSE_MIN, PAUSE_MAX);
        let now = Instant::now();
        let earliest = now.checked_sub(BATCH_EVERY).unwrap_or(now);
        // Beside what is late already, so that a batch is not slower than its parts.
        self.due = self.due.max(earliest) + pause;
        Ok(Some(record))
    }

    async fn look(&mut self) -> Result<(), FoldError> {
        self.next = self.event_after(self.seq).await?;
        Ok(())
    }

    async fn event_after(&self, seq: u64) -> Result<Option<EventRecord>, FoldError> {
        Ok(self.log.goal_events(GoalEventFilter::after(self.goal, seq), 1).await?.pop())
    }

    /// What is waited for becomes nearer or farther with it.
    fn set_speed(&mut self, speed: f64) {
        if speed.is_finite() {
            let (before, now) = (self.speed, Instant::now());
            self.speed = speed.clamp(SPEEDS.0, SPEEDS.1);
            let left = self.due.saturating_duration_since(now).mul_f64(before / self.speed);
            self.due = now + left.min(PAUSE_MAX);
        }
    }
}
