//! Running an agent's commands as steps of its run, confined as every command of a goal is.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use pb_exec::{Finished, SpawnError};
use pb_model::{Epoch, GoalId, ItemId, RunId};
use pb_tools::{Command, Runner};
use tokio_util::sync::CancellationToken;

use crate::effects::{Context, StepCommand, StepOf};
use crate::link::{CallIds, OutputStream};

/// Runs commands for one call of a tool.
pub(super) struct StepRunner {
    pub(super) context: Arc<Context>,
    pub(super) goal: GoalId,
    pub(super) item: Option<ItemId>,
    pub(super) run: RunId,
    pub(super) epoch: Epoch,
    /// The call's place in the journal.
    pub(super) n: u32,
    pub(super) inputs: BTreeMap<String, String>,
    pub(super) workspace: PathBuf,
    /// What is left of the goal's time, in milliseconds.
    pub(super) time_left_ms: u64,
    pub(super) cancel: CancellationToken,
}

impl fmt::Debug for StepRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepRunner").field("run", &self.run).field("n", &self.n).finish_non_exhaustive()
    }
}

impl Runner for StepRunner {
    fn run<'a>(&'a self, command: &'a Command) -> BoxFuture<'a, Result<Finished, SpawnError>> {
        Box::pin(async move {
            let of = StepOf {
                run: self.run,
                epoch: self.epoch,
                inputs: &self.inputs,
                workspace: &self.workspace,
                policy: self.context.agent_policy(),
            };
            let step = StepCommand {
                argv: &command.argv,
                cwd: command.cwd.as_deref(),
                env: &BTreeMap::new(),
                tcp_ports: &[],
                time_limit_ms: command.time_limit_s.saturating_mul(1000).min(self.time_left_ms),
            };
            let ids = CallIds {
                goal: self.goal.to_string(),
                item: self.item,
                run: self.run.to_string(),
                request: format!("{}.{}.{}", self.run, self.n, self.epoch),
            };
            let mut stream = OutputStream::new(self.context.link.clone(), ids, pb_tools::RUN_COMMAND);
            let mut carry = Carry::default();
            let mut listener = |piece: &[u8]| carry.text(piece, |text| stream.push(text));
            self.context.run_step_hearing(of, &step, (self.n, &self.cancel), &mut listener).await
        })
    }
}

/// Pieces of output may end inside a character: its beginning waits for the rest.
#[derive(Default)]
struct Carry(Vec<u8>);

impl Carry {
    fn text(&mut self, piece: &[u8], mut hear: impl FnMut(&str)) {
        self.0.extend_from_slice(piece);
        for chunk in self.0.utf8_chunks() {
            hear(chunk.valid());
        }
        let unfinished = match std::str::from_utf8(&self.0) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Ok(_) | Err(_) => self.0.len(),
        };
        self.0.drain(..unfinished);
    }
}

#[cfg(test)]
mod tests {
    use super::Carry;

    #[test]
    fn a_character_in_two_pieces_is_heard_once_and_whole() {
        let mut carry = Carry::default();
        let mut heard = Vec::new();
        for piece in [b"a\xe4".as_slice(), b"\xbd\xa0b\xff", b"c"] {
            carry.text(piece, |text| heard.push(text.to_owned()));
        }
        assert_eq!(heard.concat(), "a\u{4f60}bc");
    }
}
