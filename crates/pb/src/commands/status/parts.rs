//! What `pb status` tells beside what gateway and scheduler tell: versions, files, the budget of the day, the sandbox.

use pb_protocol::client::Client;
use pb_protocol::methods::cost::{Cost, CostBy, Summary, SummaryParams};
use pb_runtime::config::{Budget, Config};
use pb_runtime::{Clock, Home, VERSION};
use pb_store::health;
use serde::Serialize;

use crate::format;

/// A database of the home.
#[derive(Debug, Serialize)]
pub(super) struct Database {
    name: &'static str,
    bytes: u64,
    /// What waits in its WAL.
    wal_bytes: u64,
}

/// Those that are there.
pub(super) fn databases(home: &Home) -> Vec<Database> {
    let all =
        [("state.db", home.state_db()), ("gateway.db", home.gateway_db()), ("trace.db", home.trace_db())];
    let there = all.into_iter().filter_map(|(name, path)| {
        let bytes = std::fs::metadata(&path).ok()?.len();
        Some(Database { name, bytes, wal_bytes: health::wal_bytes(&path) })
    });
    there.collect()
}

/// `state.db 1.2 MB (WAL 32.9 kB), …`.
pub(super) fn sizes(databases: &[Database]) -> String {
    let size = |one: &Database| {
        format!("{} {} (WAL {})", one.name, format::size(one.bytes), format::size(one.wal_bytes))
    };
    databases.iter().map(size).collect::<Vec<_>>().join(", ")
}

/// What is not of the version of this command, with its version.
pub(super) fn skew(running: [(&str, Option<&str>); 2]) -> Option<String> {
    let others = running.into_iter().filter_map(|(name, version)| {
        let version = version.filter(|version| *version != VERSION)?;
        Some(format!("the {name} is {version}"))
    });
    let others: Vec<String> = others.collect();
    (!others.is_empty()).then(|| {
        format!(
            "this is {VERSION}, {}; bring them together with: pb restart",
            format::line(&others.join(", "))
        )
    })
}

/// What all goals together may spend today, and have.
#[derive(Debug, Serialize)]
pub(super) struct Today {
    date: String,
    zone: String,
    limit_usd: Option<f64>,
    limit_tokens: Option<u64>,
    limit_turns: Option<u32>,
    /// Without what calls that are under way were promised; absent when the gateway does not tell.
    spent: Option<Cost>,
}

/// The caps of today; `None` where config.toml has none.
pub(super) fn caps(home: &Home) -> Option<Today> {
    let budget = Config::read(&home.config()).ok()?.budget;
    let Budget { day_usd, day_tokens, day_turns, .. } = budget;
    if day_usd.is_none() && day_tokens.is_none() && day_turns.is_none() {
        return None;
    }
    let zone = budget.zone();
    let now = i64::try_from(Clock::System.now_ms()).ok()?;
    let now = jiff::Timestamp::from_millisecond(now).ok()?.to_zoned(zone.clone());
    Some(Today {
        date: now.date().to_string(),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        limit_usd: day_usd,
        limit_tokens: day_tokens.map(u64::from),
        limit_turns: day_turns.map(u32::from),
        spent: None,
    })
}

impl Today {
    /// Asks what was spent. The latest day that is known may be an earlier one: then nothing was spent today.
    pub(super) async fn ask(&mut self, client: &Client) {
        let params = SummaryParams { by: CostBy::Day, goal_id: None, limit: Some(1) };
        let Ok(summary) = client.call::<Summary>(&params).await else { return };
        let latest = summary.rows.last().filter(|row| row.key == self.date);
        self.spent = Some(latest.map_or_else(Cost::default, |row| row.cost));
    }

    /// `1.20 of 5.00 USD, 1200 of 50000 tokens`.
    pub(super) fn line(&self) -> String {
        let spent = self.spent.unwrap_or_default();
        let usd = self
            .limit_usd
            .map(|limit| format!("{} of {}", format::dollars(spent.cost_usd), format::dollars(limit)));
        let tokens = self.limit_tokens.map(|limit| format!("{} of {limit} tokens", spent.tokens));
        let turns = self.limit_turns.map(|limit| format!("{} of {limit} turns", spent.calls));
        let parts: Vec<String> = [usd, tokens, turns].into_iter().flatten().collect();
        match self.spent {
            Some(_) => format!("today {}", parts.join(", ")),
            None => "what was spent today is not known: the gateway does not tell".to_owned(),
        }
    }
}

/// What the kernel confines of what goals run.
#[derive(Debug, Serialize)]
pub(super) struct Layers {
    landlock_abi: u32,
    files: bool,
    tcp: bool,
    signals: bool,
    /// What it does not, in words.
    missing: Vec<String>,
}

/// Asks the kernel, which is the scheduler's too.
pub(super) fn layers() -> Layers {
    let support = pb_exec::support();
    Layers {
        landlock_abi: support.abi,
        files: support.fs,
        tcp: support.net,
        signals: support.scope,
        missing: support.missing(),
    }
}

impl Layers {
    /// `Landlock ABI 7: files, TCP, signals`.
    pub(super) fn line(&self) -> String {
        let there = [(self.files, "files"), (self.tcp, "TCP"), (self.signals, "signals")];
        let there: Vec<&str> = there.iter().filter(|(there, _)| *there).map(|(_, name)| *name).collect();
        format!("Landlock ABI {}: {}", self.landlock_abi, there.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_differ_are_told() {
        let told = |gateway, scheduler| skew([("gateway", gateway), ("scheduler", scheduler)]);
        assert_eq!(told(Some(VERSION), Some(VERSION)), None);
        assert_eq!(told(None, None), None, "nothing runs");
        let expect =
            format!("this is {VERSION}, the scheduler is 0.0.9; bring them together with: pb restart");
        assert_eq!(told(Some(VERSION), Some("0.0.9")), Some(expect));
    }

    #[test]
    fn what_was_spent_stands_beside_what_may_be() {
        let mut today = Today {
            date: "2026-11-28".to_owned(),
            zone: "UTC".to_owned(),
            limit_usd: Some(5.0),
            limit_tokens: Some(50_000),
            limit_turns: None,
            spent: None,
        };
        assert_eq!(today.line(), "what was spent today is not known: the gateway does not tell");
        today.spent = Some(Cost { tokens: 1200, cost_usd: 1.2, ..Cost::default() });
        assert_eq!(today.line(), "today 1.20 USD of 5.00 USD, 1200 of 50000 tokens");
    }
}
