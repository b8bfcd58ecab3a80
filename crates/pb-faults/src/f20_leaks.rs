//! F20: a week of work in a moment. Goals are asked for, done and proven, clients come and go and go on where they
//! were, logs are put aside, and each night everything is restarted; then all of it again in one life, in which
//! memory, descriptors and what lies on the disk must not grow.
//!
//! A case is a goal.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_model::GoalId;
use pb_runtime::{Home, Tasks, process};
use serde_json::json;
use tokio::time::sleep;

use crate::audit::{WAL_BYTES_MAX, wal_bytes};
use crate::follower::{Asked, Follower, Told};
use crate::history::History;
use crate::supervised::Supervised;
use crate::watcher::Watcher;
use crate::{Run, Tally, asked};

/// Goals that are under way at once.
const AT_ONCE: usize = 24;
/// Nights of the first half, after each of which everything is restarted.
const NIGHTS: u64 = 7;
/// By how much what a process has written in memory may grow, in KiB: in ten minutes, or in all where it is less.
const GROWTH_KIB_MAX: u64 = 1_024;
/// The same for a process that has not seen enough goals to have what it always needs.
const WARMING_KIB_MAX: u64 = 8 * 1_024;
/// After so many goals it has.
const WARM_GOALS: u64 = 500;
/// The time in which it may.
const GROWTH_WITHIN: Duration = Duration::from_mins(10);
/// By how many descriptors a process that idles may differ: a connection of the last client may not be closed yet.
const DESCRIPTORS_MAX: u64 = 4;
/// Most that the logs of one process may have, in bytes: five files of 10 MB and the line that was too much.
const LOG_BYTES_MAX: u64 = 51 * 1024 * 1024;
/// How long the goals that are under way may take to their end.
const END_MAX: Duration = Duration::from_mins(2);
/// How long processes have to come to rest before they are weighed.
const REST: Duration = Duration::from_secs(2);

/// Runs the fault.
///
/// # Errors
/// The suite cannot go on.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let goals = run.size.pick(28, 280, 10_000);
    let reconnects = run.size.pick(7, 28, 1_000);
    let supervised = Supervised::empty(run, "week")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut week = Week {
        supervised: &supervised,
        workspaces: run.folder.join("week.work"),
        asked: Vec::new(),
        tally: Tally::default(),
    };
    runtime.block_on(week.live(goals, reconnects))?;
    Ok(week.tally)
}

struct Week<'a> {
    supervised: &'a Supervised,
    workspaces: std::path::PathBuf,
    asked: Vec<GoalId>,
    tally: Tally,
}

