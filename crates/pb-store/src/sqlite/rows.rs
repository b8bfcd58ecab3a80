//! The tables that hold what `evolve` returned: columns for queries, the state as JSON.

use pb_model::goal::{Goal, Item, Run};
use rusqlite::{Params, Transaction, params};
use serde::Serialize;

use super::append::fenced_unless;
use super::{schedules, sessions};
use crate::contract::{Error, Row};

/// Writes a row whole. A row that is there keeps its place among the others: `REPLACE` would move it to the end.
pub(crate) fn put(transaction: &Transaction<'_>, row: &Row) -> Result<(), Error> {
    match row {
        Row::Goal(goal) => put_goal(transaction, goal),
        Row::Item(item) => put_item(transaction, item),
        Row::Run(run) => put_run(transaction, run),
        Row::GateResult(result) => execute(
            transaction,
            "INSERT INTO gate_result (run, step, goal, state) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (run, step) DO UPDATE SET state = excluded.state",
            params![
                result.run_id.to_string(),
                result.step,
                result.goal_id.to_string(),
                json("gate result", result)?
            ],
        ),
        Row::Artifact(artifact) => execute(
            transaction,
            "INSERT INTO artifact (id, goal, state) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state",
            params![artifact.id.to_string(), artifact.goal_id.to_string(), json("artifact", artifact)?],
        ),
        Row::Schedule(schedule) => schedules::put(transaction, schedule),
        Row::Session(session) => sessions::put(transaction, session),
        Row::Escalation(escalation) => execute(
            transaction,
            "INSERT INTO escalation (id, goal, state) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state",
            params![
                escalation.id.to_string(),
                escalation.goal_id.to_string(),
                json("escalation", escalation)?
            ],
        ),
    }
}

fn put_goal(transaction: &Transaction<'_>, goal: &Goal) -> Result<(), Error> {
    execute(
        transaction,
        "INSERT INTO goal (id, status, priority, created_at, state) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, state = excluded.state",
        params![
            goal.id.to_string(),
            goal.status.as_str(),
            goal.spec.priority,
            goal.created_at_ms as i64,
            json("goal", goal)?
        ],
    )
}

fn put_item(transaction: &Transaction<'_>, item: &Item) -> Result<(), Error> {
    execute(
        transaction,
        "INSERT INTO item (id, goal, place, status, state) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, state = excluded.state",
        params![
            item.id.to_string(),
            item.goal_id.to_string(),
            item.index,
            item.status.as_str(),
            json("item", item)?
        ],
    )
}

/// The one row that is fenced: a later epoch's run is not overwritten.
fn put_run(transaction: &Transaction<'_>, run: &Run) -> Result<(), Error> {
    let written = transaction
        .prepare_cached(
            "INSERT INTO run (id, goal, item, attempt, epoch, status, created_at, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, status = excluded.status,
               state = excluded.state WHERE run.epoch <= excluded.epoch",
        )?
        .execute(params![
            run.id.to_string(),
            run.goal_id.to_string(),
            run.item_id.map(|item| item.to_string()).unwrap_or_default(),
            run.attempt,
            run.epoch as i64,
            run.status.as_str(),
            run.created_at_ms as i64,
            json("run", run)?
        ])?;
    fenced_unless(written, &run.id.to_string())
}

fn execute(transaction: &Transaction<'_>, sql: &str, params: impl Params) -> Result<(), Error> {
    transaction.prepare_cached(sql)?.execute(params)?;
    Ok(())
}

fn json<T: Serialize>(what: &'static str, value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|source| Error::Corrupt { what, source })
}
