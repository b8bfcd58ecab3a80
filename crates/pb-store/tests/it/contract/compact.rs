//! Compaction: in parts, behind a snapshot, of goals that have ended, and of nothing else.

use pb_model::goal::{Goal, GoalStatus, Run, RunStage, RunStatus};
use pb_model::{GoalId, RunId};
use pb_store::{
    Batch, Compact, Compacted, Error, Log, NewEvent, Retention, Row, StepIntent, StepKind, StepOutcome,
    StepResult, Write,
};
use pretty_assertions::assert_eq;

use crate::support::{Place, append, batch, event, events, everything};

/// Goals with a status and so many events each, written in the order of their numbers; some have steps.
struct Scene {
    log: Log,
    goals: Vec<Goal>,
}

impl Scene {
    async fn new(place: &Place, goals: &[(GoalStatus, u64)]) -> Self {
        let log = place.log().await;
        let mut made = super::rows::goals(goals.len() as u64);
        for (goal, (status, count)) in made.iter_mut().zip(goals) {
            goal.status = *status;
            log.commit(events(goal.id, 1..=*count)).await.unwrap();
            log.commit(batch([Write::Row(Row::Goal(Box::new(goal.clone())))])).await.unwrap();
        }
        Self { log, goals: made }
    }

    fn id(&self, number: usize) -> GoalId {
        self.goals.get(number - 1).unwrap().id
    }

    /// Writes `count` steps of one run of a goal, each with a result of so many bytes.
    async fn steps(&self, goal: GoalId, count: u32, bytes: usize) {
        let run = run(goal);
        let mut writes = vec![Write::Row(Row::Run(Box::new(run.clone())))];
        for n in 1..=count {
            writes.push(Write::StepIntent(StepIntent {
                run: run.id,
                n,
                epoch: 1,
                kind: StepKind::Tool,
                effect_key: format!("key {n}"),
                request_hash: "hash".to_owned(),
                label: format!("步骤 {n}"),
                at_ms: 1,
            }));
            writes.push(Write::StepResult(StepResult {
                run: run.id,
                n,
                epoch: 1,
                outcome: StepOutcome::Ok,
                result: "r".repeat(bytes),
                at_ms: 2,
            }));
        }
        self.log.commit(batch(writes)).await.unwrap();
    }

    /// The parts that a goal takes.
    async fn compact(&self, goal: GoalId) -> Vec<Compacted> {
        let mut parts = Vec::new();
        loop {
            parts.extend(self.log.commit(part(&self.log, goal).await).await.unwrap().compacted);
            self.assert_whole().await;
            if parts.last().unwrap().done {
                return parts;
            }
        }
    }

    /// I2: positions rise, and each goal's `seq` has no gap from the first that is there on.
    async fn assert_whole(&self) {
        let (mut pos, mut heads) = (0, std::collections::BTreeMap::<String, u64>::new());
        for event in everything(&self.log.reader()).await {
            assert!(event.pos > pos, "{event:?}");
            pos = event.pos;
            let head = heads.entry(event.goal.clone()).or_insert(event.seq - 1);
            *head += 1;
            assert_eq!(event.seq, *head, "a gap before {event:?}");
        }
        assert_eq!(self.log.reader().last_pos().await.unwrap(), pos);
    }

    async fn due(&self, ended_before_ms: u64, bytes_max: u64) -> Vec<GoalId> {
        let retention = Retention { ended_before_ms, bytes_max };
        let due = self.log.reader().compactable(retention, 10).await.unwrap();
        due.into_iter().map(|candidate| candidate.goal).collect()
    }
}

fn run(goal: GoalId) -> Run {
    Run {
        id: RunId::from(goal.uuid()),
        item_id: None,
        reviews: None,
        added: Vec::new(),
        goal_id: goal,
        attempt: 1,
        epoch: 1,
        status: RunStatus::Success,
        stage: RunStage::Ended,
        created_at_ms: 1,
        completed_at_ms: None,
        steps: 1,
        execution: None,
        continued: Vec::new(),
        error: None,
        conversation: None,
    }
}

/// A part of a goal as it stands now.
async fn part(log: &Log, goal: GoalId) -> Batch {
    let id = goal.to_string();
    let all = everything(&log.reader()).await;
    let last = all.iter().rev().find(|event| event.goal == id);
    let snapshot = NewEvent { kind: "goal.compacted".to_owned(), at_ms: 90_000, ..event(9_999) };
    batch([Write::Compact(Compact { goal, seq: last.map_or(0, |event| event.seq), snapshot })])
}

