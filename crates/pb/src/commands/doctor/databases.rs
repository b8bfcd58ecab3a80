//! The databases: ours, of a schema that we know, whole, and not much in their WAL.

use std::path::Path;
use std::time::Duration;

use pb_runtime::Home;
use pb_store::Error;
use pb_store::health::{self, Health, Kind};

use super::check::Check;
use super::settings::one_line;
use crate::format;

/// How long a database is looked through at most; one of 2 GiB takes some seconds.
const CHECK_LIMIT: Duration = Duration::from_secs(20);
/// A WAL that is longer is not moved into its database: somebody reads for too long, or the disk fails. In bytes.
const WAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(super) async fn look(home: &Home) -> Vec<Check> {
    let all = [
        ("state.db", home.state_db(), Kind::Log),
        ("gateway.db", home.gateway_db(), Kind::Inbox),
        ("trace.db", home.trace_db(), Kind::Trace),
    ];
    let mut checks = Vec::new();
    for (name, path, kind) in all {
        let looked = health::look_at(&path, kind, CHECK_LIMIT).await;
        checks.extend(judge(name, &path, kind, looked));
    }
    checks
}

fn judge(
    name: &'static str,
    path: &Path,
    kind: Kind,
    looked: Result<Option<Health>, Error>,
) -> Option<Check> {
    let away = match kind {
        Kind::Log | Kind::Inbox => "put a backup back: pb stop && pb restore FOLDER",
        Kind::Trace => "it holds debug events only: stop the scheduler and remove it",
    };
    let health = match looked {
        Ok(Some(health)) => health,
        Ok(None) => return None,
        Err(error @ Error::NewerSchema { .. }) => {
            return Some(Check::problem(name, error, "a newer pb wrote it: use that one"));
        }
        Err(error @ Error::Foreign { .. }) => return Some(Check::problem(name, error, "move it away")),
        Err(error) => return Some(Check::problem(name, one_line(&error.into()), away)),
    };
    if let Some(damage) = health.damage {
        return Some(Check::problem(name, format_args!("damaged: {}", format::line(&damage)), away));
    }
    let size = |bytes| format::size(bytes);
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let wal = health::wal_bytes(path);
    let whole = if health.is_whole_checked { "whole" } else { "not looked through to its end" };
    let schema = match (health.schema, health.schema_known) {
        (found, known) if found == known => format!("schema {found}"),
        (found, known) => format!("schema {found}, which the next start brings to {known}"),
    };
    let found = format!("{whole}, {schema}, {}, WAL {}", size(bytes), size(wal));
    if wal > WAL_BYTES_MAX {
        let advice = "it is moved into the database at the next restart: pb restart";
        return Some(Check::warning(name, found, advice));
    }
    if !health.is_whole_checked {
        let advice = "look through all of it when nothing runs: pb stop && sqlite3 FILE 'PRAGMA quick_check'";
        return Some(Check::warning(name, found, advice));
    }
    Some(Check::ok(name, found))
}
