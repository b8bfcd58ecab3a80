//! The machine, as the loop sees it: what a goal wants is done beside the loop, and ends in one [`Done`].
//!
//! [`Context`] is the real one. The fault suite puts a simulated one in its place (`simulation.rs`), so that
//! the loop, the lifecycle and the store can be tried under thousands of schedules.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pb_model::goal::{GoalState, Want};
use pb_model::session::{Session, SessionWant};
use tokio_util::sync::CancellationToken;

use super::{Context, Done};
use crate::agent;
use crate::session::{self, Talked};

/// What is to be done, and until when.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The goal as it stands.
    pub(crate) state: GoalState,
    /// What it wants.
    pub(crate) want: Want,
    /// Its folder, once that was looked at.
    pub(crate) folder: Option<PathBuf>,
    /// Cancelled when nobody wants it any more.
    pub(crate) cancel: CancellationToken,
}

/// What a conversation wants, and until when.
#[derive(Debug)]
pub(crate) struct AskedInTalk {
    /// The session as it stands.
    pub(crate) session: Session,
    /// What it wants.
    pub(crate) want: SessionWant,
    /// The states of its goals.
    pub(crate) goals: Vec<GoalState>,
    /// Cancelled when nobody wants it any more.
    pub(crate) cancel: CancellationToken,
}

/// Does what goals and conversations want.
pub(crate) trait Machine: fmt::Debug + Send + Sync {
    /// Does it; `None` if it has no result, as when it is to be stopped and is not running.
    fn perform(self: Arc<Self>, asked: Asked) -> BoxFuture<'static, Option<Done>>;

    /// Does what a conversation wants; `None` if it was to be stopped.
    fn converse(self: Arc<Self>, asked: AskedInTalk) -> BoxFuture<'static, Option<Talked>>;
}

impl Machine for Context {
    fn perform(self: Arc<Self>, asked: Asked) -> BoxFuture<'static, Option<Done>> {
        async move {
            let Asked { state, want, folder, cancel } = asked;
            match (want, folder) {
                (Want::Prepare, None) => Some(self.folder(&state).await),
                (Want::Prepare, Some(folder)) => Some(self.baseline(&state, folder).await),
                (Want::Execute(run), _) => self.execute(&state, run, &cancel).await,
                (Want::Compose(run), _) => agent::compose(&self, &state, run).await,
                (Want::Think(run, n), _) => agent::think(&self, &state, (run, n), &cancel).await,
                (Want::Act(run, _), _) => agent::act(&self, &state, run, &cancel).await,
                (Want::Verify(run), _) => self.verify(&state, run, &cancel).await,
                (Want::Publish, _) => Some(self.publish(&state, &cancel).await),
                (
                    Want::Plan
                    | Want::StartPlanning
                    | Want::Start(_)
                    | Want::Tick
                    | Want::BeginPublish
                    | Want::Stop(_),
                    _,
                ) => None,
            }
        }
        .boxed()
    }

    fn converse(self: Arc<Self>, asked: AskedInTalk) -> BoxFuture<'static, Option<Talked>> {
        async move {
            match asked.want {
                SessionWant::Compose => Some(session::compose(&self, &asked).await),
                SessionWant::Think(n) => session::think(&self, &asked, n).await,
            }
        }
        .boxed()
    }
}
