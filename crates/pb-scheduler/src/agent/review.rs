//! Reviews that a model hands in: what it is told, their form, and everything that is wrong with one.

use std::path::Path;

use futures_util::future::BoxFuture;
use pb_model::Tier;
use pb_model::goal::{GoalState, Item, Reviewed, Reviews, Run, SUBMIT_REVIEW};
use pb_model::spec::{Check, Effect};
use pb_tools::{Output, Scope, ToolError, TypedTool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::compose::agent_of;
use super::talk::without_marks;
use super::task::{GoalVariables, goal_variables};

/// Fewest characters of what was seen: less says nothing.
const SEEN_CHARS_MIN: usize = 12;
/// Longest finding, in bytes.
const SEEN_BYTES_MAX: usize = 2 * 1024;
/// Most files that a finding names.
const FILES_MAX: usize = 16;

/// The tool by which a model hands in a review. It is never called: [`check`] is.
#[derive(Debug)]
pub(super) struct SubmitReview;

impl TypedTool for SubmitReview {
    type Arguments = Draft;

    const NAME: &'static str = SUBMIT_REVIEW;
    const DESCRIPTION: &'static str = "Hands in the review: one finding for each point of the rubric. If something is wrong with its form, that is \
         the result, and you hand it in again; a review that is whole ends your work.";
    const EFFECT: Option<Effect> = Some(Effect::Pure);

    fn about(draft: &Draft) -> String {
        let holds = draft.findings.iter().filter(|finding| finding.holds).count();
        format!("{holds} of {} point(s) hold", draft.findings.len())
    }

    fn run<'a>(&'a self, _: Draft, _: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(async { Err(ToolError::Host("a review is not run".to_owned())) })
    }
}

/// A review.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    /// One for each point of the rubric.
    findings: Vec<Finding>,
}

/// What was found about one point.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Finding {
    /// The number of the point.
    point: u32,
    /// Whether it holds.
    holds: bool,
    /// What you saw that shows it, or what is missing.
    seen: String,
    /// The files in which you saw it, relative to the workspace; at least one for a point that holds.
    #[serde(default)]
    files: Vec<String>,
}

/// The rubric that a run reviews by, with the item and who is to do it.
pub(super) struct Task<'a> {
    pub(super) item: &'a Item,
    pub(super) rubric: &'a [String],
    pub(super) tier: Tier,
    pub(super) model: Option<&'a str>,
    of: &'a Run,
}

/// What a run reviews; `None` if it is no review.
pub(super) fn task<'a>(state: &'a GoalState, run: &Run) -> Option<Task<'a>> {
    let Reviews { run, gate } = run.reviews?;
    let of = state.run(run)?;
    let item = state.item(of.item_id?)?;
    match &item.gates.get(gate as usize)?.check {
        Check::Review { rubric, tier, model } => {
            Some(Task { item, rubric, tier: *tier, model: model.as_deref(), of })
        }
        _ => None,
    }
}

/// The variables of `review_task.md`.
#[derive(Serialize)]
pub(super) struct ReviewTask<'a> {
    goal: GoalVariables<'a>,
    criteria: Vec<&'a str>,
    item: Work<'a>,
    said: String,
    rubric: &'a [String],
    changed: Vec<&'a str>,
}

#[derive(Serialize)]
struct Work<'a> {
    title: &'a str,
    description: &'a str,
    prompt: String,
}

/// What a reviewer is told.
pub(super) fn review_task<'a>(state: &'a GoalState, task: &Task<'a>) -> ReviewTask<'a> {
    let (goal, criteria) = goal_variables(state);
    let prompt = agent_of(task.item).map_or("", |agent| agent.prompt.as_str());
    let said = task.of.execution.as_ref().map_or("", |execution| execution.output_tail.as_str());
    ReviewTask {
        goal,
        criteria,
        item: Work {
            title: &task.item.title,
            description: &task.item.description,
            prompt: without_marks(prompt),
        },
        said: without_marks(said),
        rubric: task.rubric,
        changed: state.artifacts.iter().map(|artifact| artifact.path.as_str()).collect(),
    }
}

/// What a review came to, or what is wrong with it, for the model.
pub(super) fn check(arguments: &Value, task: &Task<'_>, workspace: &Path) -> Result<Reviewed, String> {
    let draft: Draft = pb_tools::parse_arguments(arguments)
        .map_err(|reason| format!("the review was not understood: {reason}"))?;
    let mut lines = Vec::new();
    let mut passed = true;
    for (number, point) in (1..).zip(task.rubric) {
        let mut findings = draft.findings.iter().filter(|finding| finding.point == number);
        let (Some(finding), None) = (findings.next(), findings.next()) else {
            return Err(format!("point {number} needs exactly one finding: {point}"));
        };
        whole(finding, workspace)?;
        passed &= finding.holds;
        let holds = if finding.holds { "holds" } else { "does not hold" };
        let files =
            if finding.files.is_empty() { String::new() } else { format!(" [{}]", finding.files.join(", ")) };
        lines.push(format!("{number} {holds}: {}{files}", finding.seen.trim()));
    }
    if draft.findings.len() != task.rubric.len() {
        return Err(format!("there are {} points, and no others", task.rubric.len()));
    }
    Ok(Reviewed { passed, found: lines.join("; ") })
}

/// A finding says what was seen, and where.
fn whole(finding: &Finding, workspace: &Path) -> Result<(), String> {
    let Finding { point, holds, seen, files } = finding;
    if seen.trim().chars().count() < SEEN_CHARS_MIN || seen.len() > SEEN_BYTES_MAX {
        return Err(format!(
            "point {point}: say what you saw, in {SEEN_CHARS_MIN} characters to {SEEN_BYTES_MAX} bytes; praise is no evidence"
        ));
    }
    if files.len() > FILES_MAX {
        return Err(format!("point {point}: {} files, at most {FILES_MAX} are named", files.len()));
    }
    if *holds && files.is_empty() {
        return Err(format!("point {point}: name the files in which you saw that it holds"));
    }
    let inside = |file: &String| {
        let real = workspace.join(file).canonicalize();
        real.is_ok_and(|real| real.starts_with(workspace))
    };
    match files.iter().find(|file| !inside(file)) {
        Some(file) => Err(format!("point {point}: there is no file `{file}` in the workspace")),
        None => Ok(()),
    }
}
