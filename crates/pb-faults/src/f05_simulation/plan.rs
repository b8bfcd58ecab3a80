//! The goals of a seed: drawn at random, of every effect class.

use anyhow::Context;
use pb_model::{GoalId, GoalSpec};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use uuid::Uuid;

/// Most goals of a seed.
const GOALS_MAX: u128 = 3;
/// Most items of a goal.
const ITEMS_MAX: usize = 6;

/// The goals of a seed; some share the folder `shared`.
pub(super) fn draw(rng: &mut StdRng, shared: &str) -> anyhow::Result<Vec<(GoalId, GoalSpec)>> {
    let count = rng.random_range(1..=GOALS_MAX);
    (1..=count)
        .map(|number| {
            let items: Vec<Value> =
                (0..rng.random_range(1..=ITEMS_MAX)).map(|place| item(rng, place)).collect();
            let mut spec = json!({"title": format!("goal {number}"), "description": "drawn", "items": items});
            if rng.random_bool(0.3) {
                spec["workspace"] = shared.into();
            }
            let spec = serde_json::from_value(spec).context("a goal was drawn that is none")?;
            Ok((GoalId::from(Uuid::from_u128(number)), spec))
        })
        .collect()
}

fn item(rng: &mut StdRng, place: usize) -> Value {
    // Needs point backwards, so there is no circle.
    let needs: Vec<String> =
        (0..place).filter(|_| rng.random_bool(0.4)).map(|need| need.to_string()).collect();
    let gates: Vec<Value> = (0..rng.random_range(0..3))
        .map(|gate| json!({"kind": "file_exists", "path": format!("{place}-{gate}"), "required": rng.random_bool(0.8)}))
        .collect();
    let effect = ["pure", "idempotent", "unsafe"][rng.random_range(0..3)];
    let mut item = json!({
        "id": place.to_string(),
        "needs": needs,
        "work": {"kind": "command", "argv": ["true"], "effect": effect},
        "gates": gates,
    });
    if rng.random_bool(0.5) {
        item["max_retries"] = rng.random_range(0..3).into();
    }
    item
}
