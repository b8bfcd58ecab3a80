//! Telling a person that a goal asks or has ended, beside the loop.
//!
//! ```text
//!  commit --> bell --> what is in the log after the position --> the program --> the position is written
//! ```
//!
//! The queue is the log: the loop rings and never waits, and what is told was committed. The position is
//! written after the program has ended, so after a crash everything is told at least once, the last one
//! perhaps twice. One that fails is told by `pb status` and not tried again: the next must not wait for it.

mod notice;
mod program;

use std::sync::Arc;

use pb_model::GoalId;
use pb_runtime::Notified;
use pb_runtime::config::Notify as Settings;
use pb_store::{Error, LogIdentity, LogReader};
use tokio::sync::Notify;

pub use notice::Notice;
pub use program::{NotTold, Programs};

use crate::service::Config;

/// Most that are told at once after a long silence; of more the older ones are left out, and that is logged.
const WAITING_MAX: usize = 100;

/// Rings when something was committed that a person may want to know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bell(Arc<Notify>);

impl Bell {
    /// Rings if an event of this kind is told.
    pub(crate) fn heard(&self, kind: &str) {
        if notice::KINDS.contains(&kind) {
            self.0.notify_one();
        }
    }
}

/// The task beside the loop.
#[derive(Debug)]
pub(crate) struct Teller {
    config: Config,
    settings: Settings,
    log: LogReader,
    programs: Programs,
    told: Notified,
}

impl Teller {
    /// Takes up where the last one stopped; `None` where nobody is to be told. Before anything is committed:
    /// where nobody was told before, what is in the log by now is old.
    pub(crate) async fn new(
        config: Config,
        settings: Settings,
        log: LogReader,
        identity: &LogIdentity,
    ) -> Result<Option<Self>, Error> {
        let path = config.home.notified_json();
        let programs = Programs::of(&settings, pb_runtime::environment::all());
        if programs.is_empty() {
            // Whoever sets one up later is not told of what is long past.
            let _ = std::fs::remove_file(path); // Mostly there is none.
            return Ok(None);
        }
        let before = Notified::read(&path)
            .filter(|told| told.log == identity.id && told.generation == identity.generation);
        let pos = match before {
            Some(told) => told.pos,
            None => log.last_pos().await?,
        };
        let told = Notified {
            log: identity.id.clone(),
            generation: identity.generation,
            pos,
            pid: std::process::id(),
            programs: programs.names(),
            problem: programs.missing(),
        };
        let teller = Self { config, settings, log, programs, told };
        teller.write();
        if let Some(problem) = &teller.told.problem {
            tracing::warn!(problem, "notifications will not arrive");
        }
        Ok(Some(teller))
    }

    /// Looks at start and when the bell rings, until it is dropped.
    pub(crate) async fn run(mut self, bell: Bell) {
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "cannot read what is to be told; trying again at the next event");
            }
            bell.0.notified().await;
        }
    }

    async fn look(&mut self) -> Result<(), Error> {
        let mut found = self.log.newest_of(self.told.pos, notice::KINDS, WAITING_MAX + 1).await?;
        if found.len() > WAITING_MAX {
            tracing::warn!(
                most = WAITING_MAX,
                "more waits than is told at once; the older ones are left out"
            );
            found.remove(0);
        }
        for record in found {
            let pos = record.pos;
            if let Some(goal) = record.goal.parse::<GoalId>().ok()
                && let Some(state) = self.log.state(goal).await?
                && let Some(notice) = Notice::of(&record, &state, &self.settings.on)
            {
                self.tell(&notice, pos).await;
            }
            self.told.pos = pos;
            self.write();
        }
        Ok(())
    }

    async fn tell(&mut self, notice: &Notice, pos: u64) {
        let step = format!("notify-{pos}");
        let problem =
            self.programs.tell(notice, &self.config, &step).await.err().map(|error| error.to_string());
        if let Some(problem) = problem.as_ref().filter(|problem| self.told.problem.as_ref() != Some(problem))
        {
            tracing::warn!(problem, "a notification did not arrive; the same is not logged again");
        }
        self.told.problem = problem;
    }

    fn write(&self) {
        if let Err(error) = self.told.write(&self.config.home.notified_json()) {
            tracing::warn!(%error, "cannot write what was told; it may be told again");
        }
    }
}
