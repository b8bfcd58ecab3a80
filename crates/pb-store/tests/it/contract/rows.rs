//! Rows: what `evolve` returned reads back as it was.

use pb_model::goal::{
    Amount, Answer, CostLine, Escalation, EscalationType, Event, GoalState, GoalStatus, ItemStatus, Moment,
    Packet, Resolution, Touched, evolve,
};
use pb_model::{EscalationId, GoalId, ItemId, Verdict, goal};
use pb_store::{
    Batch, EscalationFilter, GoalFilter, GoalPlace, ItemFilter, Log, LogReader, NewEvent, Row, Write,
};
use pretty_assertions::assert_eq;
use uuid::Uuid;

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
        for item in &state.items {
            let by_item = log.reader().state_of_item(item.id).await.unwrap();
            assert_eq!(by_item, Some(of_item(&state, item.id)));
        }
        assert_items(&log.reader(), &state).await;
        assert_eq!(replay(&log, worker.goal).await, Some(state));
    }
    assert!(ends.contains(&GoalStatus::Completed), "{ends:?}");
    assert!(ends.len() > 1, "{ends:?}");
}

/// The goal with what belongs to one item only.
fn of_item(state: &GoalState, item: ItemId) -> GoalState {
    let mut narrow = state.clone();
    narrow.runs.retain(|run| run.item_id == Some(item));
    narrow.gate_results.retain(|gate| narrow.runs.iter().any(|run| run.id == gate.run_id));
    narrow.artifacts.clear();
    narrow.escalations.clear();
    narrow
}

