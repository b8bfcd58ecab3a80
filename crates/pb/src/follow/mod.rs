//! A goal, live: every event once, from its first one, across lost connections, to its end.
//!
//! ```text
//!   subscribe after the cursor ──▶ events ──ending event──▶ ask for the goal ──ended──▶ report
//!        ▲                           │                            │
//!        └──────connection lost──────┴────────it goes on──────────┘
//! ```

mod lines;
mod live;
mod payload;
mod turns;

use std::time::Duration;

use pb_protocol::client::Incoming;
use pb_protocol::domain::Goal;
use pb_protocol::frame::EventFrame;
use pb_protocol::methods::events::{Subscribe, SubscribeParams};
use pb_protocol::methods::goal::{GoalDetail, GoalIdParams, Status};
use pb_runtime::signals::StopSignals;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::commands::goal::plan;
use crate::connection::{Link, Patience};
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, report};

use lines::Lines;
use live::Live;

/// How often it is looked whether a scheduler runs at all.
const SCHEDULER_LOOK: Duration = Duration::from_secs(2);
/// The events after which a goal may be over.
const ENDING: [&str; 5] =
    ["goal.completed", "goal.failed", "goal.blocked", "goal.cancelled", "goal.compacted"];

/// How what happens is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Lines for people, and a report at the end.
    People,
    /// Lines for people, and the plan as a goal file at the end.
    Plan,
    /// One event a line, as JSON, and nothing else.
    Json,
}

impl Mode {
    /// The mode that `--json` asks for.
    pub(crate) fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::People }
    }
}

/// The first line about a goal.
pub(crate) fn heading(goal: &Goal) -> String {
    let (id, title) = (&goal.id, crate::format::line(&goal.title));
    format!("{}  {title}", output::styled(output::BOLD, id))
}

/// Follows a goal to its end. Ctrl-C ends the following, not the goal.
pub(crate) async fn follow(
    link: Link<'_>,
    goal: &Goal,
    mode: Mode,
    mut signals: StopSignals,
) -> Result<Exit, Failure> {
    let follower = Follower {
        link,
        goal_id: goal.id.clone(),
        mode,
        place: Place::default(),
        lines: Lines::default(),
        live: Live::default(),
        scheduler_runs: true,
    };
    tokio::select! {
        ended = follower.run() => ended,
        () = signals.next() => {
            output::note(format_args!("the goal goes on; follow it with: pb goal watch {}", goal.id));
            Ok(Exit::Detached)
        }
    }
}

/// How far the history was seen.
#[derive(Debug, Default)]
struct Place {
    cursor: Option<String>,
    generation: Option<u64>,
    seq: u64,
}

impl Place {
    /// Moves on to a frame; whether it is new. A gateway that was restored from a backup has
    /// another generation, and counts anew.
    fn moved_to(&mut self, frame: &EventFrame) -> bool {
        if frame.generation != self.generation {
            self.generation = frame.generation;
            self.seq = 0;
        }
        let Some(seq) = frame.seq else {
            return true; // Not from the log: it is sent once.
        };
        if seq <= self.seq {
            return false;
        }
        self.seq = seq;
        self.cursor.clone_from(&frame.cursor);
        true
    }
}

struct Follower<'h> {
    link: Link<'h>,
    goal_id: String,
    mode: Mode,
    place: Place,
    lines: Lines,
    live: Live,
    scheduler_runs: bool,
}

