//! Reading: short, paged, each its own implicit transaction.

use rusqlite::{Connection, OptionalExtension, Params, params};
use serde::de::DeserializeOwned;

use pb_model::goal::{Escalation, EscalationType, Goal, GoalState, Item, ItemStatus};
use pb_model::{GoalId, ItemId};

use super::unsigned;
use crate::contract::{Error, EventRecord, LogIdentity, SCHEMA_VERSION, Step, StoredResult};
use crate::feed::{EventRow, Page, SPAN_BYTES_MAX, Span, Tail};
use crate::log::{EscalationFilter, GoalCost, GoalFilter, ItemFilter, LaneCount};

/// Most event bytes in one page; the first event is always in it.
const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// Which history this is; `None` in a file whose first incarnation has not begun.
pub(crate) fn identity(connection: &Connection) -> Result<Option<LogIdentity>, Error> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(LogIdentity {
            id: row.get(0)?,
            generation: unsigned(row.get(1)?),
            incarnation: unsigned(row.get(2)?),
            schema: SCHEMA_VERSION,
        })
    };
    let mut statement = connection.prepare_cached("SELECT id, generation, incarnation FROM log")?;
    Ok(statement.query_row([], read).optional()?)
}

/// The position of the last event, 0 without one.
pub(crate) fn last_pos(connection: &Connection) -> Result<u64, Error> {
    let pos = connection
        .prepare_cached("SELECT coalesce(max(pos), 0) FROM event")?
        .query_row([], |row| row.get(0))?;
    Ok(unsigned(pos))
}

/// A page of events after `pos`.
pub(crate) fn events_after(
    connection: &Connection,
    pos: u64,
    limit: usize,
) -> Result<Vec<EventRecord>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT pos, seq, goal, id, at, kind, body, data FROM event WHERE pos > ?1 ORDER BY pos LIMIT ?2",
    )?;
    // A client may have said any number: beyond SQLite's integers there is no event.
    let pos = i64::try_from(pos).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![pos, limit as i64])?;
    let mut page = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let event = record(row)?;
        bytes += event.body.len() + event.data.len();
        if bytes > PAGE_BYTES_MAX && !page.is_empty() {
            break;
        }
        page.push(event);
    }
    Ok(page)
}

/// A row of an event, whole.
pub(super) fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<EventRecord> {
    Ok(EventRecord {
        pos: unsigned(row.get(0)?),
        seq: unsigned(row.get(1)?),
        goal: row.get(2)?,
        id: row.get(3)?,
        at_ms: unsigned(row.get(4)?),
        kind: row.get(5)?,
        body: row.get(6)?,
        data: row.get(7)?,
    })
}

/// The newest events of these kinds after `pos`, in their order.
pub(crate) fn newest_of(
    connection: &Connection,
    pos: u64,
    kinds: &[&'static str],
    limit: usize,
) -> Result<Vec<EventRecord>, Error> {
    // They are words of ours, the same each time.
    let kinds = kinds.join("', '");
    let mut statement = connection.prepare_cached(&format!(
        "SELECT pos, seq, goal, id, at, kind, body, data FROM event
         WHERE pos > ?1 AND kind IN ('{kinds}') ORDER BY pos DESC LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![pos as i64, limit as i64], record)?;
    let mut found = rows.collect::<Result<Vec<_>, _>>()?;
    found.reverse();
    Ok(found)
}

/// The events before `before`, of one goal if that is asked, the latest first: at most `limit`, and at most 1 MiB
/// beyond the first. Their bodies are left out.
pub(crate) fn events_before(
    connection: &Connection,
    before: u64,
    goal: Option<&str>,
    limit: usize,
) -> Result<Vec<EventRecord>, Error> {
    // Within a goal, positions rise with the number that its index is by.
    let (of, order) = if goal.is_some() { ("goal = ?3 AND", "seq") } else { ("?3 IS NULL AND", "pos") };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT pos, seq, goal, id, at, kind, '', data FROM event WHERE {of} pos < ?1 ORDER BY {order} DESC LIMIT ?2"
    ))?;
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![before, limit as i64, goal])?;
    let mut page = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let event = record(row)?;
        bytes += event.data.len();
        if bytes > PAGE_BYTES_MAX && !page.is_empty() {
            break;
        }
        page.push(event);
    }
    Ok(page)
}

