//! One seed: a few goals, lived to their end by as many incarnations as the seed has crashes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pb_model::goal::{Answer, GoalStatus};
use pb_model::{GoalId, GoalSpec};
use pb_runtime::{Clock, Home, Ids, Tasks};
use pb_scheduler::simulation::{Incarnation, Results};
use pb_store::{EventRecord, Inbox, Location, LogReader, NewCommand};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::world::Machine;
use super::{again, plan};
use crate::Tally;
use crate::history::History;

/// Most crashes of a seed.
const CRASHES_MAX: u32 = 8;
/// When the simulated clock begins, in milliseconds since 1970.
const EPOCH_MS: u64 = 1_700_000_000_000;
/// How often the simulated clock is set. Simulated time, as all here.
const TICK: Duration = Duration::from_millis(50);
/// The clock jumps by at most so much, in milliseconds.
const SKEW_MS: i64 = 120_000;
/// Most jumps of a clock that jumps.
const JUMPS_MAX: u32 = 8;
const HOUR_MS: i64 = 60 * 60 * 1000;
const YEAR_MS: i64 = 365 * 24 * HOUR_MS;
/// The budget of time of each goal whose clock jumps: more than they work, and less than a jump.
const TIME_BUDGET_MINUTES: u64 = 45;
/// How long everything may take once nothing crashes any more (I9).
const END_MAX: Duration = Duration::from_hours(1);
/// How often people say something, at most.
const SAID_MAX: u32 = 8;
/// How long after what was said before, in milliseconds.
const SAID_AFTER_MS_MAX: u64 = 20_000;
/// How long the scheduler stays dead at most, in milliseconds.
const DOWN_MS_MAX: u64 = 10_000;
/// When a late result comes, at most, after a start, in milliseconds.
const LATE_MS_MAX: u64 = 3_000;

/// Lives a seed, and says what it came to.
///
/// # Errors
/// The suite could not go on.
pub(crate) fn live(seed: u64, folder: &Path, clocks: Clocks) -> anyhow::Result<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        // One call of the store at a time, so that the same seed takes nearly the same course.
        .max_blocking_threads(1)
        .build()?;
    runtime.block_on(Life::begin(seed, folder, clocks)?.live())
}

/// What the simulated clock does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clocks {
    /// It goes on; while the scheduler is dead it may be set by minutes.
    Steady,
    /// It jumps in the middle of work, by hours and years.
    Jumping,
}

struct Life {
    seed: u64,
    rng: StdRng,
    home: Home,
    config: pb_scheduler::Config,
    machine: Machine,
    time: Arc<AtomicU64>,
    skew: Arc<AtomicI64>,
    goals: Vec<(GoalId, GoalSpec)>,
    crashes: u32,
    late: u64,
    /// The commands that were answered: none of them may be lost.
    answered: Answered,
    clocks: Clocks,
    tally: Tally,
}

type Answered = Arc<Mutex<Vec<String>>>;

impl Life {
    fn begin(seed: u64, folder: &Path, clocks: Clocks) -> anyhow::Result<Self> {
        let mut rng = StdRng::seed_from_u64(seed);
        let home = Home::at(&folder.join("home"))?;
        home.prepare()?;
        let shared = folder.join("shared");
        std::fs::create_dir(&shared)?;
        let mut goals = plan::draw(&mut rng, &shared.to_string_lossy())?;
        if clocks == Clocks::Jumping {
            for (_, spec) in &mut goals {
                spec.budget_time_minutes = Some(TIME_BUDGET_MINUTES);
            }
        }
        let time = Arc::new(AtomicU64::new(EPOCH_MS));
        let clock = Clock::Manual(Arc::clone(&time));
        let config = pb_scheduler::Config {
            db: home.state_db(),
            socket: home.gateway_socket(),
            exe: "/bin/false".into(), // Nothing is executed.
            ids: Ids::seeded(clock.clone(), seed),
            clock,
            home: home.clone(),
        };
        let machine = Machine::new(StdRng::seed_from_u64(rng.random()));
        let crashes = match clocks {
            Clocks::Steady => rng.random_range(0..=CRASHES_MAX),
            Clocks::Jumping => rng.random_range(0..=1),
        };
        let (skew, tally) = (Arc::default(), Tally::default());
        let answered = Answered::default();
        Ok(Self {
            seed,
            rng,
            home,
            config,
            machine,
            time,
            skew,
            goals,
            crashes,
            late: 0,
            answered,
            clocks,
            tally,
        })
    }

