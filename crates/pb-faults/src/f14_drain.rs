//! F14: a scheduler that is asked to stop while work is under way, once or twice.
//!
//! And one that hangs (`f14_hung.rs`). A case is a stop. Asked once, it ends with exit code 0 within the time that steps have to end; asked
//! twice, at once. Whatever was under way goes on at the next start, and nothing that was answered is lost.

use std::time::{Duration, Instant};

use anyhow::Context;
use pb_model::GoalId;
use rand::RngExt;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::history::History;
use crate::lanes::{self, Case};
use crate::processes::{self, Process};
use crate::{Run, Size, Tally, asked, f14_hung};

/// Goals that are under way.
const GOALS: usize = 4;
/// A drain takes at most 20 s, and then what is left has to be written; a test asks for three times that.
const DRAIN_MAX: Duration = Duration::from_mins(1);
/// A second request ends it at once.
const AT_ONCE_MAX: Duration = Duration::from_secs(6);
/// How long the work may take after the next start.
const END_MAX: Duration = Duration::from_mins(1);

/// Runs the fault.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    run.pb.as_ref().context("F14 needs the `pb` under test: --pb PATH")?;
    let mut tally = lanes::run(run, "F14", run.size.pick(2, 50, 5_000), |case, tally| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(one(run, case, tally))
    })?;
    if run.size != Size::Smoke {
        tally.add(f14_hung::run(run)?);
    }
    Ok(tally)
}

async fn one(run: &Run, mut case: Case, tally: &mut Tally) -> anyhow::Result<()> {
    let twice = case.number % 2 == 1;
    let whose = format!("stop {} of seed {}", case.number, run.seed);
    let home = processes::home(run, &format!("d{}", case.number))?;
    let folder = run.folder.join(format!("d{}.work", case.number));
    let mut gateway = processes::gateway(run, &home)?;
    processes::gateway_ready(&mut gateway, &home)?;
    let pb = run.pb.as_deref().context("there is no `pb`")?;
    let start = || Process::start("scheduler", pb, ["scheduler", "start", "--foreground"], &home);
    let mut scheduler = start()?;
    processes::says_ready(&mut scheduler, &home)?;
    let mut goals: Vec<GoalId> = Vec::new();
    for number in 0..GOALS {
        let workspace = folder.join(format!("w{number}"));
        std::fs::create_dir_all(&workspace)?;
        let seconds = if twice { 30.0 } else { case.chance.random_range(0.01..1.5) };
        goals.push(asked::submit(&home, &goal(number, seconds, &workspace)).await?);
    }
    sleep(Duration::from_millis(case.chance.random_range(0..400))).await; // The very moment of the request.

    let asked_at = Instant::now();
    scheduler.signal(Signal::TERM)?;
    let limit = if twice {
        sleep(Duration::from_millis(case.chance.random_range(20..300))).await; // And of the second one.
        scheduler.signal(Signal::TERM)?;
        AT_ONCE_MAX
    } else {
        DRAIN_MAX
    };
    let status = loop {
        if let Some(status) = scheduler.ended()? {
            break status;
        }
        if asked_at.elapsed() > limit {
            tally.fail(format_args!("{whose}: it runs {limit:?} after it was asked to stop"));
            return Ok(());
        }
        sleep(Duration::from_millis(5)).await; // wait: another process ends
    };
    if !twice && !status.success() {
        tally.fail(format_args!("{whose}: a drain ended with {status}"));
    }
    let left = asked::nobody_in(&folder, AT_ONCE_MAX).await;
    if !left.is_empty() {
        tally.fail(format_args!("{whose}: processes outlived the scheduler: {left:?}"));
    }

    let mut scheduler = start()?;
    processes::says_ready(&mut scheduler, &home)?;
    if twice {
        // What takes long need not be waited for: that it can be stopped is enough.
        for goal in &goals {
            crate::follower::call(&home, "goal.cancel", &json!({"goalId": goal})).await?;
        }
    }
    match asked::all_at_rest(&home, &goals, END_MAX).await {
        Ok(ended) => ended.values().for_each(|state| tally.count(state.goal.status.as_str(), 1)),
        Err(error) => tally.fail(format_args!("{whose}: {error}")),
    }
    let history = History::audit(&home.state_db(), &whose, tally).await?;
    tally.lost += goals.iter().filter(|goal| !history.goals.contains_key(goal)).count() as u64;
    tally.cases += 1;
    tally.count(if twice { "twice" } else { "once" }, 1);
    Ok(())
}

fn goal(number: usize, seconds: f64, workspace: &std::path::Path) -> Value {
    json!({
        "title": format!("goal {number}"),
        "description": "it is under way when the scheduler is asked to stop",
        "workspace": workspace,
        "items": [{
            "id": "a",
            "work": {
                "kind": "command",
                "argv": ["sh", "-ec", format!("trap '' TERM; sleep {seconds}; echo done > done")],
                "effect": "idempotent",
            },
            "gates": [{"kind": "file_exists", "path": "done"}],
        }],
        "idempotencyKey": format!("goal {number}"),
    })
}
