//! One home: its processes, the goals that are asked for, and the kills.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_model::GoalId;
use pb_runtime::{Home, Tasks};
use pb_store::LogReader;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::keeper::Keeper;
use super::{READY, goals};
use crate::history::History;
use crate::processes;
use crate::watcher::Watcher;
use crate::{Run, Tally, asked, follower};

/// Goals that are worked on at once.
const GOALS_AT_ONCE: usize = 4;
/// From one kill to the next, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 5..450;
/// A process that was killed serves again within a second; a test asks for three times that.
const READY_MS_MAX: u64 = 3_000;
/// How long work may take once nothing is killed any more (I9).
const END_MAX: Duration = Duration::from_mins(1);
/// How long an answer may take, with a gateway that may just be dead.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// A home whose processes are killed.
pub(super) struct Killed<'a> {
    run: &'a Run,
    whose: String,
    rng: StdRng,
    home: Home,
    folder: PathBuf,
    kills: u64,
    keeper: Keeper,
    /// The goals that were answered, each with its folder.
    asked: BTreeMap<GoalId, PathBuf>,
    ready_ms_max: u64,
    tally: Tally,
}

impl<'a> Killed<'a> {
    pub(super) fn begin(
        run: &'a Run,
        number: u64,
        (kills, is_supervised): (u64, bool),
    ) -> anyhow::Result<Self> {
        let home = processes::home(run, &format!("k{number}"))?;
        let folder = run.folder.join(format!("w{number}"));
        std::fs::create_dir_all(&folder)?;
        let keeper = if is_supervised { Keeper::supervisor(run, &home)? } else { Keeper::suite() };
        Ok(Self {
            run,
            whose: format!("home {number} of seed {}", run.seed),
            rng: StdRng::seed_from_u64(run.seed.wrapping_add(number)),
            home,
            folder,
            kills,
            keeper,
            asked: BTreeMap::new(),
            ready_ms_max: 0,
            tally: Tally::default(),
        })
    }

    /// Kills as often as it is to, lets all work end, and audits.
    pub(super) fn live(mut self) -> anyhow::Result<Tally> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            self.start()?;
            let tasks = Tasks::new();
            let watcher = Watcher::spawn(&self.home, &tasks);
            while self.tally.cases < self.kills {
                self.ask_for_more().await?;
                let pause = Duration::from_millis(self.rng.random_range(PAUSE_MS));
                sleep(pause).await; // The very moment of a kill.
                self.tally.cases += 1;
                self.keeper.kill(&mut self.rng, &mut self.tally)?;
                self.start()?;
            }
            self.wait_for_end().await;
            self.audit(&watcher).await?;
            tasks.stop(Duration::from_secs(5)).await;
            Ok(self.tally)
        })
    }

    /// Starts what is dead, or waits until somebody has, and notes how long it took to serve.
    fn start(&mut self) -> anyhow::Result<()> {
        let Self { keeper, run, home, whose, ready_ms_max, tally, .. } = self;
        keeper.start(run, home, |who, took| {
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            *ready_ms_max = (*ready_ms_max).max(ms);
            if ms > READY_MS_MAX {
                tally.fail(format_args!("{whose}: the {who} served after {ms} ms"));
            }
        })
    }

    /// Asks for goals until enough are under way.
    async fn ask_for_more(&mut self) -> anyhow::Result<()> {
        let under_way = self.open().await;
        if self.rng.random_range(0..6) == 0
            && let Some(goal) = under_way.first()
        {
            // It may have ended meanwhile, or the answer is lost with the gateway.
            let _ = follower::call(&self.home, "goal.cancel", &json!({"goalId": goal})).await;
        }
        let mut open = under_way.len();
        while open < GOALS_AT_ONCE {
            let number = self.asked.len();
            let workspace = self.folder.join(format!("g{number}"));
            let goal = goals::draw(&mut self.rng, &workspace, &format!("key-{number}"));
            let first = self.ask(&goal).await?;
            // The same key again, now and then: it is the same goal.
            if self.rng.random_range(0..4) == 0 && self.ask(&goal).await? != first {
                self.tally.duplicated += 1;
            }
            self.asked.insert(first, workspace);
            open += 1;
        }
        Ok(())
    }

    /// Asks until there is an answer.
    async fn ask(&self, goal: &Value) -> anyhow::Result<GoalId> {
        let began = Instant::now();
        loop {
            match follower::call(&self.home, "goal.submit", goal).await {
                Ok(answer) => {
                    let id = answer["id"].as_str().context("an answer without an id")?;
                    return Ok(id.parse()?);
                }
                Err(error) if began.elapsed() > ANSWER_MAX => bail!("no answer: {error:#}"),
                Err(_) => sleep(Duration::from_millis(20)).await, // wait: it is just dead
            }
        }
    }

    /// The goals that were asked for and have not ended.
    async fn open(&self) -> Vec<GoalId> {
        let mut open = Vec::new();
        let Ok(log) = LogReader::open(&self.home.state_db()).await else {
            return self.asked.keys().copied().collect();
        };
        for goal in self.asked.keys() {
            let state = log.state(*goal).await.ok().flatten();
            if !state.is_some_and(|state| asked::is_at_rest(&state)) {
                open.push(*goal);
            }
        }
        open
    }

    async fn wait_for_end(&mut self) {
        let calm = Instant::now();
        loop {
            let open = self.open().await;
            if open.is_empty() {
                return;
            }
            if calm.elapsed() > END_MAX {
                self.tally.fail(format_args!("{}: I9: {open:?} have not ended", self.whose));
                return;
            }
            sleep(Duration::from_millis(20)).await; // wait: the end of work is in another process's file
        }
    }

    async fn audit(&mut self, watcher: &Watcher) -> anyhow::Result<()> {
        let history = History::audit(&self.home.state_db(), &self.whose, &mut self.tally).await?;
        if !watcher.has(history.events.len() as u64, END_MAX).await {
            self.tally.fail(format_args!("{}: I9: the client does not get the end", self.whose));
        }
        watcher.audit(&history.events, &self.whose, &mut self.tally);
        for (goal, workspace) in &self.asked {
            let Some(state) = history.goals.get(goal) else {
                self.tally.lost += 1; // I1
                continue;
            };
            goals::audit(workspace, state, &self.whose, &mut self.tally);
            self.tally.count(state.goal.status.as_str(), 1);
        }
        self.tally.duplicated += (history.goals.len() as u64).saturating_sub(self.asked.len() as u64);
        self.tally.count("goals", self.asked.len() as u64);
        self.tally.count("events", history.events.len() as u64);
        self.tally.count(READY, self.ready_ms_max);
        Ok(())
    }
}