    async fn live(mut self) -> anyhow::Result<Tally> {
        let around = Tasks::new();
        around.spawn("clock", tick(Arc::clone(&self.time), Arc::clone(&self.skew)));
        if self.clocks == Clocks::Jumping {
            let jumps = self.jumps();
            self.tally.count("jumps", jumps.len() as u64);
            around.spawn("jumps", jump(Arc::clone(&self.skew), jumps));
        }
        let fresh_id = format!("inbox-{}", self.seed);
        let inbox = Inbox::open(Location::File(self.home.gateway_db()), fresh_id).await?;
        let commands = self.commands();
        let count = commands.len();
        let (answered, clock) = (Arc::clone(&self.answered), self.config.clock.clone());
        around.spawn("people", async move {
            for (after_ms, mut command) in commands {
                sleep(Duration::from_millis(after_ms)).await;
                command.at_ms = clock.now_ms();
                let id = command.id.clone();
                if inbox.put(command).await.is_ok() {
                    answered.lock().unwrap_or_else(PoisonError::into_inner).push(id);
                }
            }
        });
        let mut left = self.crashes;
        while self.incarnation(left > 0, count).await? {
            left = left.saturating_sub(1);
        }
        around.stop(Duration::from_secs(1)).await;
        self.audit().await?;
        Ok(self.tally)
    }

    /// When the clock jumps, and by how much.
    fn jumps(&mut self) -> Vec<(Duration, i64)> {
        let jump = |rng: &mut StdRng| {
            let by = match rng.random_range(0..5) {
                0 => rng.random_range(1..8) * YEAR_MS,
                1 => -rng.random_range(1..8) * YEAR_MS,
                2 => -HOUR_MS,
                // The machine slept.
                _ => 8 * HOUR_MS,
            };
            (Duration::from_millis(rng.random_range(100..4_000)), by)
        };
        (0..self.rng.random_range(1..JUMPS_MAX)).map(|_| jump(&mut self.rng)).collect()
    }

    /// What people ask for, and how long after the command before.
    fn commands(&mut self) -> Vec<(u64, NewCommand)> {
        let mut commands = Vec::new();
        for (goal, spec) in self.goals.clone() {
            let params = json!({"goalId": goal, "spec": spec});
            commands.push((self.rng.random_range(0..3_000), command("goal.submit", goal, &params)));
        }
        for (goal, _) in self.goals.clone() {
            if self.rng.random_range(0..8) == 0 {
                let params = json!({"goalId": goal, "reason": "changed my mind"});
                commands.push((self.rng.random_range(0..9_000), command("goal.cancel", goal, &params)));
            }
        }
        for _ in 0..self.rng.random_range(0..SAID_MAX) {
            let (goal, _) = self.goals[self.rng.random_range(0..self.goals.len())];
            self.say(goal, &mut commands);
        }
        commands.extend(again::commands(self.seed));
        commands
    }

    /// Somebody answers, retries, or pauses for a while, whether that can be done then or not.
    fn say(&mut self, goal: GoalId, commands: &mut Vec<(u64, NewCommand)>) {
        let soon = |rng: &mut StdRng| rng.random_range(0..SAID_AFTER_MS_MAX);
        let number = commands.len();
        let mut push = |after_ms, method: &str, params: &serde_json::Value| {
            let mut command = command(method, goal, params);
            command.id = format!("{} {number} {method}", command.id);
            commands.push((after_ms, command));
        };
        let answer = Answer::ALL[self.rng.random_range(0..Answer::ALL.len())].as_str();
        match self.rng.random_range(0..3) {
            0 => push(soon(&mut self.rng), "goal.retry", &json!({"goalId": goal})),
            1 => {
                push(soon(&mut self.rng), "goal.resume", &json!({"goalId": goal, "answer": answer}));
            }
            _ => {
                push(soon(&mut self.rng), "goal.pause", &json!({"goalId": goal}));
                push(soon(&mut self.rng), "goal.resume", &json!({"goalId": goal}));
            }
        }
    }

