//! Rows: what `evolve` returned reads back as it was.

use pb_model::goal::{Event, GoalState, GoalStatus, Moment, Touched, evolve};
use pb_model::{GoalId, Verdict, goal};
use pb_store::{Batch, GoalFilter, Log, NewEvent, Row, Write};
use pretty_assertions::assert_eq;

use super::worker::Worker;
use crate::support::{Place, batch, everything};

/// I6 for whole lives of goals: after every commit the tables say what the fold of the events says.
pub(super) async fn a_goal_reads_back_as_it_was_decided(place: Place) {
    let log = place.log().await;
    let mut ends = std::collections::BTreeSet::new();
    for seed in 1..=6 {
        let mut worker = Worker::new(seed);
        let mut state: Option<GoalState> = None;
        while let Some(command) = worker.next(state.as_ref()) {
            let moment = worker.moment();
            let Ok(events) = goal::decide(state.as_ref(), command, moment.clone()) else {
                continue;
            };
            state = store(&log, state, &events, moment).await;
            let stored = log.reader().state(worker.goal).await.unwrap();
            assert_eq!(stored, state, "seed {seed}");
        }
        let state = state.unwrap();
        ends.insert(state.goal.status);
        let item = state.items.first().unwrap().id;
        let by_item = log.reader().state_of_item(item).await.unwrap();
        assert_eq!(by_item.as_ref(), Some(&state));
        assert_eq!(replay(&log, worker.goal).await, Some(state));
    }
    assert!(ends.contains(&GoalStatus::Completed), "{ends:?}");
    assert!(ends.len() > 1, "{ends:?}");
}

/// Commits events and the rows that they touch, as the scheduler does.
async fn store(
    log: &Log,
    mut state: Option<GoalState>,
    events: &[Event],
    moment: Moment,
) -> Option<GoalState> {
    let mut touched: Vec<Touched> = Vec::new();
    let mut appended = Vec::new();
    for (n, event) in events.iter().enumerate() {
        state = evolve(state, event, moment.now_ms);
        touched.extend(event.touched());
        appended.push(NewEvent {
            id: format!("{}-{n}", moment.seed),
            at_ms: moment.now_ms,
            kind: event.kind().to_owned(),
            body: serde_json::to_string(event).unwrap(),
            data: "{}".to_owned(),
        });
    }
    let state = state?;
    let mut writes = vec![Write::Events { goal: state.goal.id, events: appended }];
    writes.extend(touched.into_iter().filter_map(|row| row_of(&state, row)).map(Write::Row));
    log.commit(Batch { writes }).await.unwrap();
    Some(state)
}

fn row_of(state: &GoalState, touched: Touched) -> Option<Row> {
    Some(match touched {
        Touched::Goal => Row::Goal(Box::new(state.goal.clone())),
        Touched::Item(id) => Row::Item(Box::new(state.item(id)?.clone())),
        Touched::Run(id) => Row::Run(Box::new(state.run(id)?.clone())),
        Touched::Gate(run, step) => {
            let mut results = state.gate_results.iter();
            let result = results.find(|result| result.run_id == run && result.step == step)?;
            Row::GateResult(Box::new(result.clone()))
        }
        Touched::Artifact(id) => {
            let artifact = state.artifacts.iter().find(|artifact| artifact.id == id)?;
            Row::Artifact(Box::new(artifact.clone()))
        }
        Touched::Escalation(id) => {
            let escalation = state.escalations.iter().find(|escalation| escalation.id == id)?;
            Row::Escalation(Box::new(escalation.clone()))
        }
    })
}

async fn replay(log: &Log, goal: GoalId) -> Option<GoalState> {
    let mut state = None;
    for record in everything(&log.reader()).await {
        if record.goal == goal.to_string() {
            let event: Event = serde_json::from_str(&record.body).unwrap();
            state = evolve(state, &event, record.at_ms);
        }
    }
    state
}

/// The order of rows is the order in which they came, however often one is written.
pub(super) async fn a_row_written_again_keeps_its_place(place: Place) {
    let log = place.log().await;
    let (mut state, mut worker) = (None, Worker::new(1));
    while let Some(command) = worker.next(state.as_ref()) {
        let moment = worker.moment();
        if let Ok(events) = goal::decide(state.as_ref(), command, moment.clone()) {
            state = store(&log, state, &events, moment).await;
        }
    }
    let state = state.unwrap();
    assert!(state.gate_results.len() > 2 && state.artifacts.len() > 1 && state.runs.len() > 1);
    let first = [
        Row::Run(Box::new(state.runs.first().unwrap().clone())),
        Row::GateResult(Box::new(state.gate_results.first().unwrap().clone())),
        Row::Artifact(Box::new(state.artifacts.first().unwrap().clone())),
        Row::Item(Box::new(state.items.first().unwrap().clone())),
        Row::Goal(Box::new(state.goal.clone())),
    ];
    log.commit(batch(first.map(Write::Row))).await.unwrap();
    assert_eq!(log.reader().state(worker.goal).await.unwrap(), Some(state));
}

