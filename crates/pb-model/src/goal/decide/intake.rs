//! Intake and planning: from a request to ordered items in a claimed workspace.

use std::collections::BTreeMap;

use super::{Decision, cancel, replan, run};
use crate::goal::command::{Moment, Planned, Rejection};
use crate::goal::event::Event;
use crate::goal::failure::Failure;
use crate::goal::kept::Kept;
use crate::goal::spending::Spending;
use crate::goal::state::{Goal, GoalState, GoalStatus, Item, ItemStatus, Phase, Reason};
use crate::schedule::OfSchedule;
use crate::spec::{GoalSpec, ItemSpec, Lane, SuccessCriterion};
use crate::{Epoch, GoalId, ItemId, RunId, SessionId, Verdict, plan};

/// Where a goal comes from, if a person did not hand it over by itself.
#[derive(Default)]
pub(super) struct Origin {
    pub(super) scheduled: Option<OfSchedule>,
    pub(super) session: Option<SessionId>,
}

pub(super) fn submit(
    before: Option<&GoalState>,
    id: GoalId,
    mut spec: GoalSpec,
    (by, origin): (String, Origin),
    moment: &Moment,
) -> Result<Vec<Event>, Rejection> {
    if before.is_some() {
        return Err(Rejection::Exists);
    }
    spec.validate()?;
    if spec.success_criteria.is_empty() {
        spec.success_criteria.push(SuccessCriterion::of_a_goal_without());
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
        paused_by: None,
        spent_time_ms: 0,
        running_since_ms: None,
        baseline: BTreeMap::new(),
        kept: None,
        quiet_rounds: Vec::new(),
        assumptions: Vec::new(),
        plans: 0,
        replan: None,
        summary: None,
        unlisted: 0,
        spending: Spending::default(),
        scheduled: origin.scheduled,
        session: origin.session,
    };
    Ok(vec![Event::GoalCreated { goal: Box::new(goal) }])
}

pub(super) fn refuse(decision: &mut Decision, error: Failure) -> Result<(), Rejection> {
    must_be_queued(decision)?;
    cancel::end_all(decision);
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
        return Err(Rejection::NotNow("the goal brings no plan"));
    }
    plan::order(&goal.spec.items)?;
    if ids.len() < goal.spec.items.len() {
        return Err(Rejection::NotNow("too few item ids"));
    }
    create(decision, &goal.spec.items, ids);
    Ok(())
}

/// A goal without a plan has one made by a model.
pub(super) fn start_planning(decision: &mut Decision, run: RunId, epoch: Epoch) -> Result<(), Rejection> {
    let state = &decision.state;
    if state.goal.status != GoalStatus::Active || state.goal.replan.is_none() {
        must_be_queued(decision)?;
    }
    let has_one =
        !(state.goal.spec.items.is_empty() && state.items.is_empty()) && state.goal.replan.is_none();
    if has_one || state.is_being_planned() {
        return Err(Rejection::NotNow("the goal has its plan, or one is being made"));
    }
    let run = run::attempt(decision, run, None, epoch);
    decision.emit(Event::RunStarted { run: Box::new(run) });
    Ok(())
}

/// The plan that a model made becomes the goal's; it was validated where it came in. A goal that only
/// wanted its plan ends here; one whose person wants to see it first waits.
pub(super) fn adopt(decision: &mut Decision, plan: &Planned) {
    let goal = &decision.state.goal;
    let by_default = [SuccessCriterion::of_a_goal_without()];
    let says_how = goal.spec.success_criteria != by_default;
    let criteria =
        plan.criteria.iter().filter(|_| !says_how).cloned().map(SuccessCriterion::of_words).collect();
    let elaborated = Event::GoalElaborated { assumptions: plan.assumptions.clone(), criteria };
    if !matches!(&elaborated, Event::GoalElaborated { assumptions, criteria } if assumptions.is_empty() && criteria.is_empty())
    {
        decision.emit(elaborated);
    }
    create(decision, &plan.items, &plan.ids);
    if decision.state.goal.spec.plan_only {
        let items = decision.state.items.len();
        let summary = format!("planned {items} item(s); nothing was run");
        decision.emit(Event::GoalCompleted { verdict: Verdict::Unverified, summary, unlisted: 0 });
    } else if decision.state.goal.spec.approve_plan {
        replan::ask_for_yes(decision);
    }
}

fn create(decision: &mut Decision, specs: &[ItemSpec], ids: &[ItemId]) {
    let known: Vec<(String, ItemId)> =
        decision.state.items.iter().map(|item| (item.key.clone(), item.id)).collect();
    let id_of: BTreeMap<&str, ItemId> = known
        .iter()
        .map(|(key, id)| (key.as_str(), *id))
        .chain(specs.iter().map(|item| item.id.as_str()).zip(ids.iter().copied()))
        .collect();
    for (spec, id) in specs.iter().zip(ids) {
        let needs: Vec<ItemId> =
            spec.needs.iter().filter_map(|need| id_of.get(need.as_str()).copied()).collect();
        create_item(decision, spec, (*id, needs), None);
    }
    let items = u32::try_from(specs.len()).unwrap_or(u32::MAX);
    decision.emit(Event::GoalPlanned { items });
}

/// One more item, behind all that there are.
pub(super) fn create_item(
    decision: &mut Decision,
    spec: &ItemSpec,
    (id, needs): (ItemId, Vec<ItemId>),
    added_by: Option<ItemId>,
) {
    let state = &decision.state;
    let index = u32::try_from(state.items.len()).unwrap_or(u32::MAX);
    let mut item = Item::planned(spec, index, id, needs, (state.goal.id, decision.moment.now_ms));
    item.added_by = added_by;
    if state.needs_met(&item) {
        item.status = ItemStatus::Ready;
    }
    if item.lane == Lane::Main && state.goal.scheduled.is_some() {
        item.lane = Lane::Cron; // What runs by itself leaves room for what a person waits for.
    }
    decision.emit(Event::ItemCreated { item: Box::new(item) });
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
    (workspace, kept): (String, Option<Kept>),
    baseline: BTreeMap<String, Option<String>>,
) -> Result<(), Rejection> {
    must_be_queued(decision)?;
    if decision.state.items.is_empty() {
        return Err(Rejection::NotNow("the goal is not planned"));
    }
    decision.emit(Event::GoalStarted { workspace, baseline, kept });
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
