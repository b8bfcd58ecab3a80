//! F11: the link between scheduler and gateway goes through a proxy that delays, cuts, slices, swallows and
//! refuses what crosses it.
//!
//! A case is a goal that is asked for and lives while a toxic is at work. It must end as if the link were
//! sound (I9), and a client of the gateway must be told everything once and in order (I3).

pub(crate) mod linked;
mod proxy;

use std::time::Duration;

use anyhow::Context;
use futures_util::{StreamExt, stream};
use pb_model::GoalId;
use pb_model::goal::GoalStatus;
use pb_runtime::{Home, Tasks};
use pb_store::LogReader;
use serde_json::json;
use tokio::time::{Instant, sleep};

use self::proxy::Toxic;
use crate::history::History;
use crate::processes::{self, Process};
use crate::watcher::Watcher;
use crate::{Run, Tally, follower};

/// Goals that are asked for side by side.
const AT_ONCE: usize = 10;
/// How long all work may take under a toxic (I9).
const END_MAX: Duration = Duration::from_mins(2);

/// Runs the fault.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let goals_each = run.size.pick(1, 50, 1_000);
    let home = processes::home(run, "f11")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut tally = Tally::default();
    runtime.block_on(async {
        let mut gateway = processes::gateway(run, &home)?;
        processes::gateway_ready(&mut gateway, &home)?;
        let tasks = Tasks::new();
        let watcher = Watcher::spawn(&home, &tasks);
        for toxic in Toxic::ALL {
            let began = Instant::now();
            under(run, &home, toxic, goals_each, &mut tally).await?;
            let seconds = began.elapsed().as_secs();
            crate::progress::tell(format_args!("F11: {} took {seconds} s", toxic.as_str()));
        }
        let history = History::audit(&home.state_db(), "F11", &mut tally).await?;
        if !watcher.has(history.events.len() as u64, END_MAX).await {
            tally.fail("I9: the client does not get the end");
        }
        watcher.audit(&history.events, "F11", &mut tally);
        tasks.stop(Duration::from_secs(5)).await;
        anyhow::Ok(())
    })?;
    Ok(tally)
}

/// Lets goals live while a toxic is at work.
async fn under(run: &Run, home: &Home, toxic: Toxic, goals: u64, tally: &mut Tally) -> anyhow::Result<()> {
    let seed = run.seed.to_string();
    let arguments = ["child", "linked", "--toxic", toxic.as_str(), "--seed", &seed];
    let mut scheduler = Process::start("scheduler", &run.exe, arguments, home)?;
    processes::says_ready(&mut scheduler, home)?;
    let asking = (0..goals).map(|number| ask(home, format!("{}-{number}", toxic.as_str())));
    let answers: Vec<_> = stream::iter(asking).buffer_unordered(AT_ONCE).collect().await;
    let deadline = Instant::now() + END_MAX;
    let log = LogReader::open(&home.state_db()).await?;
    for answer in answers {
        tally.cases += 1;
        let goal = match answer {
            Ok(goal) => goal,
            Err(error) => {
                tally.fail(format_args!("{}: a goal is not answered: {error:#}", toxic.as_str()));
                continue;
            }
        };
        match wait(&log, goal, deadline).await? {
            Some(GoalStatus::Completed) => {}
            Some(other) => tally.fail(format_args!("{}: {goal} is {}", toxic.as_str(), other.as_str())),
            None => tally.fail(format_args!("{}: I9: {goal} has not ended", toxic.as_str())),
        }
    }
    scheduler.kill9()
}

async fn ask(home: &Home, key: String) -> anyhow::Result<GoalId> {
    let item = |id: &str, needs: &[&str]| {
        let gate = json!({"kind": "file_exists", "path": id});
        json!({"id": id, "needs": needs, "work": {"kind": "command", "argv": ["touch", id]}, "gates": [gate]})
    };
    let goal = json!({
        "title": "一個 goal",
        "description": "two files",
        "items": [item("a", &[]), item("b", &["a"])],
        "idempotencyKey": key,
    });
    let answer = follower::call(home, "goal.submit", &goal).await?;
    Ok(answer["id"].as_str().context("an answer without an id")?.parse()?)
}

/// Waits until a goal has ended, or the time is up.
async fn wait(log: &LogReader, goal: GoalId, deadline: Instant) -> anyhow::Result<Option<GoalStatus>> {
    loop {
        let status = log.state(goal).await?.map(|state| state.goal.status);
        match status {
            Some(
                ended @ (GoalStatus::Completed
                | GoalStatus::Failed
                | GoalStatus::Cancelled
                | GoalStatus::Blocked),
            ) => return Ok(Some(ended)),
            Some(GoalStatus::Queued | GoalStatus::Active) | None if Instant::now() > deadline => {
                return Ok(None);
            }
            Some(GoalStatus::Queued | GoalStatus::Active) | None => {
                sleep(Duration::from_millis(10)).await; // wait: the end of work is in another process's file
            }
        }
    }
}