impl Week<'_> {
    async fn live(&mut self, goals: u64, reconnects: u64) -> anyhow::Result<()> {
        self.supervised.done(&["start", "--debug"])?;
        let tasks = Tasks::new();
        let home = &self.supervised.home;
        let watcher = Watcher::spawn(home, &tasks);
        let came = Arc::new(AtomicU64::new(0));
        tasks.spawn("visitor", visit(home.clone(), reconnects, Arc::clone(&came)));
        for night in 1..=NIGHTS {
            self.work(goals / 2 / NIGHTS).await?;
            self.supervised.done(&["restart"])?;
            crate::progress::tell(format_args!("F20: night {night} of {NIGHTS}, {} goals", self.tally.cases));
        }
        self.one_life(goals - self.tally.cases).await?;
        let began = Instant::now();
        while came.load(Ordering::Relaxed) < reconnects {
            if began.elapsed() > END_MAX {
                bail!("a client came {} of {reconnects} times", came.load(Ordering::Relaxed));
            }
            sleep(Duration::from_millis(20)).await; // wait: it comes and goes by itself
        }
        let history = History::audit(&home.state_db(), "the week", &mut self.tally).await?;
        if !watcher.has(history.events.len() as u64, END_MAX).await {
            self.tally.fail("the client that stayed does not get the end");
        }
        watcher.audit(&history.events, "the week", &mut self.tally);
        self.tally.lost += self.asked.iter().filter(|goal| !history.goals.contains_key(goal)).count() as u64;
        self.tally.count("reconnects", came.load(Ordering::Relaxed));
        self.tally.count("events", history.events.len() as u64);
        tasks.stop(Duration::from_secs(5)).await;
        self.weigh_disk()
    }

    /// Everything in the life of one process each: what it has after a fifth is what it has at the end.
    async fn one_life(&mut self, goals: u64) -> anyhow::Result<()> {
        self.work(goals / 5).await?;
        let (began, before) = (Instant::now(), self.weigh().await?);
        self.work(goals - goals / 5).await?;
        let after = self.weigh().await?;
        let tens = began.elapsed().as_secs().div_ceil(GROWTH_WITHIN.as_secs());
        for (before, after) in before.iter().zip(&after) {
            let grown = after.anonymous_kib.saturating_sub(before.anonymous_kib);
            let limit = if goals / 5 < WARM_GOALS { WARMING_KIB_MAX } else { GROWTH_KIB_MAX * tens };
            if grown > limit {
                self.tally.fail(format_args!(
                    "the {} grew by {grown} KiB in {:.0} s: {} to {}",
                    before.name,
                    began.elapsed().as_secs_f64(),
                    before.anonymous_kib,
                    after.anonymous_kib
                ));
            }
            if after.descriptors > before.descriptors + DESCRIPTORS_MAX {
                let (before_, after_) = (before.descriptors, after.descriptors);
                self.tally.fail(format_args!("the {} has {after_} descriptors after {before_}", before.name));
            }
            self.tally.count(&format!("{}_kib", before.name), after.anonymous_kib);
            self.tally.count(&format!("{}_grown_kib", before.name), grown);
        }
        Ok(())
    }

    /// Asks for so many goals, and waits until they are done.
    async fn work(&mut self, goals: u64) -> anyhow::Result<()> {
        let mut left = usize::try_from(goals)?;
        while left > 0 {
            let batch = left.min(AT_ONCE);
            let mut open = Vec::new();
            for _ in 0..batch {
                let number = self.asked.len();
                let workspace = self.workspaces.join(format!("g{}", number % AT_ONCE));
                let goal = asked::submit(&self.supervised.home, &goal(number, &workspace)).await?;
                self.asked.push(goal);
                open.push(goal);
            }
            let ended = asked::all_at_rest(&self.supervised.home, &open, END_MAX).await?;
            for state in ended.values() {
                self.tally.count(state.goal.status.as_str(), 1);
            }
            self.tally.cases += batch as u64;
            left -= batch;
        }
        Ok(())
    }

    /// What each process has, at rest.
    async fn weigh(&self) -> anyhow::Result<Vec<Weight>> {
        sleep(REST).await; // wait: what was freed is given back after a while
        let weigh = |(name, holder): (&'static str, Option<pb_runtime::LockHolder>)| {
            let pid = holder.with_context(|| format!("the {name} is gone"))?.pid;
            let memory = process::memory(pid).with_context(|| format!("the {name} cannot be weighed"))?;
            let descriptors = process::open_descriptors(pid).unwrap_or_default();
            Ok(Weight { name, anonymous_kib: memory.anonymous_kib, descriptors })
        };
        self.supervised.all().map(weigh).into_iter().collect()
    }

    fn weigh_disk(&mut self) -> anyhow::Result<()> {
        let home = &self.supervised.home;
        for name in ["supervisor", "gateway", "scheduler"] {
            let bytes = bytes_of(&home.logs(), name)?;
            if bytes > LOG_BYTES_MAX {
                self.tally.fail(format_args!("the logs of the {name} have {bytes} bytes"));
            }
            self.tally.count(&format!("{name}_log_kib"), bytes / 1024);
        }
        for path in [home.state_db(), home.gateway_db(), home.trace_db()] {
            if wal_bytes(&path) > WAL_BYTES_MAX {
                self.tally.fail(format_args!("the WAL of {} has {} bytes", path.display(), wal_bytes(&path)));
            }
        }
        let left = std::fs::read_dir(home.temporary())?.count();
        if left > 0 {
            self.tally
                .fail(format_args!("{left} folders of steps are left in {}", home.temporary().display()));
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Weight {
    name: &'static str,
    anonymous_kib: u64,
    descriptors: u64,
}

/// The bytes of the files whose names begin so.
fn bytes_of(folder: &Path, beginning: &str) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(beginning) {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// Comes, reads a little, goes, and goes on there when it comes again.
async fn visit(home: Home, times: u64, came: Arc<AtomicU64>) {
    let mut after = "start".to_owned();
    while came.load(Ordering::Relaxed) < times {
        let asked = Asked { after: after.clone(), ..Asked::default() };
        let Ok(mut follower) = Follower::connect(&home, &asked).await else {
            sleep(Duration::from_millis(50)).await; // wait: everything is just restarted
            continue;
        };
        // One frame at least: at the end of the log the next goal brings it.
        let next = tokio::time::timeout(Duration::from_secs(1), follower.next()).await;
        if let Ok(Told::Frame(text)) = next
            && let Ok(Some(frame)) = follower.read(&text)
            && let Some(cursor) = frame.cursor
        {
            cursor.clone_into(&mut after);
        }
        follower.close().await;
        came.fetch_add(1, Ordering::Relaxed);
    }
}

fn goal(number: usize, workspace: &Path) -> serde_json::Value {
    json!({
        "title": format!("a goal of the week 第{number}个"),
        "description": "one of very many",
        "workspace": workspace,
        "items": [{
            "id": "a",
            "work": {"kind": "command", "argv": ["sh", "-c", "echo x > done"], "effect": "idempotent"},
            "gates": [{"kind": "file_exists", "path": "done"}],
        }],
        "idempotencyKey": format!("goal {number}"),
    })
}
