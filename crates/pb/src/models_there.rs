//! Is there a model for what is asked? Asked before anything is stored.

use std::time::{Duration, Instant};

use pb_llm::{Models, no_model_text};
use pb_model::GoalSpec;
use pb_model::spec::Work;
use pb_runtime::config::Config;
use pb_runtime::{Home, SchedulerInfo, environment};

use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// How long a scheduler that has just started may take to look for models.
const LOOK_LIMIT: Duration = Duration::from_secs(3);
/// How often it is looked whether it has.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Whether a model has to do any of it.
pub(crate) fn is_needed(spec: &GoalSpec) -> bool {
    spec.items.is_empty() || spec.items.iter().any(|item| matches!(item.work, Work::Agent(_)))
}

/// Fails in the lines that help when no model is there, and tells what the running scheduler lacks.
pub(crate) async fn check(home: &Home) -> Result<(), Failure> {
    let Some(holder) = Daemon::Scheduler.holder(home) else {
        // It will be started from here, with what we have.
        let ours = ours(home).await?;
        return if ours.is_empty() { Err(none(home)) } else { Ok(()) };
    };
    let Some(info) = info(home, holder.pid).await else {
        return Ok(()); // An older version, or a slow machine: the goal itself will tell.
    };
    if let Some(problem) = &info.problem {
        return Err(Failure::new(Exit::Config, problem).hint("mend that, then: pb scheduler restart"));
    }
    let ours = ours(home).await?;
    let lacks: Vec<String> = ours.keys().into_iter().filter(|key| !info.keys.contains(key)).collect();
    if !lacks.is_empty() {
        let keys = lacks.join(", ");
        let lacking = format!("{keys} is set here, but not in the running scheduler");
        if info.models.is_empty() {
            return Err(
                Failure::new(Exit::Config, lacking).hint("give it to the scheduler: pb scheduler restart")
            );
        }
        output::note(format_args!("{lacking}; to use it: pb scheduler restart"));
    }
    if info.models.is_empty() && ours.is_empty() { Err(none(home)) } else { Ok(()) }
}

async fn ours(home: &Home) -> Result<Models, Failure> {
    let settings = Config::read(&home.config()).map_err(anyhow::Error::from)?;
    let found = Models::find(&settings, home, &environment::text).await;
    found.map_err(|error| Failure::of(Exit::Config, &error.into()))
}

/// What the scheduler with this pid has, once it has looked.
async fn info(home: &Home, pid: u32) -> Option<SchedulerInfo> {
    let began = Instant::now();
    loop {
        if let Some(info) = SchedulerInfo::read(&home.scheduler_json(), pid) {
            return Some(info);
        }
        if began.elapsed() > LOOK_LIMIT {
            return None;
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

fn none(home: &Home) -> Failure {
    let text = no_model_text(home);
    let mut lines = text.lines();
    let mut failure = Failure::new(Exit::Config, lines.next().unwrap_or_default());
    for line in lines {
        failure = failure.hint(line);
    }
    failure
}
