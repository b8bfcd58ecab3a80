//! What is written. Everything follows from a command's id, so that the check can tell what must be there.

use pb_model::goal::{Run, RunStage, RunStatus};
use pb_model::{GoalId, RunId};
use pb_store::{
    Batch, InboxRow, NewCommand, NewEvent, Row, StepIntent, StepKind, StepOutcome, StepResult, StoredResult,
    Write,
};
use uuid::Uuid;

/// How many goals the commands are about.
const GOALS: u64 = 5;
/// Most events of a command.
const EVENTS_MAX: u64 = 3;

/// The command number `n` of an incarnation, whose events have `fill` bytes each beside the rest.
pub fn command(incarnation: u64, n: u64, fill: u64) -> NewCommand {
    let id = format!("{incarnation}-{n}-{fill}");
    NewCommand {
        params_digest: format!("digest of {id}"),
        actor: "writer".to_owned(),
        method: "goal.submit".to_owned(),
        params: "{}".to_owned(),
        goal: goal(n).to_string(),
        at_ms: n,
        id,
    }
}

/// The events that execute a command; `None` for an id that nobody put.
pub fn events(id: &str) -> Option<(GoalId, Vec<NewEvent>)> {
    let mut numbers = id.splitn(3, '-').map(|number| number.parse::<u64>().ok());
    let (_, n, fill) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let fill = "x".repeat(usize::try_from(fill).ok()?);
    let events = (0..=n % EVENTS_MAX).map(|k| NewEvent {
        id: format!("{id}.{k}"),
        at_ms: n,
        kind: "test.event".to_owned(),
        body: format!(r#"{{"command":"{id}","k":{k},"fill":"{fill}"}}"#),
        data: format!("{k}"),
    });
    Some((goal(n), events.collect()))
}

/// What executes the commands of `rows`, as step `step` of the incarnation's run: all of it or nothing.
pub fn execution(rows: &[InboxRow], inbox_id: &str, incarnation: u64, step: u32) -> Batch {
    let run = run(incarnation, step);
    let (run_id, epoch) = (run.id, incarnation);
    let mut writes = vec![Write::Row(Row::Run(Box::new(run)))];
    for row in rows {
        let id = row.command.id.clone();
        if let Some((goal, events)) = events(&id) {
            writes.push(Write::Events { goal, events });
        }
        writes.push(Write::CommandResult(StoredResult {
            params_digest: row.command.params_digest.clone(),
            result: row.pos.to_string(),
            at_ms: row.command.at_ms,
            id,
        }));
    }
    if step > 1 {
        writes.push(Write::StepResult(StepResult {
            run: run_id,
            n: step - 1,
            epoch,
            outcome: StepOutcome::Ok,
            result: "{}".to_owned(),
            at_ms: u64::from(step),
        }));
    }
    let ids: Vec<_> = rows.iter().map(|row| row.command.id.as_str()).collect();
    writes.push(Write::StepIntent(StepIntent {
        run: run_id,
        n: step,
        epoch,
        kind: StepKind::Tool,
        effect_key: ids.join(","),
        request_hash: "hash".to_owned(),
        label: "a batch".to_owned(),
        at_ms: u64::from(step),
    }));
    if let Some(last) = rows.last() {
        writes.push(Write::InboxRead { inbox_id: inbox_id.to_owned(), pos: last.pos });
    }
    Batch { writes }
}

fn goal(n: u64) -> GoalId {
    GoalId::from(Uuid::from_u128(u128::from(1 + n % GOALS)))
}

fn run(incarnation: u64, steps: u32) -> Run {
    Run {
        id: RunId::from(Uuid::from_u128(u128::from(incarnation))),
        item_id: None,
        reviews: None,
        added: Vec::new(),
        goal_id: goal(0),
        attempt: 1,
        epoch: incarnation,
        status: RunStatus::Running,
        stage: RunStage::Executing,
        created_at_ms: 1,
        completed_at_ms: None,
        steps,
        execution: None,
        continued: Vec::new(),
        error: None,
        conversation: None,
    }
}
