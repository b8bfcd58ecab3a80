//! One turn of the loop: the decisions of a batch of inputs, and everything that has to become
//! durable because of them.

mod schedule;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use pb_model::approval::ApprovalEvent;
use pb_model::goal::{
    Call, CallEnd, Command, Doing, Event, GoalState, Moment, Rejection, Run, RunStage, Touched, decide,
    evolve,
};
use pb_model::spec::Work;
use pb_model::{Epoch, EscalationId, GoalId, RunId, effect_key};
use pb_protocol::event;
use pb_runtime::{Clock, Ids};
use pb_store::{
    Batch, Compact, NewEvent, Row, StepIntent, StepKind, StepOutcome, StepResult, StoredResult, Write,
};
use serde_json::json;

use crate::agent;
use crate::goals::Goals;
use crate::trace::{Before, Fact, Note, Tracer};

/// What a command printed, to be kept with its step.
#[derive(Debug, Clone)]
pub(crate) struct Printed {
    /// How it ended, in words.
    pub(crate) found: String,
    /// Head and tail of its output.
    pub(crate) output: String,
}

/// What an effect hands in beside its command: bodies for the journal, which no decision reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Papers {
    /// What the run's command printed.
    pub(crate) printed: Option<Printed>,
    /// Digest of the request that a model is about to be asked.
    pub(crate) request_hash: String,
    /// Results of steps of a conversation, as JSON, by their place in the journal.
    pub(crate) results: BTreeMap<u32, String>,
}

/// The decisions of one batch of inputs.
#[derive(Debug)]
pub(crate) struct Turn {
    clock: Clock,
    ids: Ids,
    batch: Batch,
    touched: BTreeSet<GoalId>,
    executed: Vec<Executed>,
    /// What is to be told of it in the trace, if anything is.
    notes: Option<Vec<Note>>,
}

/// A command that was executed, to be told over the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Executed {
    /// Its id.
    pub(crate) id: String,
    /// Why it changed nothing.
    pub(crate) error: Option<String>,
}

/// What became durable, or is to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The writes.
    pub(crate) batch: Batch,
    /// The goals that changed.
    pub(crate) touched: BTreeSet<GoalId>,
    /// The commands that were executed.
    pub(crate) executed: Vec<Executed>,
    /// What is to be told of it in the trace.
    pub(crate) notes: Vec<Note>,
}

impl Turn {
    pub(crate) fn new(clock: Clock, ids: Ids, tracer: &Tracer) -> Self {
        Self {
            clock,
            ids,
            batch: Batch::default(),
            touched: BTreeSet::new(),
            executed: Vec::new(),
            notes: tracer.is_on().then(Vec::new),
        }
    }

    /// The writes of this turn.
    pub(crate) fn finish(self) -> Outcome {
        let notes = self.notes.unwrap_or_default();
        Outcome { batch: self.batch, touched: self.touched, executed: self.executed, notes }
    }

