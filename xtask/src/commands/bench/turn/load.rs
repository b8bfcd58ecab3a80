//! The client: submits a goal of one agent, waits for its end, and then reads what the log tells.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use pb_model::spec::{AgentSpec, Check, GateSpec};
use pb_model::{Effect, GoalSpec, ItemSpec, Lane, Tier, Work};
use pb_protocol::client::{Connection, Events, Incoming};
use pb_protocol::frame::EventFrame;
use pb_protocol::methods::events::{Subscribe, SubscribeParams};
use pb_protocol::methods::goal::{Submit, SubmitParams};
use pb_runtime::Home;

use super::{FILE, script};
use crate::commands::bench::client;

/// How long all turns may take.
const PATIENCE: Duration = Duration::from_mins(5);

const REQUESTED: &str = "model.requested";

/// What the log tells about the turns.
#[derive(Debug)]
pub(in crate::commands::bench) struct Told {
    /// Events from one call of the model to the next.
    pub(in crate::commands::bench) events_per_turn: f64,
    /// From one call of the model to the next.
    pub(in crate::commands::bench) mean: Duration,
}

/// Runs the goal and reads its log.
pub(in crate::commands::bench) async fn run(
    home: &Home,
    turns: u32,
    workspace: &Path,
) -> anyhow::Result<Told> {
    let (client, mut events, _tasks) = client::connect(home).await?;
    let ends = ["goal.completed", "goal.failed", "goal.blocked", "goal.cancelled"].map(str::to_owned);
    let live = SubscribeParams { kinds: Some(ends.to_vec()), ..SubscribeParams::default() };
    client.call::<Subscribe>(&live).await?;
    let params = SubmitParams { spec: agent(turns, workspace)?, idempotency_key: None };
    let goal = client.call::<Submit>(&params).await?.id;
    let ended = next(&mut events).await?;
    if ended.event != "goal.completed" {
        bail!("the goal ended with {}: {}", ended.event, ended.data);
    }
    told(&client, &mut events, goal, turns).await
}

async fn told(client: &Connection, events: &mut Events, goal: String, turns: u32) -> anyhow::Result<Told> {
    let all = SubscribeParams {
        goal_id: Some(goal),
        after: Some("start".to_owned()),
        ..SubscribeParams::default()
    };
    client.call::<Subscribe>(&all).await?;
    let mut asked = Vec::new();
    for place in 0_u32.. {
        let event = next(events).await?;
        match event.event.as_str() {
            REQUESTED => asked.push((place, event.at.context("an event of the log has no time")?)),
            "goal.completed" => break,
            _ => {}
        }
    }
    if asked.len() != turns as usize + 1 {
        bail!("the log has {} calls of the model, not one for each of {turns} turns", asked.len());
    }
    let (first, last) = asked.first().zip(asked.last()).context("the log has no call of the model")?;
    Ok(Told {
        events_per_turn: f64::from(last.0 - first.0) / f64::from(turns),
        mean: Duration::from_millis(last.1.saturating_sub(first.1)) / turns,
    })
}

/// The next event of the log.
async fn next(events: &mut Events) -> anyhow::Result<EventFrame> {
    loop {
        let incoming = tokio::time::timeout(PATIENCE, events.next()).await;
        let incoming = incoming.with_context(|| format!("nothing happened for {PATIENCE:?}"))?;
        match incoming.context("the gateway closed the connection")? {
            Incoming::Event(event) if event.cursor.is_some() => return Ok(*event),
            _ => {} // Of the connection, not of the log.
        }
    }
}

fn agent(turns: u32, workspace: &Path) -> anyhow::Result<GoalSpec> {
    let agent = AgentSpec {
        prompt: script::PROMPT.to_owned(),
        tools: Vec::new(),
        tier: Tier::Medium,
        model: None,
        effect: Effect::Idempotent,
        max_turns: Some(turns + 1),
        budget_percent: None,
        time_limit_s: None,
        budget_tokens: None,
        budget_usd: None,
        guards: true,
        approve: Vec::new(),
        may_add_items: false,
    };
    let exists = Check::FileExists { path: FILE.to_owned() };
    Ok(GoalSpec {
        workspace: Some(workspace.to_str().context("the workspace is not Unicode")?.to_owned()),
        items: vec![ItemSpec {
            id: "one".to_owned(),
            title: None,
            description: String::new(),
            needs: Vec::new(),
            lane: Lane::Main,
            max_retries: Some(0),
            work: Work::Agent(agent),
            gates: vec![GateSpec {
                name: None,
                required: true,
                judges: Vec::new(),
                may_change: false,
                check: exists,
            }],
        }],
        ..GoalSpec::in_words(format!("bench of {turns} turns"), "one agent")
    })
}
