//! How a goal stands, whole: what the end of `pb run` and `pb goal show` are made of.

pub(crate) mod document;
mod ending;
mod questions;
mod sections;

use pb_model::Verdict;
use pb_protocol::client::Client;
use pb_protocol::domain::{Goal, Run, WorkItem};
use pb_protocol::methods::debug_queries::ItemWithRuns;
use pb_protocol::methods::goal::{GoalDetail, GoalIdParams, StepView, Steps};
use pb_protocol::methods::goal_at::AtResult;
use pb_protocol::methods::workitem::{ByGoal, ItemParams, Runs};
use serde::Serialize;

pub(crate) use ending::{ending, ending_without_data};
pub(crate) use questions::{escalations, question};
pub(crate) use sections::{artifacts, gates, items, models, not_done, said, verdict_line};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::format;

/// A goal with everything that people ask about.
#[derive(Debug, Serialize)]
pub(crate) struct Account {
    /// The goal, its artifacts and escalations.
    #[serde(flatten)]
    pub(crate) detail: GoalDetail,
    /// Its items in plan order, each with its attempts.
    pub(crate) items: Vec<ItemAccount>,
    /// Its journal.
    #[serde(skip)]
    pub(crate) steps: Vec<StepView>,
}

/// An item with its attempts.
#[derive(Debug, Serialize)]
pub(crate) struct ItemAccount {
    /// The item.
    #[serde(flatten)]
    pub(crate) item: WorkItem,
    /// The attempts at it, with what their gates found.
    pub(crate) runs: Vec<Run>,
}

impl Account {
    /// A goal as it stood. Of its journal nothing is told: steps have no past.
    pub(crate) fn at(told: AtResult) -> Self {
        let mut detail = told.detail;
        detail.artifacts.sort_by(|one, other| one.file_path.cmp(&other.file_path));
        Self {
            detail,
            items: told.work_items.into_iter().map(ItemAccount::from).collect(),
            steps: Vec::new(),
        }
    }

    /// Asks the gateway for everything about a goal.
    pub(crate) async fn gather(client: &Client, mut detail: GoalDetail) -> Result<Self, Failure> {
        detail.artifacts.sort_by(|one, other| one.file_path.cmp(&other.file_path));
        let params = GoalIdParams { goal_id: detail.goal.id.clone() };
        let mut items = Vec::new();
        for item in client.call::<ByGoal>(&params).await?.work_items {
            let params = ItemParams { work_item_id: item.id.clone() };
            let runs = client.call::<Runs>(&params).await?.runs;
            items.push(ItemAccount { item, runs });
        }
        let steps = client.call::<Steps>(&params).await?.steps;
        Ok(Self { detail, items, steps })
    }
}

impl From<ItemWithRuns> for ItemAccount {
    fn from(ItemWithRuns { work_item, runs }: ItemWithRuns) -> Self {
        Self { item: work_item, runs }
    }
}

/// Where a goal stands, in words: `active`, `active, paused`.
pub(crate) fn status(goal: &Goal) -> String {
    let word = format::word(&goal.status);
    if goal.reason.as_deref() == Some("paused") { format!("{word}, paused") } else { word }
}

/// Whether nothing more happens to a goal by itself.
pub(crate) fn is_over(goal: &Goal) -> bool {
    matches!(goal.status.as_str(), "completed" | "failed" | "cancelled" | "blocked")
}

/// The exit code that says how a goal ended.
pub(crate) fn exit(goal: &Goal) -> Exit {
    match (goal.status.as_str(), goal.verdict) {
        ("completed", Some(Verdict::Verified)) => Exit::Ok,
        ("completed", Some(Verdict::Partial | Verdict::Unverified) | None) => Exit::Unproven,
        ("blocked", _) => Exit::NeedsHuman,
        // Nothing was started: the request was not allowed.
        ("failed", _) if is_refused(goal) => Exit::Refused,
        _ => Exit::Failed,
    }
}

/// Whether intake said no.
pub(crate) fn is_refused(goal: &Goal) -> bool {
    goal.reason.as_deref() == Some("refused")
}
