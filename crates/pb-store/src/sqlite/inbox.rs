//! The inbox: commands in the order in which they were answered.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::unsigned;
use crate::contract::{Error, InboxRow, NewCommand};
use crate::inbox::Put;

const COLUMNS: &str = "pos, id, params_digest, actor, method, params, goal, at";

/// The inbox's id, made with the file.
pub(crate) fn identity(connection: &Connection, fresh: Option<&str>) -> Result<Option<String>, Error> {
    let known = connection.query_row("SELECT id FROM identity", [], |row| row.get(0)).optional()?;
    match (known, fresh) {
        (None, Some(fresh)) => {
            connection.execute("INSERT INTO identity (id) VALUES (?1)", [fresh])?;
            Ok(Some(fresh.to_owned()))
        }
        (known, _) => Ok(known),
    }
}

/// Keeps commands, in one transaction. A command whose id is there already is not kept again: its
/// first row is returned.
pub(crate) fn put(connection: &mut Connection, commands: &[NewCommand]) -> Result<Vec<Put>, Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let puts = insert(&transaction, commands)?;
    transaction.commit()?;
    Ok(puts)
}

/// Keeps commands in a transaction, which the caller commits.
pub(crate) fn insert(transaction: &Transaction<'_>, commands: &[NewCommand]) -> Result<Vec<Put>, Error> {
    let mut puts = Vec::with_capacity(commands.len());
    for command in commands {
        let inserted = transaction
            .prepare_cached(
                "INSERT INTO inbox (id, params_digest, actor, method, params, goal, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
            )?
            .execute(params![
                command.id,
                command.params_digest,
                command.actor,
                command.method,
                command.params,
                command.goal,
                command.at_ms as i64
            ])?;
        let row = if inserted == 1 {
            InboxRow { pos: unsigned(transaction.last_insert_rowid()), command: command.clone() }
        } else {
            let sql = format!("SELECT {COLUMNS} FROM inbox WHERE id = ?1");
            transaction.prepare_cached(&sql)?.query_row([&command.id], read)?
        };
        puts.push(Put { row, repeated: inserted == 0 });
    }
    Ok(puts)
}

/// Commands after `pos`, in order.
pub(crate) fn after(connection: &Connection, pos: u64, limit: usize) -> Result<Vec<InboxRow>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM inbox WHERE pos > ?1 ORDER BY pos LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![pos as i64, limit as i64], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many commands there are after `pos`.
pub(crate) fn count_after(connection: &Connection, pos: u64) -> Result<u64, Error> {
    let count = connection
        .prepare_cached("SELECT count(*) FROM inbox WHERE pos > ?1")?
        .query_row([pos as i64], |row| row.get(0))?;
    Ok(unsigned(count))
}

/// Forgets commands up to `pos`, which were executed.
pub(crate) fn forget(connection: &Connection, pos: u64) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM inbox WHERE pos <= ?1")?.execute([pos as i64])?;
    Ok(())
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<InboxRow> {
    Ok(InboxRow {
        pos: unsigned(row.get(0)?),
        command: NewCommand {
            id: row.get(1)?,
            params_digest: row.get(2)?,
            actor: row.get(3)?,
            method: row.get(4)?,
            params: row.get(5)?,
            goal: row.get(6)?,
            at_ms: unsigned(row.get(7)?),
        },
    })
}
