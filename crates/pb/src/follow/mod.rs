//! A goal, live: every event once, from its first one, across lost connections, to its end.
//!
//! ```text
//!   subscription ──▶ events ──ending event──▶ ask for the goal ──ended──▶ report
//!                      ▲                            │
//!                      └──it goes on, or went on───┘
//! ```

mod judgement;
mod lines;
mod live;
mod payload;
mod turns;

use std::time::Duration;

use pb_protocol::client::{Client, Item, Patience, Subscription};
use pb_protocol::domain::Goal;
use pb_protocol::frame::EventFrame;
use pb_protocol::methods::events::SubscribeParams;
use pb_protocol::methods::goal::{GoalDetail, GoalIdParams, Status};
use pb_runtime::Home;
use pb_runtime::signals::StopSignals;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::commands::goal::plan;
use crate::connection::{self, TELL_AFTER};
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
    home: &Home,
    client: Client,
    goal: &Goal,
    mode: Mode,
    mut signals: StopSignals,
) -> Result<Exit, Failure> {
    let live = Live::default();
    let events = client.subscribe(SubscribeParams {
        goal_id: Some(goal.id.clone()),
        session_id: None,
        after: Some("start".to_owned()),
        kinds: None,
        deltas: mode != Mode::Json && live.is_on(),
    });
    let follower = Follower {
        home,
        client,
        looking: connection::client(home, Patience::None),
        events,
        goal_id: goal.id.clone(),
        mode,
        lines: Lines::default(),
        live,
        has_events: false,
        scheduler_runs: true,
        away_since: None,
    };
    tokio::select! {
        ended = follower.run() => ended,
        () = signals.next() => {
            output::note(format_args!("the goal goes on; follow it with: pb goal watch {}", goal.id));
            Ok(Exit::Detached)
        }
    }
}

struct Follower<'h> {
    home: &'h Home,
    client: Client,
    /// For looks in between, which do not wait for a gateway that is away.
    looking: Client,
    events: Subscription,
    goal_id: String,
    mode: Mode,
    lines: Lines,
    live: Live,
    /// Whether the log has anything about the goal.
    has_events: bool,
    scheduler_runs: bool,
    /// Since when the connection is lost, until the person was told that it stays so.
    away_since: Option<Instant>,
}

impl Follower<'_> {
    async fn run(mut self) -> Result<Exit, Failure> {
        let mut look = tokio::time::interval_at(Instant::now() + SCHEDULER_LOOK, SCHEDULER_LOOK);
        loop {
            let item = tokio::select! {
                item = self.events.next() => item?,
                _ = look.tick() => {
                    self.look_for_gateway();
                    self.look_for_scheduler();
                    self.look_for_goal().await?;
                    continue;
                }
            };
            if let Some(ended_at) = self.take(item)? {
                let params = GoalIdParams { goal_id: self.goal_id.clone() };
                let detail = connection::patiently(self.client.call::<Status>(&params)).await?;
                // One that was answered or retried since goes on below, to a later end.
                if report::is_over(&detail.goal) && ended_at >= detail.goal.updated_at {
                    return self.finish(detail).await;
                }
            }
        }
    }

    /// Shows what came; if the goal may be over, when that was.
    fn take(&mut self, item: Item) -> anyhow::Result<Option<u64>> {
        match item {
            Item::Event(frame) => {
                self.has_events = true;
                self.show(&frame)?;
                let may_be_over = ENDING.contains(&frame.event.as_str());
                return Ok(may_be_over.then(|| frame.at.unwrap_or(u64::MAX)));
            }
            Item::RebaseRequired(_) => {
                // The log is another one than before, or its start was compacted away.
                output::note("the history cannot be continued from here; what follows is from now on");
                return Ok(Some(u64::MAX));
            }
            Item::Ephemeral(frame) => self.live.hear(&frame),
            Item::Disconnected => {
                output::note("the connection to the gateway is lost; connecting again");
                self.away_since = Some(Instant::now());
            }
            Item::Resumed => {
                output::note("connected again");
                self.away_since = None;
            }
            // The line about the step tells its words whole; nothing is asked for that begins with a snapshot.
            Item::Lag(_) | Item::Snapshot(_) => {}
        }
        Ok(None)
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

    /// One that was lost and does not come back is the person's business.
    fn look_for_gateway(&mut self) {
        if self.away_since.is_some_and(|since| since.elapsed() >= TELL_AFTER) {
            self.away_since = None;
            connection::tell_away();
        }
    }

    /// Without a scheduler nothing happens, and the person would wait for nothing.
    fn look_for_scheduler(&mut self) {
        let holder = Daemon::Scheduler.holder(self.home);
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
        if self.has_events || !self.scheduler_runs {
            return Ok(());
        }
        let params = GoalIdParams { goal_id: self.goal_id.clone() };
        match self.looking.call::<Status>(&params).await.map_err(Failure::from) {
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
            plan::print(&self.client, detail.goal.id, false).await?;
            return Ok(Exit::Ok);
        }
        let account = report::Account::gather(&self.client, detail).await?;
        if self.mode == Mode::Plan { report::ending_without_data(&account) } else { report::ending(&account) }
    }
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
