//! The access tokens that a part of the herd comes by.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use pb_runtime::Home;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::herd::{Report, Secrets};
use crate::Tally;
use crate::follower::call;

/// Within what connections of a revoked token are let go of (`security.md` 7), also those that do not read.
const STATED: Duration = Duration::from_secs(1);
/// How often it is looked whether they are.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Two tokens, one of which is revoked.
#[derive(Debug)]
pub(super) struct Tokens {
    file: PathBuf,
    revoked_id: String,
}

impl Tokens {
    /// Has them made, and writes their secrets where the herd finds them.
    pub(super) async fn make(home: &Home) -> anyhow::Result<Self> {
        let make =
            async |name: &str| call(home, "token.create", &json!({"name": name, "permissions": []})).await;
        let (stays, revoked) = (make("stays").await?, make("revoked").await?);
        let text = |value: &Value| value.as_str().map(str::to_owned).context("no token was made");
        let secrets = Secrets { stays: text(&stays["secret"])?, is_revoked: text(&revoked["secret"])? };
        let file = home.root().join("herd-tokens.json");
        std::fs::write(&file, serde_json::to_vec(&secrets)?)?;
        Ok(Self { file, revoked_id: text(&revoked["token"]["id"])? })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Revokes one, and waits until so many connections are gone; how long that took, up to ten times what is stated.
    pub(super) async fn revoke(&self, home: &Home, connections: u64) -> anyhow::Result<Duration> {
        let before = open(home).await?;
        let began = Instant::now();
        call(home, "token.revoke", &json!({"tokenId": self.revoked_id})).await?;
        while began.elapsed() < 10 * STATED && open(home).await? + connections > before {
            sleep(LOOK_EVERY).await; // wait: a connection that is gone rings no bell here
        }
        Ok(began.elapsed())
    }
}

/// How many connections the gateway has, without the one that asks.
async fn open(home: &Home) -> anyhow::Result<u64> {
    let status = call(home, "system.status", &json!({})).await?;
    status["gateway"]["connections"]["total"].as_u64().context("no count of connections")
}

/// Notes what became of who came by the token that was revoked.
pub(super) fn judge(report: &Report, after: Duration, tally: &mut Tally) {
    if report.revoked < report.to_be_revoked || report.to_be_revoked == 0 {
        tally.fail(format_args!("of {} by a revoked token {} ended", report.to_be_revoked, report.revoked));
    }
    if after > 3 * STATED {
        tally.fail(format_args!("revoked connections are there for {after:?}; stated: {STATED:?}"));
    }
    tally.count("revoked", report.revoked);
    tally.count("revoked_gone_ms", u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
}