/// The events after `pos` in at most so many spans of so many bytes, and whether there are more.
pub(crate) fn spans_after<P: Page>(
    connection: &Connection,
    log: &LogIdentity,
    pos: u64,
    (spans_max, bytes_max): (usize, usize),
) -> Result<(Vec<Span<P>>, bool), Error> {
    let mut statement = connection
        .prepare_cached("SELECT pos, seq, goal, at, kind, data FROM event WHERE pos > ?1 ORDER BY pos")?;
    // A client may have said any number: beyond SQLite's integers there is no event.
    let mut rows = statement.query([i64::try_from(pos).unwrap_or(i64::MAX)])?;
    let mut spans = Vec::new();
    let mut span = Span::begin(log, pos);
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
        span.push(&EventRow {
            pos: unsigned(row.get(0)?),
            seq: unsigned(row.get(1)?),
            goal: text(2)?,
            at_ms: unsigned(row.get(3)?),
            kind: text(4)?,
            data: text(5)?,
        });
        if span.is_full(bytes_max) {
            let next = Span::begin(log, span.last());
            spans.push(std::mem::replace(&mut span, next).sealed());
            if spans.len() == spans_max {
                return Ok((spans, true));
            }
        }
    }
    if span.events() > 0 {
        spans.push(span.sealed());
    }
    Ok((spans, false))
}

/// The events after `pos` that make one span of about so many bytes, if this is still the log that the
/// asker means.
pub(crate) fn span<P: Page>(
    connection: &mut Connection,
    log: &LogIdentity,
    (pos, bytes_max): (u64, usize),
) -> Result<Option<Span<P>>, Error> {
    let transaction = connection.transaction()?;
    let is_same =
        identity(&transaction)?.is_some_and(|is| is.id == log.id && is.generation == log.generation);
    if !is_same {
        return Ok(None);
    }
    Ok(spans_after(&transaction, log, pos, (1, bytes_max))?.0.pop())
}

/// What is new at the log's end, if anything may be since `data_version` was `seen`. After another history
/// than the `known` one, everything is.
pub(crate) fn tail<P: Page>(
    connection: &mut Connection,
    seen: Option<u64>,
    (known, end): (Option<&LogIdentity>, u64),
    spans_max: usize,
) -> Result<Option<Tail<P>>, Error> {
    let data_version = data_version(connection)?;
    if seen == Some(data_version) {
        return Ok(None);
    }
    let transaction = connection.transaction()?;
    let identity = identity(&transaction)?;
    let Some(log) = &identity else {
        return Ok(Some(Tail { data_version, identity, spans: Vec::new(), more: false }));
    };
    let is_known = known.is_none_or(|known| known.id == log.id && known.generation == log.generation);
    let after = if is_known { end } else { 0 };
    let (spans, more) = spans_after(&transaction, log, after, (spans_max, SPAN_BYTES_MAX))?;
    drop(transaction);
    Ok(Some(Tail { data_version, identity, spans, more }))
}

/// A page of goals, highest priority first, then oldest first, and how many there are in all. Of the latest ones,
/// if that is asked.
pub(crate) fn goals(connection: &Connection, filter: &GoalFilter) -> Result<(Vec<Goal>, u64), Error> {
    let status = filter.status.map(pb_model::goal::GoalStatus::as_str);
    let total: i64 = connection
        .prepare_cached("SELECT count(*) FROM goal WHERE ?1 IS NULL OR status = ?1")?
        .query_row([status], |row| row.get(0))?;
    let after = filter.after.as_ref();
    let after = (
        after.map(|place| place.priority),
        after.map(|place| place.created_at_ms as i64),
        after.map(|place| place.id.as_str()),
    );
    let goals = states(
        connection,
        "goal",
        if filter.latest {
            "SELECT state FROM (SELECT * FROM goal WHERE (?1 IS NULL OR status = ?1)
                                AND (?4 IS NULL OR (created_at, id) < (?5, ?6))
                                ORDER BY created_at DESC, id DESC LIMIT ?2 OFFSET ?3)
             ORDER BY priority DESC, created_at, id"
        } else {
            "SELECT state FROM goal WHERE (?1 IS NULL OR status = ?1)
             AND (?4 IS NULL OR (-priority, created_at, id) > (-?4, ?5, ?6))
             ORDER BY priority DESC, created_at, id LIMIT ?2 OFFSET ?3"
        },
        params![status, filter.limit as i64, filter.offset as i64, after.0, after.1, after.2],
    )?;
    Ok((goals, unsigned(total)))
}