impl Follower<'_> {
    async fn run(mut self) -> Result<Exit, Failure> {
        loop {
            let seen = match self.subscribe().await? {
                Some(subscription) => self.events(&subscription).await?,
                None => Events::MayBeOver,
            };
            if seen == Events::MayBeOver {
                let params = GoalIdParams { goal_id: self.goal_id.clone() };
                let detail = self.link.call::<Status>(&params).await?;
                if report::is_over(&detail.goal) {
                    return self.finish(detail).await;
                }
            }
        }
    }

    /// Subscribes from where we are; `None` when the history cannot be continued from there.
    async fn subscribe(&mut self) -> Result<Option<String>, Failure> {
        let params = SubscribeParams {
            goal_id: Some(self.goal_id.clone()),
            after: Some(self.place.cursor.clone().unwrap_or_else(|| "start".to_owned())),
            kinds: None,
            deltas: self.mode != Mode::Json && self.live.is_on(),
        };
        let subscribed = self.link.call::<Subscribe>(&params).await?;
        if subscribed.rebase_required {
            // The log is another one than before, or its start was compacted away.
            output::note("the history cannot be continued from here; what follows is from now on");
            self.place = Place { cursor: Some(subscribed.cursor), ..Place::default() };
            return Ok(None);
        }
        Ok(Some(subscribed.subscription_id))
    }

    /// Shows events until one ends the goal or the connection is lost.
    async fn events(&mut self, subscription: &str) -> Result<Events, Failure> {
        let mut look = tokio::time::interval_at(Instant::now() + SCHEDULER_LOOK, SCHEDULER_LOOK);
        loop {
            let incoming = tokio::select! {
                incoming = self.link.next_event() => incoming,
                _ = look.tick() => {
                    self.look_for_scheduler();
                    self.look_for_goal().await?;
                    continue;
                }
            };
            match incoming {
                None => return Ok(Events::Lost),
                Some(Incoming::Cursor(cursor)) => self.place.cursor = Some(cursor),
                Some(Incoming::Ephemeral(frame)) => self.live.hear(&frame),
                Some(Incoming::Lag(_)) => {} // The line about the step tells its words whole.
                Some(Incoming::Event(frame)) => {
                    // Before it subscribes, a connection is sent the events of every goal.
                    let ours = frame.subscription_id.as_deref() == Some(subscription);
                    if ours && self.place.moved_to(&frame) {
                        self.show(&frame)?;
                        if ENDING.contains(&frame.event.as_str()) {
                            return Ok(Events::MayBeOver);
                        }
                    }
                }
            }
        }
    }

    fn show(&mut self, frame: &EventFrame) -> anyhow::Result<()> {
        match self.mode {
            Mode::Json => output::json_line(&JsonEvent::from(frame)),
            Mode::People | Mode::Plan => {
                if let Some(line) = self.lines.line(frame, &self.live) {
                    self.live.close();
                    output::note(line);
                }
                Ok(())
            }
        }
    }

    /// Without a scheduler nothing happens, and the person would wait for nothing.
    fn look_for_scheduler(&mut self) {
        let holder = Daemon::Scheduler.holder(self.link.home());
        match (&holder, self.scheduler_runs) {
            (None, true) => {
                output::note("no scheduler is running: the goal waits; start one with: pb scheduler start");
            }
            (Some(holder), false) => {
                output::note(format_args!("a scheduler is running (pid {})", holder.pid));
            }
            (Some(_), true) | (None, false) => {}
        }
        self.scheduler_runs = holder.is_some();
    }

    /// A goal that waited for a scheduler and was refused by it has no events, and never will have any.
    async fn look_for_goal(&self) -> Result<(), Failure> {
        if self.place.seq > 0 || !self.scheduler_runs {
            return Ok(());
        }
        // On a connection of its own: this one is sent events.
        let params = GoalIdParams { goal_id: self.goal_id.clone() };
        match Link::new(self.link.home(), Patience::None).call::<Status>(&params).await {
            Err(failure) if failure.exit == Exit::Missing => Err(Failure::new(
                Exit::Failed,
                "the goal was refused when a scheduler looked at it; nothing of it is kept",
            )
            .hint("hand it over again to be told why")),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn finish(mut self, detail: GoalDetail) -> Result<Exit, Failure> {
        let exit = report::exit(&detail.goal);
        if self.mode == Mode::Json {
            return Ok(exit);
        }
        self.live.close();
        if self.mode == Mode::Plan && detail.goal.status == "completed" {
            plan::print(&mut self.link, detail.goal.id, false).await?;
            return Ok(Exit::Ok);
        }
        let account = report::Account::gather(&mut self.link, detail).await?;
        if self.mode == Mode::Plan { report::ending_without_data(&account) } else { report::ending(&account) }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Events {
    Lost,
    MayBeOver,
}

/// An event as `--json` prints it.
#[derive(Debug, Serialize)]
struct JsonEvent<'a> {
    event: &'a str,
    data: &'a RawValue,
    cursor: Option<&'a str>,
    seq: Option<u64>,
    at: Option<u64>,
}

impl<'a> From<&'a EventFrame> for JsonEvent<'a> {
    fn from(frame: &'a EventFrame) -> Self {
        Self {
            event: &frame.event,
            data: &frame.data,
            cursor: frame.cursor.as_deref(),
            seq: frame.seq,
            at: frame.at,
        }
    }
}
