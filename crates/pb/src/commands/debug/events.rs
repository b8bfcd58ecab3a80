//! `pb debug events`: what is past straight from the trace, so that it can be read when nothing runs;
//! what follows through the gateway.

use std::time::Duration;

use anyhow::Context;
use pb_model::GoalId;
use pb_protocol::client::{Client, Incoming, Patience};
use pb_protocol::debug::{CHANNEL, DebugData};
use pb_protocol::frame::EventFrame;
use pb_protocol::methods::NoParams;
use pb_protocol::methods::debug::{EventsSubscribe, EventsSubscribeParams};
use pb_protocol::methods::system::Ping;
use pb_runtime::Home;
use pb_runtime::signals::StopSignals;
use pb_store::{TraceFilter, TraceReader};

use super::lines::show;
use crate::connection::{self, MINUTES};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, wait};

/// Most goals that are named when a part of an id stands for several.
const GOALS_NAMED_MAX: usize = 5;

/// How long to wait after a connection that was lost before it served.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// What is told when there is nothing to be shown.
pub(super) const NOTHING: &str = "no debug events";

/// Show the latest debug events: what was decided, asked of models and done with tools
///
/// They are kept for a while (`[trace]` in config.toml), and nothing is decided by them: trace.db may be
/// deleted at any time. Without --follow nothing needs to run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb debug events --limit 20
  pb debug events --goal 3f2a --type llm --type tool.error
  pb debug events --follow --json | jq -c '[.type, .data]'")]
pub(super) struct Args {
    /// Go on with what happens from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Only events of this goal: its id, or a part of it that no other goal has
    #[arg(long, value_name = "ID")]
    goal: Option<String>,
    /// Only events of this name, or whose name begins with it and a dot; may be given several times
    #[arg(long = "type", value_name = "PREFIX")]
    types: Vec<String>,
    /// At most this many of those that are past
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Print one event a line as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    wait::client(Box::pin(events(&home, args)))
}

async fn events(home: &Home, mut args: Args) -> Result<Exit, Failure> {
    let signals = StopSignals::listen().context("cannot listen to signals")?;
    if args.follow {
        // No gateway is told at once; patience is for what we follow already.
        connection::client(home, Patience::None).call::<Ping>(&NoParams::default()).await?;
    }
    let cursor = match TraceReader::open(&home.trace_db()).await.map_err(unreadable)? {
        Some(trace) => {
            args.goal = goal(&trace, args.goal.take(), args.follow).await?;
            past(&trace, &args).await?
        }
        None if args.follow => None,
        None => {
            output::note(NOTHING);
            None
        }
    };
    if !args.follow {
        return Ok(Exit::Ok);
    }
    follow(home, &args, cursor, signals).await
}

/// Nothing else is touched by what is wrong with the trace.
pub(super) fn unreadable(error: pb_store::Error) -> Failure {
    Failure::of(Exit::Failed, &anyhow::Error::from(error).context("cannot read the trace"))
        .hint("it may be deleted: nothing but debug events is lost")
}

/// The goal that a text stands for. One that is not in the trace may still come into it.
pub(super) async fn goal(
    trace: &TraceReader,
    text: Option<String>,
    may_come: bool,
) -> Result<Option<String>, Failure> {
    let Some(text) = text else { return Ok(None) };
    if text.parse::<GoalId>().is_ok() {
        return Ok(Some(text));
    }
    let goals = trace.goal_ids_like(&text, GOALS_NAMED_MAX + 1).await.map_err(unreadable)?;
    match goals.as_slice() {
        [goal] => Ok(Some(goal.clone())),
        [] if may_come => Ok(Some(text)),
        [] => Err(Failure::new(Exit::Missing, format!("no debug event is of a goal `{text}`"))
            .hint("see which goals there are with: pb goal list")),
        several => {
            let more = if several.len() > GOALS_NAMED_MAX { ", …" } else { "" };
            let named: Vec<_> = several.iter().take(GOALS_NAMED_MAX).cloned().collect();
            let message = format!("`{text}` is part of {}{more}", named.join(", "));
            Err(Failure::new(Exit::Usage, message).hint("give more of the id"))
        }
    }
}

/// Shows what is past; gives the cursor behind it.
async fn past(trace: &TraceReader, args: &Args) -> Result<Option<String>, Failure> {
    let Some(identity) = trace.identity().await.map_err(unreadable)? else {
        return Ok(None);
    };
    let filter = TraceFilter { goal: args.goal.clone(), kinds: args.types.clone() };
    let last = trace.last_pos().await.map_err(unreadable)?;
    let rows = trace.latest(last, &filter, args.limit).await.map_err(unreadable)?;
    if rows.is_empty() && !args.follow {
        output::note(NOTHING);
    }
    for row in rows {
        let cursor = identity.cursor(row.pos).to_string();
        if let Some(event) = pb_gateway::debug_event(row) {
            show(&event, &cursor, args.json)?;
        }
    }
    Ok(Some(identity.cursor(last).to_string()))
}

/// Shows what follows, across lost connections, until Ctrl-C.
async fn follow(
    home: &Home,
    args: &Args,
    cursor: Option<String>,
    mut signals: StopSignals,
) -> Result<Exit, Failure> {
    let mut following = Following {
        client: connection::client(home, MINUTES),
        args,
        // Without a trace there was nothing: all that comes follows.
        cursor: cursor.unwrap_or_else(|| "start".to_owned()),
    };
    tokio::select! {
        ended = following.run() => ended,
        () = signals.next() => Ok(Exit::Detached),
    }
}

struct Following<'a> {
    client: Client,
    args: &'a Args,
    cursor: String,
}

impl Following<'_> {
    async fn run(&mut self) -> Result<Exit, Failure> {
        loop {
            let params = EventsSubscribeParams {
                after: Some(self.cursor.clone()),
                goal_id: self.args.goal.clone(),
                types: Some(self.args.types.clone()),
            };
            let (connection, mut events) = self.client.connect().await?;
            let subscribed = match connection.call::<EventsSubscribe>(&params).await {
                Ok(subscribed) => subscribed,
                Err(error) if error.may_pass() => {
                    tokio::time::sleep(RETRY_AFTER).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if subscribed.rebase_required {
                tell_rebased();
            }
            self.cursor = subscribed.cursor;
            while let Some(incoming) = events.next().await {
                self.take(incoming)?;
            }
            output::note("the connection to the gateway is lost; connecting again");
        }
    }

    fn take(&mut self, incoming: Incoming) -> Result<(), Failure> {
        let frame = match incoming {
            Incoming::Event(frame) => frame,
            // They belong to the events of goals, which a connection is sent as well.
            Incoming::Ephemeral(_) | Incoming::Lag(_) | Incoming::Cursor(_) => return Ok(()),
        };
        if frame.event == "rebase_required" && is_of_debug(&frame) {
            tell_rebased();
        }
        if frame.event != CHANNEL {
            return Ok(());
        }
        let told: DebugData =
            serde_json::from_str(frame.data.get()).context("a debug event is not understood")?;
        self.cursor = frame.cursor.unwrap_or_default();
        show(&told.event, &self.cursor, self.args.json)?;
        Ok(())
    }
}

/// A connection is told of the log of goals as well.
fn is_of_debug(frame: &EventFrame) -> bool {
    let data: Result<serde_json::Value, _> = serde_json::from_str(frame.data.get());
    data.is_ok_and(|data| data.get("channel").is_some_and(|channel| channel == CHANNEL))
}

fn tell_rebased() {
    output::note(
        "the trace cannot be continued from here; what follows begins with the oldest event that is kept",
    );
}