/// The items of a goal are listed in the order of its plan, page by page, and by status.
async fn assert_items(reader: &LogReader, state: &GoalState) {
    let list = async |status, limit, offset| {
        let filter = ItemFilter { goal: Some(state.goal.id), status, limit, offset, after: None };
        let (page, total) = reader.items(filter).await.unwrap();
        assert!(page.iter().all(|(_, goal)| *goal == state.goal.id));
        (page.into_iter().map(|(item, _)| item).collect::<Vec<_>>(), total)
    };
    let all: Vec<_> = state.items.iter().map(|item| item.id).collect();
    let total = all.len() as u64;
    assert_eq!(list(None, 100, 0).await, (all.clone(), total));
    assert_eq!(list(None, 1, 1).await, (all.into_iter().skip(1).take(1).collect(), total));
    let mut walked = Vec::new();
    let mut filter = ItemFilter { goal: Some(state.goal.id), limit: 2, ..ItemFilter::default() };
    while let (page, _) = reader.items(filter).await.unwrap()
        && let Some((last, _)) = page.last()
    {
        filter.after = Some(*last);
        walked.extend(page.into_iter().map(|(item, _)| item));
    }
    assert_eq!(walked, state.items.iter().map(|item| item.id).collect::<Vec<_>>());
    for status in ItemStatus::ALL {
        let some: Vec<_> =
            state.items.iter().filter(|item| item.status == status).map(|item| item.id).collect();
        let count = some.len() as u64;
        assert_eq!(list(Some(status), 100, 0).await, (some, count), "{status:?}");
    }
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
        let filter = GoalFilter { status, limit, offset, latest: false, after: None };
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
    let mut latest_first: Vec<usize> = (0..goals.len()).collect();
    latest_first.sort_by_key(|n| std::cmp::Reverse((goals[*n].created_at_ms, goals[*n].id.to_string())));
    for (latest, order) in [(false, vec![0, 1, 2, 3, 4]), (true, latest_first)] {
        let mut walked = Vec::new();
        let mut filter = GoalFilter { limit: 1, latest, ..GoalFilter::default() };
        while let (page, 5) = reader.goals(filter.clone()).await.unwrap()
            && let [goal] = page.as_slice()
        {
            let (priority, created_at_ms, id) = (goal.spec.priority, goal.created_at_ms, goal.id.to_string());
            filter.after = Some(GoalPlace { priority, created_at_ms, id });
            walked.push(goals.iter().position(|known| known == goal).unwrap());
        }
        assert_eq!(walked, order, "latest: {latest}");
    }
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

fn question(n: u128, goal: GoalId, answered: bool) -> Escalation {
    let resolution = Resolution {
        answer: Answer::Skip,
        by: "安".to_owned(),
        raised: None,
        text: None,
        answers: std::collections::BTreeMap::new(),
        expired: false,
    };
    Escalation {
        id: EscalationId::from(Uuid::from_u128(n)),
        goal_id: goal,
        item_id: None,
        run_id: None,
        created_at_ms: 5,
        escalation_type: EscalationType::Stuck,
        title: "怎么办".to_owned(),
        packet: Packet {
            context: String::new(),
            attempts: Vec::new(),
            current_state: String::new(),
            root_cause: String::new(),
            options: Vec::new(),
            questions: Vec::new(),
        },
        cap: None,
        call: None,
        waiting: None,
        approval: None,
        expiry: None,
        resolved_at_ms: None,
        resolution: answered.then_some(resolution),
    }
}

pub(super) async fn questions_are_open_until_they_are_answered_or_their_goal_has_ended(place: Place) {
    let log = place.log().await;
    let mut goals = goals(2);
    goals[0].status = GoalStatus::Blocked;
    goals[1].status = GoalStatus::Cancelled;
    let (open, ended) = (goals[0].id, goals[1].id);
    let asked = [
        question(1, open, false),
        question(2, ended, false),
        question(3, open, true),
        question(4, open, false),
    ];
    let rows = goals.into_iter().map(|goal| Write::Row(Row::Goal(Box::new(goal))));
    let rows = rows.chain(asked.iter().map(|asked| Write::Row(Row::Escalation(Box::new(asked.clone())))));
    log.commit(batch(rows)).await.unwrap();
    let reader = log.reader();
    let list = async |goal, is_open, limit, offset| {
        let filter = EscalationFilter { goal, is_open, limit, offset, ..EscalationFilter::default() };
        let (page, total) = reader.escalations(filter).await.unwrap();
        (page.iter().map(|asked| asked.id.uuid().as_u128()).collect::<Vec<_>>(), total)
    };
    assert_eq!(list(None, None, 9, 0).await, (vec![4, 3, 2, 1], 4), "the latest first");
    assert_eq!(list(None, Some(true), 9, 0).await, (vec![4, 1], 2));
    assert_eq!(list(None, Some(true), 1, 1).await, (vec![1], 2));
    assert_eq!(list(None, Some(false), 9, 0).await, (vec![3, 2], 2));
    let mut walked = Vec::new();
    let mut filter = EscalationFilter { limit: 1, ..EscalationFilter::default() };
    while let (page, 4) = reader.escalations(filter).await.unwrap()
        && let [asked] = page.as_slice()
    {
        filter.after = Some(asked.id);
        walked.push(asked.id.uuid().as_u128());
    }
    assert_eq!(walked, [4, 3, 2, 1]);
    assert_eq!(list(Some(ended), Some(true), 9, 0).await, (vec![], 0));
    assert_eq!(list(Some(open), None, 9, 0).await, (vec![4, 3, 1], 3));
    assert_eq!(reader.escalation(asked[2].id).await.unwrap().as_ref(), Some(&asked[2]));
    assert_eq!(reader.escalation(EscalationId::from(Uuid::from_u128(9))).await.unwrap(), None);
}

pub(super) async fn costs_are_told_of_goals_that_had_some(place: Place) {
    let log = place.log().await;
    let mut goals = goals(3);
    let line = |model: &str, tokens| CostLine {
        model: model.to_owned(),
        calls: 1,
        amount: Amount { tokens, micro_usd: 1 },
        ..CostLine::default()
    };
    goals[0].spending.lines = vec![line("a/b", 5), line("c/d", 6)];
    goals[2].spending.lines = vec![line("a/b", 7)];
    let expected: Vec<(GoalId, Vec<CostLine>)> =
        [&goals[0], &goals[2]].map(|goal| (goal.id, goal.spending.lines.clone())).to_vec();
    let rows = goals.into_iter().map(|goal| Write::Row(Row::Goal(Box::new(goal))));
    log.commit(batch(rows)).await.unwrap();
    let costs = log.reader().costs().await.unwrap();
    let mut told: Vec<_> = costs.into_iter().map(|cost| (cost.goal, cost.lines)).collect();
    told.sort_by_key(|(goal, _)| *goal);
    let mut expected = expected;
    expected.sort_by_key(|(goal, _)| *goal);
    assert_eq!(told, expected);
}
