//! What people do about schedules: some are added, run by hand, paused for a while, and removed in the end, so that work
//! ends. Slots pass meanwhile, also while the scheduler is dead or the clock jumps.

use pb_model::schedule::Missed;
use pb_model::{GoalId, ScheduleId};
use pb_store::NewCommand;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use uuid::Uuid;

/// Most schedules of a seed.
const SCHEDULES_MAX: u32 = 2;
/// Beside the draws of the seed, which stay as they are.
const OTHER_DRAWS: u64 = 0x5ced;

/// The commands, and how long after the one before each is given, in milliseconds.
pub(super) fn commands(seed: u64) -> Vec<(u64, NewCommand)> {
    let mut rng = StdRng::seed_from_u64(seed ^ OTHER_DRAWS);
    let mut commands = Vec::new();
    let ids: Vec<ScheduleId> =
        (0..rng.random_range(0..=SCHEDULES_MAX)).map(|_| Uuid::from_u128(rng.random()).into()).collect();
    for id in &ids {
        let missed = Missed::ALL[rng.random_range(0..Missed::ALL.len())];
        let item = json!({"id": "a", "work": {"kind": "command", "argv": ["true"], "effect": "pure"}});
        let spec = json!({
            "goal": {"title": "once more", "description": "again and again", "items": [item]},
            "timing": {"kind": "every", "interval_ms": 60_000},
            "missed": missed,
            "failures_max": 3,
        });
        commands.push((
            rng.random_range(0..2_000),
            command("add", *id, &json!({"scheduleId": id, "spec": spec})),
        ));
    }
    for id in &ids {
        let asked = json!({"scheduleId": id});
        if rng.random_bool(0.5) {
            let goal = GoalId::from(Uuid::from_u128(rng.random()));
            let params = json!({"scheduleId": id, "goalId": goal});
            commands.push((rng.random_range(0..60_000), command("run", *id, &params)));
        }
        if rng.random_bool(0.3) {
            commands.push((rng.random_range(0..60_000), command("pause", *id, &asked)));
            commands.push((rng.random_range(0..60_000), command("resume", *id, &asked)));
        }
        commands.push((rng.random_range(60_000..240_000), command("remove", *id, &asked)));
    }
    commands
}

fn command(what: &str, id: ScheduleId, params: &Value) -> NewCommand {
    NewCommand {
        id: format!("schedule.{what} {id}"),
        params_digest: String::new(),
        actor: "ann".to_owned(),
        method: format!("schedule.{what}"),
        params: params.to_string(),
        goal: id.to_string(),
        at_ms: 0,
    }
}