    /// Whether anything is to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.batch.writes.is_empty()
    }

    /// Has something told in the trace once this turn is committed.
    pub(crate) fn note(&mut self, note: impl FnOnce() -> Note) {
        if let Some(notes) = &mut self.notes {
            notes.push(note());
        }
    }

    /// Drops a part of an ended goal.
    pub(crate) fn compact(&mut self, compact: &Compact) {
        self.batch.writes.push(Write::Compact(compact.clone()));
    }

    /// Decides a command on a goal, in memory, and notes what has to be written.
    pub(crate) fn decide(
        &mut self,
        goals: &mut Goals,
        goal: GoalId,
        command: Command,
        papers: &Papers,
    ) -> Result<(), Rejection> {
        let moment = Moment {
            now_ms: self.clock.now_ms(),
            escalation: EscalationId::from(self.ids.uuid()),
            run: RunId::from(self.ids.uuid()),
            seed: self.ids.number(),
            day: goals.day(),
        };
        let before = goals.get(goal);
        let now_ms = moment.now_ms;
        let events = decide(before, command, moment)?;
        let mut state = before.cloned();
        // In the order of the events: rows that are new get their places by it.
        let mut rows: Vec<Touched> = Vec::new();
        let mut appended = Vec::with_capacity(events.len());
        for event in &events {
            let stood = self.notes.is_some().then(|| Before::of(state.as_ref(), event));
            state = evolve(state, event, now_ms);
            let Some(state) = &state else { continue };
            if let (Some(notes), Some(before)) = (&mut self.notes, stood) {
                Fact { event, before, state, at_ms: now_ms }.tell(notes);
            }
            for row in event.touched() {
                if !rows.contains(&row) {
                    rows.push(row);
                }
            }
            appended.push(self.record(event, state, now_ms));
        }
        let Some(state) = state else { return Ok(()) };
        if appended.is_empty() {
            return Ok(());
        }
        self.batch.writes.push(Write::Events { goal, events: appended });
        self.batch.writes.extend(rows.into_iter().filter_map(|row| row_of(&state, row)).map(Write::Row));
        for event in &events {
            self.journal(event, &state, papers, now_ms);
        }
        self.touched.insert(goal);
        let ending = schedule::ending(&state);
        self.tell_news(goals, &events, &state);
        goals.put(state);
        if let Some((schedule, ending)) = ending {
            self.finish_scheduled(goals, schedule, goal, ending);
        }
        Ok(())
    }

    fn record(&self, event: &Event, state: &GoalState, at_ms: u64) -> NewEvent {
        NewEvent {
            id: self.ids.uuid().to_string(),
            at_ms,
            kind: event.kind().to_owned(),
            // A fact is plain data: maps with string keys, strings and numbers.
            body: serde_json::to_string(event).unwrap_or_default(),
            data: event::data(event, state, at_ms).to_string(),
        }
    }

    /// The journal of a run: an intent before its command runs, the result after. A conversation
    /// journals each of its calls instead.
    fn journal(&mut self, event: &Event, state: &GoalState, papers: &Papers, at_ms: u64) {
        match event {
            Event::RunStarted { run } => self.intent(state, run.id, at_ms),
            Event::RunContinued { run, ran_again: true, .. } => self.intent(state, *run, at_ms),
            Event::RunContinued { run, ran_again: false, .. } => self.calls_again(state, *run, at_ms),
            Event::ModelRequested { .. }
            | Event::ModelAnswered { .. }
            | Event::ModelFailed { .. }
            | Event::ApprovalChanged { .. }
            | Event::ToolCompleted { .. } => self.journal_conversation(event, state, papers, at_ms),
            Event::RunExecuted { run, execution, .. } => {
                let Some(epoch) = state.run(*run).filter(|run| has_intent(run)).map(|run| run.epoch) else {
                    return;
                };
                let printed = papers.printed.as_ref();
                let result = json!({
                    "found": printed.map_or_else(|| execution.outcome.to_string(), |printed| printed.found.clone()),
                    "output": printed.map_or(execution.output_tail.as_str(), |printed| printed.output.as_str()),
                    "output_digest": execution.output_digest,
                    "output_bytes": execution.output_bytes,
                    "duration_ms": execution.duration_ms,
                });
                self.batch.writes.push(Write::StepResult(StepResult {
                    run: *run,
                    n: 1,
                    epoch,
                    outcome: step_outcome(&execution.outcome),
                    result: result.to_string(),
                    at_ms,
                }));
            }
            _ => {}
        }
    }

    fn intent(&mut self, state: &GoalState, run: RunId, at_ms: u64) {
        let Some((run, item)) = state.run(run).and_then(|run| Some((run, state.item(run.item_id?)?))) else {
            return;
        };
        let Work::Command(command) = &item.work else {
            return;
        };
        self.batch.writes.push(Write::StepIntent(StepIntent {
            run: run.id,
            n: 1,
            epoch: run.epoch,
            kind: StepKind::Tool,
            effect_key: effect_key(run.id, 1, "command", &command.argv),
            request_hash: blake3::hash(command.argv.join("\0").as_bytes()).to_hex().to_string(),
            label: command.argv.join(" "),
            at_ms,
        }));
    }

    /// Each call of a model and of a tool is a step (`durability.md` §4).
    fn journal_conversation(&mut self, event: &Event, state: &GoalState, papers: &Papers, at_ms: u64) {
        let Some(run) = event.run_id().and_then(|run| state.run(run)) else {
            return;
        };
        match event {
            Event::ModelRequested { model, reservation, .. } => {
                let n = reservation.n;
                self.batch.writes.push(Write::StepIntent(StepIntent {
                    run: run.id,
                    n,
                    epoch: run.epoch,
                    kind: StepKind::Model,
                    effect_key: effect_key(run.id, n, "model", std::slice::from_ref(model)),
                    // The request itself is put together again where it is made, from what the journal holds.
                    request_hash: papers.request_hash.clone(),
                    label: model.clone(),
                    at_ms,
                }));
            }
            Event::ModelAnswered { n, calls, .. } => {
                self.step_result((run.id, *n, run.epoch), StepOutcome::Ok, papers, at_ms);
                for call in calls.iter().filter(|call| call.has_intent()) {
                    self.call_intent(run.id, run.epoch, call, at_ms);
                }
            }
            // Nobody saw its end, so nobody writes it; the step stays as the crash left it.
            Event::ModelFailed { lost: true, .. } => {}
            Event::ModelFailed { n, charge, .. } => {
                let outcome = if charge.assumed { StepOutcome::Unknown } else { StepOutcome::Error };
                self.step_result((run.id, *n, run.epoch), outcome, papers, at_ms);
            }
            // The call has its yes, and is about to be made.
            Event::ApprovalChanged { escalation, change: ApprovalEvent::Used, .. } => {
                let waiting = state.escalation(*escalation).and_then(|asked| asked.waiting);
                let Some(Doing::Acting { calls }) = run.conversation.as_ref().map(|talk| &talk.doing) else {
                    return;
                };
                for call in calls.iter().filter(|call| Some(call.n) == waiting && call.has_intent()) {
                    self.call_intent(run.id, run.epoch, call, at_ms);
                }
            }
            Event::ToolCompleted { call, end, found, .. } => {
                if !call.has_intent() {
                    self.call_intent(run.id, run.epoch, call, at_ms);
                }
                let outcome = match end {
                    CallEnd::Ok | CallEnd::Finished => StepOutcome::Ok,
                    CallEnd::Failed | CallEnd::Withheld | CallEnd::Host => StepOutcome::Error,
                    CallEnd::Unknown | CallEnd::Asks => StepOutcome::Unknown,
                };
                // A person said it, or nobody did in time: what was told is all of it.
                let told = papers.results.get(&call.n).cloned();
                let told = told.unwrap_or_else(|| agent::told_by_a_person(*end, found));
                self.result((run.id, call.n, run.epoch), outcome, told, at_ms);
            }
            _ => {}
        }
    }

    /// Another incarnation goes on with calls whose intents are of an earlier one: it writes its own, for
    /// only its own get a result.
    fn calls_again(&mut self, state: &GoalState, run: RunId, at_ms: u64) {
        let Some(run) = state.run(run).filter(|run| run.stage == RunStage::Executing) else {
            return;
        };
        let Some(Doing::Acting { calls }) = run.conversation.as_ref().map(|talk| &talk.doing) else {
            return;
        };
        let held = calls.iter().any(|call| call.held);
        if !held && !run.risky_call().is_some_and(|call| call.again) {
            return; // None of them has an effect.
        }
        for call in calls.iter().filter(|call| call.has_intent()) {
            self.call_intent(run.id, run.epoch, call, at_ms);
        }
    }

    fn call_intent(&mut self, run: RunId, epoch: Epoch, call: &Call, at_ms: u64) {
        self.batch.writes.push(Write::StepIntent(StepIntent {
            run,
            n: call.n,
            epoch,
            kind: StepKind::Tool,
            effect_key: effect_key(run, call.n, &call.tool, std::slice::from_ref(&call.digest)),
            request_hash: call.digest.clone(),
            label: format!("{} {}", call.tool, call.title).trim_end().to_owned(),
            at_ms,
        }));
    }

    fn step_result(&mut self, step: (RunId, u32, Epoch), outcome: StepOutcome, papers: &Papers, at_ms: u64) {
        let result = papers.results.get(&step.1).cloned();
        let result = result.unwrap_or_else(|| json!({"found": "nothing is known"}).to_string());
        self.result(step, outcome, result, at_ms);
    }

    fn result(
        &mut self,
        (run, n, epoch): (RunId, u32, Epoch),
        outcome: StepOutcome,
        result: String,
        at_ms: u64,
    ) {
        self.batch.writes.push(Write::StepResult(StepResult { run, n, epoch, outcome, result, at_ms }));
    }

    /// Stores the result of a command and moves the inbox position past it.
    pub(crate) fn executed(&mut self, inbox_id: &str, row: &pb_store::InboxRow, result: &serde_json::Value) {
        let error = result.get("error").and_then(|error| error.get("message")).and_then(|text| text.as_str());
        self.executed.push(Executed { id: row.command.id.clone(), error: error.map(str::to_owned) });
        self.batch.writes.push(Write::CommandResult(StoredResult {
            id: row.command.id.clone(),
            params_digest: row.command.params_digest.clone(),
            result: result.to_string(),
            at_ms: self.clock.now_ms(),
        }));
        self.passed(inbox_id, row.pos);
    }

    /// Moves the inbox position past a command that was executed before.
    pub(crate) fn passed(&mut self, inbox_id: &str, pos: u64) {
        self.batch.writes.push(Write::InboxRead { inbox_id: inbox_id.to_owned(), pos });
    }
}

