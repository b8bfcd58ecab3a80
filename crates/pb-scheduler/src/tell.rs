//! What the scheduler has to work with, written down for `pb run` and `pb status`: once when it is known, and whenever a
//! model begins or ends to go last.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pb_model::Lane;
use pb_runtime::SchedulerInfo;

use crate::effects::Context;

/// Tells for as long as the scheduler runs. While no model fails it waits, and wakes nothing.
pub(crate) async fn models(context: Arc<Context>) {
    let mut info = what_there_is(&context).await;
    loop {
        let cooling = context.models.cooldown().cooling();
        info.cooling = until(&context, &cooling);
        if let Err(error) = info.write(&context.config.home.scheduler_json()) {
            tracing::warn!(%error, "cannot write what models there are");
        }
        let soonest = cooling.values().min().copied();
        tokio::select! {
            () = context.models.cooldown().changed() => {}
            () = over(soonest) => {}
        }
    }
}

/// Waits until a model no longer goes last.
async fn over(after: Option<Duration>) {
    match after {
        Some(after) => tokio::time::sleep(after).await,
        None => std::future::pending().await,
    }
}

fn until(context: &Context, cooling: &BTreeMap<String, Duration>) -> BTreeMap<String, u64> {
    let now = context.config.clock.now_ms();
    let at = |left: &Duration| now.saturating_add(u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
    cooling.iter().map(|(model, left)| (model.clone(), at(left))).collect()
}

async fn what_there_is(context: &Context) -> SchedulerInfo {
    let trace = &context.settings.trace;
    let mut info = SchedulerInfo {
        pid: std::process::id(),
        confines: pb_exec::support().fs,
        allow_unconfined_agents: context.agent_policy() == pb_exec::Policy::BestEffort,
        lanes: Lane::ALL
            .into_iter()
            .map(|lane| (lane.as_str().to_owned(), context.lane_limit(lane)))
            .collect(),
        trace_content: (!trace.is_off()).then(|| trace.content.as_str().to_owned()),
        ..SchedulerInfo::default()
    };
    match context.models.models().await {
        Ok(models) => {
            info.models = models.list().into_iter().map(|model| model.name).collect();
            info.keys = models.keys();
            info.endpoints = models.endpoints();
        }
        Err(hindrance) => info.problem = Some(hindrance.to_string()),
    }
    info
}