/// Goals with made-up places in life.
pub(crate) fn goals(count: u64) -> Vec<goal::Goal> {
    let goal_of = |n: u64| {
        let mut worker = Worker::new(n);
        let submit = worker.next(None).unwrap();
        let events = goal::decide(None, submit, worker.moment()).unwrap();
        let state = evolve(None, events.first().unwrap(), 0).unwrap();
        state.goal
    };
    (1..=count).map(goal_of).collect()
}

pub(super) async fn goals_are_paged_ordered_and_filtered(place: Place) {
    let log = place.log().await;
    // (priority, created at, status), in the order in which they are to be listed.
    let wanted = [
        (90, 5, GoalStatus::Queued),
        (50, 1, GoalStatus::Active),
        (50, 2, GoalStatus::Queued),
        (50, 2, GoalStatus::Completed),
        (10, 0, GoalStatus::Queued),
    ];
    let mut goals = goals(wanted.len() as u64);
    for (goal, (priority, created_at_ms, status)) in goals.iter_mut().zip(wanted) {
        goal.spec.priority = priority;
        goal.created_at_ms = created_at_ms;
        goal.status = status;
    }
    let rows = goals.iter().rev().map(|goal| Write::Row(Row::Goal(Box::new(goal.clone()))));
    log.commit(batch(rows)).await.unwrap();

    let reader = log.reader();
    let list = async |status, limit, offset| {
        let filter = GoalFilter { status, limit, offset };
        let (page, total) = reader.goals(filter).await.unwrap();
        let place = |goal: &goal::Goal| goals.iter().position(|known| known == goal).unwrap();
        (page.iter().map(place).collect::<Vec<_>>(), total)
    };
    assert_eq!(list(None, 10, 0).await, (vec![0, 1, 2, 3, 4], 5));
    assert_eq!(list(None, 2, 0).await, (vec![0, 1], 5));
    assert_eq!(list(None, 2, 2).await, (vec![2, 3], 5));
    assert_eq!(list(None, 2, 4).await, (vec![4], 5));
    assert_eq!(list(None, 2, 6).await, (vec![], 5));
    assert_eq!(list(Some(GoalStatus::Queued), 2, 1).await, (vec![2, 4], 3));
    assert_eq!(list(Some(GoalStatus::Failed), 2, 0).await, (vec![], 0));
    let counts = reader.goal_counts().await.unwrap();
    let counted = [("active", 1), ("completed", 1), ("queued", 3)];
    assert_eq!(counts, counted.map(|(status, count)| (status.to_owned(), count)));
    let id = goals.first().unwrap().id.to_string();
    assert_eq!(reader.goal_ids_like(&id[5..], 10).await.unwrap(), [id]);
    assert_eq!(reader.goal_ids_like("goal_", 3).await.unwrap().len(), 3);
    assert_eq!(reader.goal_ids_like("%", 3).await.unwrap(), [""; 0], "no pattern, a text");
}

pub(super) async fn open_goals_are_those_that_have_not_ended(place: Place) {
    let log = place.log().await;
    let statuses = [
        GoalStatus::Queued,
        GoalStatus::Active,
        GoalStatus::Blocked,
        GoalStatus::Completed,
        GoalStatus::Cancelled,
        GoalStatus::Failed,
    ];
    let mut goals = goals(statuses.len() as u64);
    for (n, (goal, status)) in goals.iter_mut().zip(statuses).enumerate() {
        goal.status = status;
        goal.created_at_ms = 100 - n as u64;
        goal.verdict = Some(Verdict::Partial);
    }
    let rows = goals.iter().map(|goal| Write::Row(Row::Goal(Box::new(goal.clone()))));
    log.commit(batch(rows)).await.unwrap();
    let open = log.reader().open_goals().await.unwrap();
    let open: Vec<GoalStatus> = open.iter().map(|state| state.goal.status).collect();
    assert_eq!(open, [GoalStatus::Blocked, GoalStatus::Active, GoalStatus::Queued]);
}