/// Whether the incarnation that holds this run wrote the intent of its command. One that took the run over
/// only to stop it did not: the step stays as the crash left it, for nobody saw its end.
fn has_intent(run: &Run) -> bool {
    let continued = run.continued.iter().rfind(|continued| continued.epoch == run.epoch);
    run.conversation.is_none() && continued.is_none_or(|continued| continued.ran_again)
}

fn step_outcome(outcome: &pb_model::goal::ExecutionOutcome) -> StepOutcome {
    use pb_model::goal::ExecutionOutcome as Outcome;
    match outcome {
        Outcome::Exited { code: 0 } | Outcome::Finished => StepOutcome::Ok,
        Outcome::Exited { .. }
        | Outcome::Signaled { .. }
        | Outcome::TurnLimit { .. }
        | Outcome::Unanswered { .. }
        | Outcome::NotStarted { .. } => StepOutcome::Error,
        Outcome::TimedOut | Outcome::BudgetExhausted | Outcome::Stopped | Outcome::Lost => {
            StepOutcome::Unknown
        }
    }
}

/// The row of a state that an event touched.
fn row_of(state: &GoalState, row: Touched) -> Option<Row> {
    Some(match row {
        Touched::Goal => Row::Goal(Box::new(state.goal.clone())),
        Touched::Item(id) => Row::Item(Box::new(state.item(id)?.clone())),
        Touched::Run(id) => Row::Run(Box::new(state.run(id)?.clone())),
        Touched::Gate(run, step) => {
            let found = state.gate_results.iter().find(|gate| gate.run_id == run && gate.step == step)?;
            Row::GateResult(Box::new(found.clone()))
        }
        Touched::Artifact(id) => {
            Row::Artifact(Box::new(state.artifacts.iter().find(|artifact| artifact.id == id)?.clone()))
        }
        Touched::Escalation(id) => Row::Escalation(Box::new(
            state.escalations.iter().find(|escalation| escalation.id == id)?.clone(),
        )),
    })
}
