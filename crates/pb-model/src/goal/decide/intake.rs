//! Intake and planning: from a request to ordered items in a claimed workspace.

use std::collections::BTreeMap;

use super::Decision;
use super::escalate::{self, Question};
use crate::goal::command::{Moment, Rejection};
use crate::goal::event::Event;
use crate::goal::state::{EscalationType, Failure, Goal, GoalStatus, Item, Phase, Reason};
use crate::spec::{CriterionType, GoalSpec, SuccessCriterion};
use crate::{GoalId, ItemId, plan};

pub(super) fn submit(id: GoalId, mut spec: GoalSpec, by: String, moment: Moment) -> Result<Event, Rejection> {
    spec.validate()?;
    if spec.success_criteria.is_empty() {
        spec.success_criteria.push(SuccessCriterion {
            description: "All work items completed successfully".to_owned(),
            criterion_type: CriterionType::Deterministic,
            verification_method: "status_check".to_owned(),
            required: true,
        });
    }
    let goal = Goal {
        id,
        created_at_ms: moment.now_ms,
        updated_at_ms: moment.now_ms,
        completed_at_ms: None,
        created_by: by,
        spec,
        status: GoalStatus::Queued,
        phase: Phase::Intake,
        verdict: None,
        reason: None,
        error: None,
        workspace: None,
        waits_for: None,
        cancel: None,
        spent_time_ms: 0,
        running_since_ms: None,
        baseline: BTreeMap::new(),
        quiet_rounds: Vec::new(),
        summary: None,
    };
    Ok(Event::GoalCreated { goal: Box::new(goal) })
}

pub(super) fn refuse(decision: &mut Decision, error: Failure) -> Result<(), Rejection> {
    must_be_queued(decision)?;
    decision.emit(Event::GoalFailed { reason: Reason::Refused, error });
    Ok(())
}

/// A goal file brings its plan; it was validated at submission and is ordered here. A goal
/// without one needs a model to plan it.
pub(super) fn plan(decision: &mut Decision, ids: &[ItemId]) -> Result<(), Rejection> {
    must_be_queued(decision)?;
    let goal = decision.state.goal.clone();
    if goal.phase != Phase::Intake {
        return Err(Rejection::NotNow("the goal is planned already"));
    }
    if goal.spec.items.is_empty() {
        escalate::goal(
            decision,
            Question {
                escalation_type: EscalationType::Credential,
                title: "a model is needed to plan this goal".to_owned(),
                current_state: "the goal has no work items".to_owned(),
                root_cause: "a goal without items is planned by a model, and none is configured".to_owned(),
                options: vec![(
                    "submit_file",
                    "write the items into a goal file and run it with `pb run FILE`",
                )],
            },
        );
        return Ok(());
    }
    plan::order(&goal.spec.items)?;
    let id_of: BTreeMap<&str, ItemId> =
        goal.spec.items.iter().map(|item| item.id.as_str()).zip(ids.iter().copied()).collect();
    for (index, spec) in goal.spec.items.iter().enumerate() {
        let id = *ids.get(index).ok_or(Rejection::NotNow("too few item ids"))?;
        let needs = spec.needs.iter().filter_map(|need| id_of.get(need.as_str()).copied()).collect();
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let item = Item::planned(spec, index, id, needs, (goal.id, decision.moment.now_ms));
        decision.emit(Event::ItemCreated { item: Box::new(item) });
    }
    let items = u32::try_from(goal.spec.items.len()).unwrap_or(u32::MAX);
    decision.emit(Event::GoalPlanned { items });
    Ok(())
}

pub(super) fn wait(decision: &mut Decision, workspace: String, behind: GoalId) -> Result<(), Rejection> {
    must_be_queued(decision)?;
    if decision.state.goal.waits_for != Some(behind) {
        decision.emit(Event::GoalWaiting { workspace, behind });
    }
    Ok(())
}

pub(super) fn start(
    decision: &mut Decision,
    workspace: String,
    baseline: BTreeMap<String, Option<String>>,
) -> Result<(), Rejection> {
    must_be_queued(decision)?;
    if decision.state.items.is_empty() {
        return Err(Rejection::NotNow("the goal is not planned"));
    }
    decision.emit(Event::GoalStarted { workspace, baseline });
    Ok(())
}

fn must_be_queued(decision: &Decision) -> Result<(), Rejection> {
    match decision.state.goal.status {
        GoalStatus::Queued => Ok(()),
        GoalStatus::Active
        | GoalStatus::Blocked
        | GoalStatus::Completed
        | GoalStatus::Cancelled
        | GoalStatus::Failed => Err(Rejection::NotNow("the goal is not queued")),
    }
}
