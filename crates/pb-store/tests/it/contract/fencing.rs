//! Fencing: a superseded epoch writes nothing.

use pb_model::goal::{Run, RunStage, RunStatus};
use pb_model::{ItemId, RunId};
use pb_store::{Error, Log, Row, StepIntent, StepKind, StepOutcome, StepResult, Write};
use pretty_assertions::assert_eq;
use uuid::Uuid;

use crate::support::{Place, append, batch, everything, goal};

fn run(epoch: u64) -> Run {
    Run {
        id: RunId::from(Uuid::from_u128(1)),
        item_id: Some(ItemId::from(Uuid::from_u128(1))),
        reviews: None,
        added: Vec::new(),
        goal_id: goal(1),
        attempt: 1,
        epoch,
        status: RunStatus::Running,
        stage: RunStage::Executing,
        created_at_ms: 1,
        completed_at_ms: None,
        steps: 1,
        execution: None,
        continued: Vec::new(),
        error: None,
        conversation: None,
    }
}

fn held_by(epoch: u64) -> Write {
    Write::Row(Row::Run(Box::new(run(epoch))))
}

fn intent(n: u32, epoch: u64) -> StepIntent {
    StepIntent {
        run: run(epoch).id,
        n,
        epoch,
        kind: StepKind::Tool,
        effect_key: format!("key {n}"),
        request_hash: "hash".to_owned(),
        label: format!("step {n} of epoch {epoch}"),
        at_ms: 100 + u64::from(n),
    }
}

fn result(n: u32, epoch: u64, result: &str) -> StepResult {
    StepResult {
        run: run(epoch).id,
        n,
        epoch,
        outcome: StepOutcome::Ok,
        result: result.to_owned(),
        at_ms: 200,
    }
}

/// Commits one write behind an event; a refusal leaves neither.
async fn try_write(log: &Log, write: Write) -> &'static str {
    let before = everything(&log.reader()).await.len();
    let committed = log.commit(batch([append(goal(1), 0), write])).await;
    let grown = everything(&log.reader()).await.len() - before;
    match committed {
        Ok(_) if grown == 1 => "written",
        Err(Error::Fenced { .. }) if grown == 0 => "fenced",
        other => panic!("{other:?}, and {grown} event(s)"),
    }
}

pub(super) async fn a_later_epoch_keeps_its_run(place: Place) {
    let log = place.log().await;
    assert_eq!(try_write(&log, held_by(2)).await, "written");
    assert_eq!(try_write(&log, held_by(2)).await, "written");
    assert_eq!(try_write(&log, held_by(1)).await, "fenced");
    assert_eq!(try_write(&log, held_by(3)).await, "written");
    assert_eq!(try_write(&log, held_by(2)).await, "fenced");
}

pub(super) async fn a_step_needs_the_epoch_that_holds_its_run(place: Place) {
    let log = place.log().await;
    let step = |n, epoch| Write::StepIntent(intent(n, epoch));
    let done = |n, epoch| Write::StepResult(result(n, epoch, "{}"));
    assert_eq!(try_write(&log, step(1, 1)).await, "fenced", "no such run");
    assert_eq!(try_write(&log, held_by(1)).await, "written");
    assert_eq!(try_write(&log, step(1, 2)).await, "fenced", "not yet");
    assert_eq!(try_write(&log, step(1, 1)).await, "written");
    assert_eq!(try_write(&log, held_by(2)).await, "written");
    assert_eq!(try_write(&log, step(2, 1)).await, "fenced", "an intent too late");
    assert_eq!(try_write(&log, done(1, 1)).await, "fenced", "a result too late");
    assert_eq!(try_write(&log, done(1, 2)).await, "fenced", "without intent");
    assert_eq!(try_write(&log, step(1, 2)).await, "written", "the same step again");
    assert_eq!(try_write(&log, done(1, 2)).await, "written");
}

pub(super) async fn a_step_begins_once_in_an_epoch(place: Place) {
    let log = place.log().await;
    let writes = [held_by(1), Write::StepIntent(intent(1, 1)), Write::StepResult(result(1, 1, "{}"))];
    log.commit(batch(writes)).await.unwrap();
    let again = [append(goal(1), 0), Write::StepIntent(intent(1, 1))];
    let refused = log.commit(batch(again)).await;
    assert!(matches!(refused, Err(Error::Database(_))), "{refused:?}");
    assert_eq!(everything(&log.reader()).await, []);
    let steps = log.reader().steps(goal(1)).await.unwrap();
    let outcomes: Vec<_> = steps.iter().map(|step| step.outcome.as_deref()).collect();
    assert_eq!(outcomes, [Some("ok")]);
}

pub(super) async fn a_result_is_recorded_once(place: Place) {
    let log = place.log().await;
    for write in [held_by(1), Write::StepIntent(intent(1, 1))] {
        assert_eq!(try_write(&log, write).await, "written");
    }
    let first = Write::StepResult(result(1, 1, "first"));
    let second = Write::StepResult(result(1, 1, "second"));
    assert_eq!(try_write(&log, first).await, "written");
    assert_eq!(try_write(&log, second).await, "fenced");
    let steps = log.reader().steps(goal(1)).await.unwrap();
    let results: Vec<_> = steps.iter().map(|step| step.result.as_deref()).collect();
    assert_eq!(results, [Some("first")]);
}

pub(super) async fn the_journal_is_in_order(place: Place) {
    let log = place.log().await;
    let mut cut_off = result(1, 1, "{}");
    cut_off.outcome = StepOutcome::Unknown;
    log.commit(batch([
        held_by(1),
        Write::StepIntent(intent(1, 1)),
        Write::StepResult(cut_off),
        Write::StepIntent(intent(2, 1)),
    ]))
    .await
    .unwrap();
    let steps = log.reader().steps(goal(1)).await.unwrap();
    let lines: Vec<String> = steps
        .iter()
        .map(|step| {
            format!(
                "{} {} {} {:?} {} -> {:?}",
                step.n, step.kind, step.label, step.effect_key, step.intent_at_ms, step.outcome
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            r#"1 tool step 1 of epoch 1 "key 1" 101 -> Some("unknown")"#,
            r#"2 tool step 2 of epoch 1 "key 2" 102 -> None"#,
        ]
    );
}