    /// One start of the scheduler; whether there has to be another.
    async fn incarnation(&mut self, dies: bool, commands: usize) -> anyhow::Result<bool> {
        let late = self.machine.late();
        let incarnation = Incarnation::start(self.config.clone()).await?;
        let tasks = Tasks::new();
        for one in late {
            if self.rng.random_bool(0.7) {
                self.late += 1;
                let after = Duration::from_millis(self.rng.random_range(0..LATE_MS_MAX));
                let results: Results = incarnation.results();
                tasks.spawn("late result", async move {
                    sleep(after).await;
                    results.hand_in(&one.state, one.want, one.command).await;
                });
            }
        }
        self.machine.begin(dies);
        let world = Arc::new(self.machine.clone());
        let goes_on = tokio::select! {
            ended = incarnation.run(world, tasks.clone(), CancellationToken::new()) => {
                self.tally.fail(format_args!("the scheduler ended by itself: {ended:?}"));
                false
            }
            () = self.machine.killed() => true,
            ended = all_ended(&self.home, self.goals.len(), (&self.answered, commands)) => {
                ended?;
                false
            }
            () = sleep(END_MAX) => {
                self.tally.fail(format_args!("I9: work has not ended after an hour"));
                false
            }
        };
        tasks.stop(Duration::from_secs(1)).await;
        if goes_on {
            self.skew.fetch_add(self.rng.random_range(-SKEW_MS..SKEW_MS), Ordering::Relaxed);
            sleep(Duration::from_millis(self.rng.random_range(0..DOWN_MS_MAX))).await;
        }
        Ok(goes_on)
    }

    async fn audit(&mut self) -> anyhow::Result<()> {
        let whose = format!("seed {}", self.seed);
        let history = History::audit(&self.home.state_db(), &whose, &mut self.tally).await?;
        let log = LogReader::open(&self.home.state_db()).await?;
        for id in answered_so_far(&self.answered) {
            if log.command(&id).await?.is_none() {
                self.tally.lost += 1; // I1
            }
        }
        if self.clocks == Clocks::Jumping {
            let used_up = |event: &&EventRecord| event.kind == "budget.exceeded";
            for event in history.events.iter().filter(used_up) {
                self.tally.fail(format_args!("{whose}: a jump used up a budget of time: at {}", event.pos));
            }
        }
        let (effects, wrong) = self.machine.found();
        for what in wrong {
            self.tally.fail(format_args!("{whose}: {what}"));
        }
        self.tally.cases = 1;
        self.tally.count("events", history.events.len() as u64);
        self.tally.count("effects", effects);
        self.tally.count("crashes", u64::from(self.crashes));
        self.tally.count("late_results", self.late);
        self.tally.count("slots", history.schedules.iter().map(|schedule| schedule.runs).sum());
        for (status, count) in ended(&history) {
            self.tally.count(status, count);
        }
        Ok(())
    }
}

/// How many goals ended how.
fn ended(history: &History) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for goal in history.goals.values() {
        *counts.entry(goal.goal.status.as_str()).or_default() += 1;
    }
    counts
}

fn command(method: &str, goal: GoalId, params: &serde_json::Value) -> NewCommand {
    NewCommand {
        id: format!("{method} {goal}"),
        params_digest: String::new(),
        actor: "ann".to_owned(),
        method: method.to_owned(),
        params: params.to_string(),
        goal: goal.to_string(),
        at_ms: 0,
    }
}

/// Has the clock jump.
async fn jump(skew: Arc<AtomicI64>, jumps: Vec<(Duration, i64)>) {
    for (after, by) in jumps {
        sleep(after).await;
        skew.fetch_add(by, Ordering::Relaxed);
    }
}

/// Sets the simulated clock, with its skew.
async fn tick(time: Arc<AtomicU64>, skew: Arc<AtomicI64>) {
    let began = Instant::now();
    loop {
        let passed = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let now = EPOCH_MS.saturating_add(passed).saturating_add_signed(skew.load(Ordering::Relaxed));
        time.store(now, Ordering::SeqCst);
        sleep(TICK).await;
    }
}

fn answered_so_far(answered: &Answered) -> Vec<String> {
    answered.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Waits until every command was answered and executed, and every goal has ended or waits for a human.
async fn all_ended(
    home: &Home,
    goals: usize,
    (answered, commands): (&Answered, usize),
) -> anyhow::Result<()> {
    let log = LogReader::open(&home.state_db()).await?;
    let open = [GoalStatus::Queued, GoalStatus::Active].map(GoalStatus::as_str);
    loop {
        // The commands first: the last of them may have a goal go on.
        let answered = answered_so_far(answered);
        let mut is_over = answered.len() == commands;
        for id in answered {
            is_over &= log.command(&id).await?.is_some();
        }
        let counts = log.goal_counts().await?;
        let all: u64 = counts.iter().map(|(_, count)| count).sum();
        // Schedules submit more.
        is_over &= all >= goals as u64 && counts.iter().all(|(status, _)| !open.contains(&status.as_str()));
        if is_over {
            return Ok(());
        }
        sleep(Duration::from_millis(500)).await;
    }
}