/// How many goals there are in each status.
pub(crate) fn goal_counts(connection: &Connection) -> Result<Vec<(String, u64)>, Error> {
    let mut statement =
        connection.prepare_cached("SELECT status, count(*) FROM goal GROUP BY status ORDER BY status")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many items of active goals run in each lane, and how many are ready.
pub(crate) fn lane_counts(connection: &Connection) -> Result<Vec<(String, LaneCount)>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT json_extract(item.state, '$.lane'), sum(item.status IN ('in_progress', 'verify')), \
         sum(item.status = 'ready') FROM goal JOIN item ON item.goal = goal.id \
         WHERE goal.status = 'active' GROUP BY 1 ORDER BY 1",
    )?;
    let count = |row: &rusqlite::Row<'_>| {
        Ok((row.get(0)?, LaneCount { running: unsigned(row.get(1)?), ready: unsigned(row.get(2)?) }))
    };
    Ok(statement.query_map([], count)?.collect::<Result<_, _>>()?)
}

/// What each goal has spent on models, oldest goal first.
pub(crate) fn costs(connection: &Connection) -> Result<Vec<GoalCost>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, json_extract(state, '$.spec.title'), json_extract(state, '$.spending.lines') FROM goal \
         WHERE json_array_length(state, '$.spending.lines') > 0 ORDER BY created_at, id",
    )?;
    let mut rows = statement.query([])?;
    let mut costs = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, lines): (String, String) = (row.get(0)?, row.get(2)?);
        costs.push(GoalCost {
            goal: id.parse().map_err(|_| Error::BadId { id: id.clone() })?,
            title: row.get(1)?,
            lines: serde_json::from_str(&lines)
                .map_err(|source| Error::Corrupt { what: "sum of costs", source })?,
        });
    }
    Ok(costs)
}

