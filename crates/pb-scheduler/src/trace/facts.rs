//! What the facts of a goal's history tell: told once they are committed, with the time of the fact.

use pb_model::goal::{Event, GoalState, GoalStatus, ItemStatus, RunStatus};
use pb_model::spec::Work;

use super::what::Entity;
use super::{About, Note, What};

/// Where things stood before a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Before {
    goal: Option<GoalStatus>,
    item: Option<ItemStatus>,
    run: Option<RunStatus>,
}

impl Before {
    /// Where what `event` is about stands in `state`.
    pub(crate) fn of(state: Option<&GoalState>, event: &Event) -> Self {
        let item = event.item_id().and_then(|item| state?.item(item));
        let run = event.run_id().and_then(|run| state?.run(run));
        Self {
            goal: state.map(|state| state.goal.status),
            item: item.map(|item| item.status),
            run: run.map(|run| run.status),
        }
    }
}

/// What `event`, which led from `before` to `state`, tells.
pub(crate) fn notes(event: &Event, before: Before, state: &GoalState, at_ms: u64) -> Vec<Note> {
    let about = About::goal(state, event.item_id(), event.run_id());
    let mut all = fact(event, state);
    all.extend(transitions(before, Before::of(Some(state), event)));
    all.into_iter().map(|what| Note { at_ms, about, what }).collect()
}

fn fact(event: &Event, state: &GoalState) -> Vec<What> {
    match event {
        Event::GoalCreated { goal } => vec![What::submitted(&goal.spec.title, goal.spec.priority)],
        Event::ItemStarted { item, .. } => {
            let Some(item) = state.item(*item) else { return Vec::new() };
            let model = match &item.work {
                // Which candidate answers is told with each call.
                Work::Agent(agent) => agent.model.clone().or_else(|| state.goal.spec.model.clone()),
                Work::Command(_) => None,
            };
            vec![
                What::starting(&item.title),
                What::ItemAssigned { model: model.unwrap_or_default(), lane: item.lane.as_str() },
            ]
        }
        Event::RunStarted { run } => vec![What::RunStarted { attempt: run.attempt }],
        Event::RunContinued { ran_again, .. } => vec![What::RunContinued { ran_again: *ran_again }],
        Event::VerificationStarted { .. } => vec![What::VerificationStarted],
        Event::VerificationCompleted { passed, .. } => vec![What::VerificationCompleted { passed: *passed }],
        Event::ItemCompleted { .. } => vec![What::ItemSucceeded],
        Event::ConversationCondensed { turns, results, bytes, .. } => {
            vec![What::ConversationCondensed { turns: *turns, results: *results, bytes: *bytes }]
        }
        // Calls are told by whoever makes them; the rest are transitions, or stand in the log.
        Event::ItemCreated { .. }
        | Event::ItemsAdded { .. }
        | Event::GoalPlanned { .. }
        | Event::GoalWaiting { .. }
        | Event::GoalStarted { .. }
        | Event::GoalTakenOver { .. }
        | Event::ClockJumped { .. }
        | Event::ItemReady { .. }
        | Event::RunExecuted { .. }
        | Event::ModelRequested { .. }
        | Event::ModelAnswered { .. }
        | Event::ModelFailed { .. }
        | Event::ToolCompleted { .. }
        | Event::GuardTripped { .. }
        | Event::GateCompleted { .. }
        | Event::RunCompleted { .. }
        | Event::ItemRetrying { .. }
        | Event::ItemFailed { .. }
        | Event::ItemBlocked { .. }
        | Event::ItemReopened { .. }
        | Event::ItemSkipped { .. }
        | Event::GatesApproved { .. }
        | Event::EscalationCreated { .. }
        | Event::EscalationResolved { .. }
        | Event::ApprovalChanged { .. }
        | Event::GoalElaborated { .. }
        | Event::EvaluationDecided { .. }
        | Event::ItemSuperseded { .. }
        | Event::GoalReplanning { .. }
        | Event::BudgetWarned { .. }
        | Event::BudgetExceeded { .. }
        | Event::GoalPaused { .. }
        | Event::GoalResumed { .. }
        | Event::GoalPrioritized { .. }
        | Event::GoalPublishing
        | Event::ArtifactCreated { .. }
        | Event::GoalCompleted { .. }
        | Event::GoalBlocked { .. }
        | Event::GoalFailed { .. }
        | Event::GoalCancelling { .. }
        | Event::GoalCancelled { .. }
        | Event::GoalCompacted { .. } => Vec::new(),
    }
}

/// Something that is new has come from nowhere: that is no transition.
fn transitions(before: Before, now: Before) -> impl Iterator<Item = What> {
    let words = [
        (Entity::Goal, before.goal.map(GoalStatus::as_str), now.goal.map(GoalStatus::as_str)),
        (Entity::Item, before.item.map(ItemStatus::as_str), now.item.map(ItemStatus::as_str)),
        (Entity::Run, before.run.map(RunStatus::as_str), now.run.map(RunStatus::as_str)),
    ];
    words.into_iter().filter_map(|(entity, from, to)| {
        let (from, to) = (from?, to?);
        (from != to).then_some(What::Transition { entity, from, to })
    })
}

#[cfg(test)]
mod tests {
    use pb_model::goal::{Command, DayBudget, Moment, decide, evolve};
    use pb_model::{EscalationId, RunId};
    use uuid::Uuid;

    use super::*;
    use crate::agent::scratch;

    /// What a command on a goal tells: name, data without the ids, in order.
    fn told(state: &GoalState, command: Command) -> Vec<String> {
        let moment = Moment {
            now_ms: 20,
            escalation: EscalationId::from(Uuid::from_u128(9)),
            run: pb_model::RunId::from(uuid::Uuid::from_u128(0x7777)),
            seed: 1,
            day: DayBudget::default(),
        };
        let mut state = Some(state.clone());
        let mut told = Vec::new();
        for event in decide(state.as_ref(), command, moment.clone()).unwrap() {
            let before = Before::of(state.as_ref(), &event);
            state = evolve(state, &event, moment.now_ms);
            for note in notes(&event, before, state.as_ref().unwrap(), moment.now_ms) {
                assert_eq!((note.at_ms, note.about.goal), (20, state.as_ref().map(|state| state.goal.id)));
                let name = note.what.name();
                let mut data = note.what.data(&note.about);
                let data = data.as_object_mut().unwrap();
                for id in ["goalId", "workItemId", "runId", "entityId"] {
                    data.shift_remove(id);
                }
                told.push(format!("{name} {}", serde_json::to_string(data).unwrap()));
            }
        }
        told
    }

    #[test]
    fn a_start_and_an_end_are_told_with_what_they_change() {
        let file = "title = '写'\nmodel = 'a/b'\n[[items]]\nid = 'a'\nkind = 'agent'\nprompt = 'Write.'";
        let goal = scratch::goal(file);
        let run = RunId::from(Uuid::from_u128(5));
        let item = goal.items.first().unwrap().id;
        let started = told(&goal, Command::StartRun { item, run, epoch: 1 });
        insta::assert_snapshot!(started.join("\n"), @r#"
        scheduler.workitem.starting {"title":"a"}
        scheduler.workitem.assigned {"model":"a/b","laneId":"main"}
        state.transition {"entityType":"workitem","from":"ready","to":"in_progress"}
        scheduler.run.started {"attempt":1}
        "#);
        let cancelled = told(&goal, Command::Cancel { by: "ann".to_owned(), reason: None });
        insta::assert_snapshot!(cancelled.join("\n"), @r#"state.transition {"entityType":"goal","from":"active","to":"cancelled"}"#);
    }
}
