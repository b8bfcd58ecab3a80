//! The client: submits goals over the WebSocket and watches them, as any client would.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_model::spec::CommandSpec;
use pb_model::{Effect, GoalSpec, ItemSpec, Lane, Work};
use pb_protocol::client::{Connection, Events, Incoming};
use pb_protocol::methods::events::{Subscribe, SubscribeParams};
use pb_protocol::methods::goal::{Cancel, CancelParams, Submit, SubmitParams};
use pb_runtime::Home;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::commands::bench::client;

/// How long any one thing may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// Arrivals held while nobody looks; more than a burst makes.
const ARRIVALS_WAITING_MAX: usize = 16 * 1024;

/// A connected client.
#[derive(Debug)]
pub(in crate::commands::bench) struct Load {
    client: Connection,
    arrivals: mpsc::Receiver<Arrival>,
    /// Dropped, they end.
    _tasks: JoinSet<()>,
}

/// How long one goal took, from the answer to its submission.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands::bench) struct Latency {
    pub(in crate::commands::bench) started: Duration,
    pub(in crate::commands::bench) completed: Duration,
}

/// An event, and when it reached us.
#[derive(Debug)]
struct Arrival {
    kind: String,
    goal: String,
    /// Whether a command was run again after a kill.
    ran_again: bool,
    at: Instant,
}

impl Load {
    pub(in crate::commands::bench) async fn connect(home: &Home) -> anyhow::Result<Self> {
        let (client, events, mut tasks) = client::connect(home).await?;
        let (sender, arrivals) = mpsc::channel(ARRIVALS_WAITING_MAX);
        tasks.spawn(stamp(events, sender));
        let kinds = ["workitem.started", "run.continued", "goal.completed", "goal.failed", "goal.blocked"];
        client
            .call::<Subscribe>(&SubscribeParams {
                kinds: Some(kinds.map(str::to_owned).to_vec()),
                ..SubscribeParams::default()
            })
            .await?;
        Ok(Self { client, arrivals, _tasks: tasks })
    }

    /// Submits each goal when the one before it ended.
    pub(in crate::commands::bench) async fn one_by_one(
        &mut self,
        count: usize,
    ) -> anyhow::Result<Vec<Latency>> {
        let mut latencies = Vec::with_capacity(count);
        for n in 0..count {
            let goal = submit(self.client.clone(), n).await?;
            let answered = Instant::now();
            let mut started = None;
            let completed = loop {
                let arrival = self.next().await?;
                if arrival.goal != goal {
                    continue;
                }
                if arrival.is_end()? {
                    break arrival.at;
                }
                started.get_or_insert(arrival.at);
            };
            // An event may be faster than the answer.
            let since = |at: Instant| at.saturating_duration_since(answered);
            latencies.push(Latency {
                started: since(started.context("the goal ended without starting its item")?),
                completed: since(completed),
            });
        }
        Ok(latencies)
    }

    /// Submits all goals at once; from the first submission to the last end.
    pub(in crate::commands::bench) async fn at_once(&mut self, count: usize) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let mut submissions = JoinSet::new();
        for n in 0..count {
            submissions.spawn(submit(self.client.clone(), n));
        }
        let mut open = BTreeSet::new();
        let mut ended = BTreeSet::new();
        let mut last = began;
        while let Some(submitted) = submissions.join_next().await {
            open.insert(submitted??);
        }
        while !open.is_subset(&ended) {
            let arrival = self.next().await?;
            if open.contains(&arrival.goal) && arrival.is_end()? {
                last = arrival.at;
                ended.insert(arrival.goal);
            }
        }
        Ok(last.saturating_duration_since(began))
    }

    /// Submits a goal whose command runs until it is ended, and waits until it runs.
    pub(in crate::commands::bench) async fn begin_long(&mut self, n: usize) -> anyhow::Result<String> {
        let mut spec = one_command(n);
        for item in &mut spec.items {
            if let Work::Command(command) = &mut item.work {
                command.argv = ["sleep", "600"].map(str::to_owned).to_vec();
            }
        }
        let params = SubmitParams { spec, idempotency_key: None };
        let goal = self.client.call::<Submit>(&params).await?.id;
        loop {
            let arrival = self.next().await?;
            if arrival.goal == goal && arrival.kind == "workitem.started" {
                return Ok(goal);
            }
        }
    }

    /// When the goal's command was run again.
    pub(in crate::commands::bench) async fn ran_again(&mut self, goal: &str) -> anyhow::Result<Instant> {
        loop {
            let arrival = self.next().await?;
            if arrival.goal == goal && arrival.ran_again {
                return Ok(arrival.at);
            }
        }
    }

    pub(in crate::commands::bench) async fn cancel(&self, goal: &str) -> anyhow::Result<()> {
        let params = CancelParams { goal_id: goal.to_owned(), reason: None, idempotency_key: None };
        self.client.call::<Cancel>(&params).await?;
        Ok(())
    }

    async fn next(&mut self) -> anyhow::Result<Arrival> {
        let arrival = tokio::time::timeout(PATIENCE, self.arrivals.recv()).await;
        arrival.context("nothing happened for a minute")?.context("the gateway closed the connection")
    }
}

impl Arrival {
    /// Whether the goal ended; a goal that did not complete makes the figures worthless.
    fn is_end(&self) -> anyhow::Result<bool> {
        match self.kind.as_str() {
            "goal.completed" => Ok(true),
            "goal.failed" | "goal.blocked" => bail!("{} ended with {}", self.goal, self.kind),
            _ => Ok(false),
        }
    }
}

async fn stamp(mut events: Events, arrivals: mpsc::Sender<Arrival>) {
    #[derive(Deserialize)]
    struct Data {
        #[serde(rename = "goalId")]
        goal_id: String,
        #[serde(default, rename = "ranAgain")]
        ran_again: bool,
    }
    while let Some(incoming) = events.next().await {
        let at = Instant::now();
        let Incoming::Event(event) = incoming else { continue };
        let Ok(data) = serde_json::from_str::<Data>(event.data.get()) else {
            continue;
        };
        let arrival = Arrival { kind: event.event, goal: data.goal_id, ran_again: data.ran_again, at };
        if arrivals.send(arrival).await.is_err() {
            return;
        }
    }
}

async fn submit(client: Connection, n: usize) -> anyhow::Result<String> {
    let params = SubmitParams { spec: one_command(n), idempotency_key: None };
    Ok(client.call::<Submit>(&params).await?.id)
}

fn one_command(n: usize) -> GoalSpec {
    let command = CommandSpec {
        argv: vec!["true".to_owned()],
        cwd: None,
        env: std::collections::BTreeMap::new(),
        time_limit_s: None,
        effect: Effect::Idempotent,
        tcp_ports: Vec::new(),
    };
    GoalSpec {
        items: vec![ItemSpec {
            id: "one".to_owned(),
            title: None,
            description: String::new(),
            needs: Vec::new(),
            lane: Lane::Main,
            max_retries: None,
            work: Work::Command(command),
            gates: Vec::new(),
        }],
        ..GoalSpec::in_words(format!("bench {n}"), "one command")
    }
}