/// Ids of goals that contain `fragment`, at most `limit`.
pub(crate) fn goal_ids_like(
    connection: &Connection,
    fragment: &str,
    limit: usize,
) -> Result<Vec<String>, Error> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM goal WHERE instr(id, ?1) > 0 ORDER BY id LIMIT ?2")?;
    let rows = statement.query_map(params![fragment, limit as i64], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A goal with everything that belongs to it.
pub(crate) fn state(connection: &Connection, goal: &str) -> Result<Option<GoalState>, Error> {
    let Some(row) = states(connection, "goal", "SELECT state FROM goal WHERE id = ?1", [goal])?.pop() else {
        return Ok(None);
    };
    Ok(Some(GoalState {
        goal: row,
        items: items_of(connection, goal)?,
        runs: states(connection, "run", "SELECT state FROM run WHERE goal = ?1 ORDER BY rowid", [goal])?,
        gate_results: states(
            connection,
            "gate result",
            "SELECT state FROM gate_result WHERE goal = ?1 ORDER BY rowid",
            [goal],
        )?,
        artifacts: states(
            connection,
            "artifact",
            "SELECT state FROM artifact WHERE goal = ?1 ORDER BY rowid",
            [goal],
        )?,
        escalations: states(
            connection,
            "escalation",
            "SELECT state FROM escalation WHERE goal = ?1 ORDER BY rowid",
            [goal],
        )?,
    }))
}

/// The same with what belongs to one item only.
pub(crate) fn state_of_item(
    connection: &Connection,
    goal: &str,
    item: &str,
) -> Result<Option<GoalState>, Error> {
    let Some(row) = states(connection, "goal", "SELECT state FROM goal WHERE id = ?1", [goal])?.pop() else {
        return Ok(None);
    };
    Ok(Some(GoalState {
        goal: row,
        items: items_of(connection, goal)?,
        runs: states(connection, "run", "SELECT state FROM run WHERE item = ?1 ORDER BY rowid", [item])?,
        gate_results: states(
            connection,
            "gate result",
            "SELECT state FROM gate_result WHERE run IN (SELECT id FROM run WHERE item = ?1) ORDER BY rowid",
            [item],
        )?,
        artifacts: Vec::new(),
        escalations: Vec::new(),
    }))
}

fn items_of(connection: &Connection, goal: &str) -> Result<Vec<Item>, Error> {
    states(connection, "item", "SELECT state FROM item WHERE goal = ?1 ORDER BY place", [goal])
}

/// Ids of the goals that have not ended.
pub(crate) fn open_goals(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM goal WHERE status IN ('queued', 'active', 'blocked') ORDER BY created_at, id",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A page of items with their goals: the latest goals first, each in the order of its plan.
pub(crate) fn items(
    connection: &Connection,
    filter: ItemFilter,
) -> Result<(Vec<(ItemId, GoalId)>, u64), Error> {
    const CHOSEN: &str = "FROM item JOIN goal ON goal.id = item.goal \
        WHERE (?1 IS NULL OR item.goal = ?1) AND (?2 IS NULL OR item.status = ?2)";
    let goal = filter.goal.map(|goal| goal.to_string());
    let status = filter.status.map(ItemStatus::as_str);
    let total: i64 = connection
        .prepare_cached(&format!("SELECT count(*) {CHOSEN}"))?
        .query_row(params![goal, status], |row| row.get(0))?;
    let mut statement = connection.prepare_cached(&format!(
        "WITH last (at, goal, place) AS (SELECT goal.created_at, goal.id, item.place
           FROM item JOIN goal ON goal.id = item.goal WHERE item.id = ?5)
         SELECT item.id, item.goal {CHOSEN}
         AND (?5 IS NULL OR (goal.created_at, goal.id) < (SELECT at, goal FROM last)
              OR (item.goal = (SELECT goal FROM last) AND item.place > (SELECT place FROM last)))
         ORDER BY goal.created_at DESC, goal.id DESC, item.place LIMIT ?3 OFFSET ?4"
    ))?;
    let after = filter.after.map(|item| item.to_string());
    let page = statement
        .query_map(params![goal, status, filter.limit as i64, filter.offset as i64, after], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    // Ids are written by us, and read back.
    let ids = page.iter().filter_map(|(item, goal)| Some((item.parse().ok()?, goal.parse().ok()?)));
    Ok((ids.collect(), unsigned(total)))
}

/// A page of questions, the latest first.
pub(crate) fn escalations(
    connection: &Connection,
    filter: EscalationFilter,
) -> Result<(Vec<Escalation>, u64), Error> {
    const CHOSEN: &str = "FROM escalation JOIN goal ON goal.id = escalation.goal \
        WHERE (?1 IS NULL OR escalation.goal = ?1) AND (?2 IS NULL OR ?2 = \
        (json_extract(escalation.state, '$.resolution') IS NULL AND goal.status IN ('queued', 'active', 'blocked')))
        AND (?3 IS NULL OR json_extract(escalation.state, '$.escalation_type') = ?3)
        AND (?4 IS NULL OR ?4 = (json_extract(escalation.state, '$.resolution.answer') = 'approve' AND
             coalesce(json_extract(escalation.state, '$.approval.status'), 'granted') IN ('granted', 'used')))";
    let goal = filter.goal.map(|goal| goal.to_string());
    let kind = filter.escalation_type.map(EscalationType::as_str);
    let after = filter.after.map(|asked| asked.to_string());
    let total: i64 = connection
        .prepare_cached(&format!("SELECT count(*) {CHOSEN}"))?
        .query_row(params![goal, filter.is_open, kind, filter.approved], |row| row.get(0))?;
    let page = states(
        connection,
        "escalation",
        &format!(
            "SELECT escalation.state {CHOSEN}
             AND (?5 IS NULL OR escalation.rowid < (SELECT rowid FROM escalation WHERE id = ?5))
             ORDER BY escalation.rowid DESC LIMIT ?6 OFFSET ?7"
        ),
        params![
            goal,
            filter.is_open,
            kind,
            filter.approved,
            after,
            filter.limit as i64,
            filter.offset as i64
        ],
    )?;
    Ok((page, unsigned(total)))
}

/// A question.
pub(crate) fn escalation(connection: &Connection, id: &str) -> Result<Option<Escalation>, Error> {
    Ok(states(connection, "escalation", "SELECT state FROM escalation WHERE id = ?1", [id])?.pop())
}

/// The goal that a question is about.
pub(crate) fn goal_of_escalation(connection: &Connection, id: &str) -> Result<Option<String>, Error> {
    let mut statement = connection.prepare_cached("SELECT goal FROM escalation WHERE id = ?1")?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?)
}

/// The goal that an item belongs to.
pub(crate) fn goal_of_item(connection: &Connection, item: &str) -> Result<Option<String>, Error> {
    let mut statement = connection.prepare_cached("SELECT goal FROM item WHERE id = ?1")?;
    Ok(statement.query_row([item], |row| row.get(0)).optional()?)
}

/// The journal of a goal's runs, in the order in which the steps began.
pub(crate) fn steps(connection: &Connection, goal: &str) -> Result<Vec<Step>, Error> {
    read_steps(
        connection,
        "SELECT s.run, s.n, s.epoch, s.kind, s.effect_key, s.label, s.intent_at, s.result_at, s.outcome, s.result
         FROM step s JOIN run r ON r.id = s.run WHERE r.goal = ?1 ORDER BY s.intent_at, s.rowid",
        [goal],
    )
}

/// The journal of one run beyond a place, in the order of its places.
pub(crate) fn steps_of_run(connection: &Connection, run: &str, after: u32) -> Result<Vec<Step>, Error> {
    read_steps(
        connection,
        "SELECT run, n, epoch, kind, effect_key, label, intent_at, result_at, outcome, result
         FROM step WHERE run = ?1 AND n > ?2 ORDER BY n, epoch",
        params![run, after],
    )
}

/// The tool steps of an item's other runs that were asked to do the same, oldest first.
pub(crate) fn same_effects(
    connection: &Connection,
    item: &str,
    run: &str,
    request_hash: &str,
) -> Result<Vec<Step>, Error> {
    read_steps(
        connection,
        "SELECT s.run, s.n, s.epoch, s.kind, s.effect_key, s.label, s.intent_at, s.result_at, s.outcome, s.result
         FROM step s JOIN run r ON r.id = s.run
         WHERE r.item = ?1 AND s.run <> ?2 AND s.kind = 'tool' AND s.request_hash = ?3 ORDER BY s.rowid",
        [item, run, request_hash],
    )
}

fn read_steps(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<Step>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params, |row| {
        Ok(Step {
            run: row.get(0)?,
            n: row.get(1)?,
            epoch: unsigned(row.get(2)?),
            kind: row.get(3)?,
            effect_key: row.get(4)?,
            label: row.get(5)?,
            intent_at_ms: unsigned(row.get(6)?),
            result_at_ms: row.get::<_, Option<i64>>(7)?.map(unsigned),
            outcome: row.get(8)?,
            result: row.get(9)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The stored result of a command.
pub(crate) fn command(connection: &Connection, id: &str) -> Result<Option<StoredResult>, Error> {
    let mut statement =
        connection.prepare_cached("SELECT id, params_digest, result, at FROM command WHERE id = ?1")?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(StoredResult {
            id: row.get(0)?,
            params_digest: row.get(1)?,
            result: row.get(2)?,
            at_ms: unsigned(row.get(3)?),
        })
    };
    Ok(statement.query_row([id], read).optional()?)
}

/// Up to which position an inbox was executed.
pub(crate) fn inbox_read(connection: &Connection, inbox_id: &str) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached("SELECT pos FROM inbox_read WHERE inbox_id = ?1")?;
    Ok(statement.query_row([inbox_id], |row| row.get(0)).optional()?.map_or(0, unsigned))
}

/// Changes whenever another connection committed.
pub(crate) fn data_version(connection: &Connection) -> Result<u64, Error> {
    Ok(unsigned(connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?))
}

pub(super) fn states<T: DeserializeOwned>(
    connection: &Connection,
    what: &'static str,
    sql: &str,
    params: impl Params,
) -> Result<Vec<T>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut states = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        states.push(serde_json::from_str(&text).map_err(|source| Error::Corrupt { what, source })?);
    }
    Ok(states)
}