pub(super) async fn an_ended_goal_is_compacted_in_parts(place: Place) {
    let ended = GoalStatus::Completed;
    let scene = Scene::new(&place, &[(ended, 600), (GoalStatus::Active, 5)]).await;
    let (old, other) = (scene.id(1), scene.id(2));
    scene.steps(old, 300, 10).await;
    scene.steps(other, 1, 10).await;
    let (state, last) = (scene.log.reader().state(old).await.unwrap(), 605);

    let parts = scene.compact(old).await;
    let sizes: Vec<u64> = parts.iter().map(|part| part.events).collect();
    assert_eq!(sizes, [0, 0, 256, 256, 88], "bodies of steps first");
    assert_eq!(parts.iter().map(|part| part.done).filter(|done| *done).count(), 1);

    let reader = scene.log.reader();
    let left = everything(&reader).await;
    let snapshot = left.last().unwrap();
    assert_eq!((snapshot.pos, snapshot.seq, snapshot.kind.as_str()), (last + 1, 601, "goal.compacted"));
    assert_eq!(left.iter().filter(|event| event.goal == old.to_string()).count(), 1);
    assert_eq!(left.len(), 6, "the other goal keeps its events");
    assert_eq!(reader.state(old).await.unwrap(), state, "rows stay");
    let steps = reader.steps(old).await.unwrap();
    assert_eq!(steps.len(), 300, "what was done stays, what it came to goes");
    for step in &steps {
        assert_eq!((step.outcome.as_deref(), step.result.as_deref()), (Some("ok"), None), "{step:?}");
        assert!(step.label.starts_with("步骤"));
    }
    assert_eq!(reader.steps(other).await.unwrap()[0].result.as_deref(), Some("rrrrrrrrrr"));

    let again = scene.log.commit(part(&scene.log, old).await).await.unwrap();
    let nothing = Compacted { goal: old, events: 0, bytes: 0, done: true };
    assert_eq!((again.events, again.compacted), (Vec::new(), vec![nothing]));
    let next = scene.log.commit(batch([append(other, 6)])).await.unwrap();
    assert_eq!((next.events[0].pos, next.events[0].seq), (last + 2, 6), "positions go on");
}

pub(super) async fn heavy_events_make_smaller_parts(place: Place) {
    let scene = Scene::new(&place, &[(GoalStatus::Failed, 1)]).await;
    let goal = scene.id(1);
    for n in 2..=9 {
        let events = vec![NewEvent { data: "x".repeat(1 << 20), ..event(n) }];
        scene.log.commit(batch([Write::Events { goal, events }])).await.unwrap();
    }
    let parts = scene.compact(goal).await;
    let sizes: Vec<u64> = parts.iter().map(|part| part.events).collect();
    assert_eq!(sizes, [5, 4], "about 4 MiB each");
}

pub(super) async fn a_goal_that_has_not_ended_is_never_compacted(place: Place) {
    use GoalStatus::{Active, Blocked, Queued};
    let scene = Scene::new(&place, &[(Queued, 3), (Active, 3), (Blocked, 3)]).await;
    let before = everything(&scene.log.reader()).await;
    assert_eq!(scene.due(u64::MAX >> 1, 0).await, []);
    for goal in &scene.goals {
        let refused = scene.log.commit(part(&scene.log, goal.id).await).await;
        assert!(matches!(refused, Err(Error::NotEnded { .. })), "{refused:?}");
    }
    let unknown = crate::support::goal(404);
    let refused = scene.log.commit(part(&scene.log, unknown).await).await;
    assert!(matches!(refused, Err(Error::NotEnded { .. })), "{refused:?}");
    assert_eq!(everything(&scene.log.reader()).await, before);
}

/// A goal that failed may be tried again, and fail again, between the snapshot and the first part.
pub(super) async fn a_goal_that_went_on_is_not_compacted_behind_an_old_snapshot(place: Place) {
    let scene = Scene::new(&place, &[(GoalStatus::Failed, 5)]).await;
    let goal = scene.id(1);
    scene.steps(goal, 1, 10).await;
    let stale = part(&scene.log, goal).await;
    scene.log.commit(batch([append(goal, 6)])).await.unwrap();
    let before = everything(&scene.log.reader()).await;
    let refused = scene.log.commit(stale).await;
    assert!(matches!(refused, Err(Error::NotEnded { .. })), "{refused:?}");
    assert_eq!(everything(&scene.log.reader()).await, before);
    let steps = scene.log.reader().steps(goal).await.unwrap();
    assert!(steps.iter().all(|step| step.result.is_some()), "what its steps came to is there: {steps:?}");
    let parts = scene.compact(goal).await;
    assert_eq!(parts.iter().map(|part| part.events).sum::<u64>(), 6, "as it stands now, it is");
}

/// The events of these goals are of the moments 1,001 to 1,000 + how many each has.
pub(super) async fn the_oldest_are_due_first(place: Place) {
    use GoalStatus::{Active, Cancelled, Completed, Failed};
    let goals = [(Completed, 50), (Active, 90), (Cancelled, 20), (Failed, 300)];
    let scene = Scene::new(&place, &goals).await;
    let [completed, cancelled, failed] = [1, 3, 4].map(|number| scene.id(number));
    assert_eq!(scene.due(0, u64::MAX).await, [], "young, and room for all");
    assert_eq!(scene.due(1_051, u64::MAX).await, [cancelled, completed], "by when they ended");
    let everything = Retention { ended_before_ms: u64::MAX >> 1, bytes_max: 0 };
    let due = scene.log.reader().compactable(everything, 10).await.unwrap();
    let bytes: Vec<u64> = due.iter().map(|candidate| candidate.bytes).collect();
    let heads = scene.log.commit(batch([append(scene.id(2), 91)])).await.unwrap().heads;
    let total: u64 = bytes.iter().sum::<u64>() + heads[0].bytes;
    assert_eq!(scene.due(0, total).await, []);
    assert_eq!(scene.due(0, total - 1).await, [cancelled], "as few as are needed");
    assert_eq!(scene.due(0, total - bytes[0] - 1).await, [cancelled, completed]);

    // One that was begun comes first, whatever its age, and is done once.
    scene.log.commit(part(&scene.log, failed).await).await.unwrap();
    assert_eq!(scene.due(1_051, u64::MAX).await, [failed, cancelled, completed]);
    scene.compact(failed).await;
    assert_eq!(scene.due(1_051, u64::MAX).await, [cancelled, completed]);
}
