//! A daemon for tests: does what `wants` asks, with seeded luck.

use std::collections::BTreeMap;

use pb_model::goal::{
    AfterFailure, Amount, Artifact, Call, CallEnd, CallResult, Command, DayBudget, Doing, Evidence,
    Execution, ExecutionOutcome, GateResult, GoalState, Moment, Next, Run, Thought, ThoughtOutcome, Used,
    Want, batch, next_wake, wants,
};
use pb_model::{ArtifactId, Effect, EscalationId, GoalId, GoalSpec, ItemId, RunId};
use serde_json::json;
use uuid::Uuid;

use crate::support::Chance;

/// More steps than any of these goals needs.
const STEPS_MAX: u32 = 200;

/// Seed 1 succeeds in everything.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) goal: GoalId,
    seed: u64,
    chance: Chance,
    now_ms: u64,
    epoch: u64,
    minted: u128,
    steps: u32,
}

impl Worker {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            goal: GoalId::from(Uuid::from_u128(u128::from(seed) << 64)),
            seed,
            chance: Chance(seed),
            now_ms: 1_000,
            epoch: 1,
            minted: u128::from(seed) << 64,
            steps: 0,
        }
    }

    pub(super) fn moment(&mut self) -> Moment {
        self.now_ms += 1 + self.chance.below(50);
        Moment {
            now_ms: self.now_ms,
            escalation: EscalationId::from(self.mint()),
            run: pb_model::RunId::from(uuid::Uuid::from_u128(0x7777)),
            seed: self.chance.below(u64::MAX),
            day: DayBudget::default(),
        }
    }

    fn mint(&mut self) -> Uuid {
        self.minted += 1_000;
        Uuid::from_u128(self.minted)
    }

    /// What to tell the goal next; `None` when nothing more will happen.
    pub(super) fn next(&mut self, state: Option<&GoalState>) -> Option<Command> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return None;
        }
        let Some(state) = state else {
            return Some(self.submit());
        };
        if self.seed != 1 && self.chance.below(8) == 0 {
            self.epoch += 1;
            return Some(Command::TakeOver { epoch: self.epoch, alive_until_ms: self.now_ms });
        }
        let wanted = wants(state, self.now_ms);
        if wanted.is_empty() {
            self.now_ms = next_wake(state)?.max(self.now_ms);
            return self.next(Some(state));
        }
        let pick = self.chance.index(wanted.len());
        let want = *wanted.get(pick)?;
        Some(self.fulfil(state, want))
    }

    fn submit(&self) -> Command {
        let gate = |path: &str| json!({"kind": "file_exists", "path": path});
        let item = |id: &str, needs: &[&str], effect: &str, gates| {
            json!({"id": id, "needs": needs, "gates": gates,
                "work": {"kind": "command", "argv": ["true"], "effect": effect}})
        };
        let spec = json!({
            "title": "a diamond",
            "description": "d",
            "budget_time_minutes": 5,
            "budget_cost_usd": 1.5,
            "inputs": {"name": "värde"},
            "items": [
                item("top", &[], "pure", json!([gate("a")])),
                item("left", &["top"], "idempotent", json!([gate("b"), gate("c")])),
                item("right", &["top"], "unsafe", json!([])),
                json!({
                    "id": "think",
                    "needs": ["top"],
                    "work": {"kind": "agent", "prompt": "想", "max_turns": 9},
                    "gates": [gate("e")],
                }),
                item("end", &["left", "right"], "unsafe", json!([gate("d")])),
            ],
        });
        let spec: GoalSpec = serde_json::from_value(spec).unwrap();
        Command::Submit { id: self.goal, spec: Box::new(spec), by: "ann".to_owned() }
    }

    fn fulfil(&mut self, state: &GoalState, want: Want) -> Command {
        match want {
            Want::Plan => Command::Plan {
                items: state.goal.spec.items.iter().map(|_| ItemId::from(self.mint())).collect(),
            },
            Want::StartPlanning => unreachable!("the goal brings its plan"),
            Want::Compose(run) => Command::Reserve { run, epoch: self.epoch, next: Ok(next()) },
            Want::Think(run, n) => {
                Command::FinishThinking { run, epoch: self.epoch, n, thought: Box::new(self.thought()) }
            }
            Want::Act(run, _) => self.act(state.run(run).unwrap()),
            Want::Prepare => Command::Start {
                workspace: "/work".to_owned(),
                baseline: BTreeMap::from([("a".to_owned(), None)]),
                kept: None,
            },
            Want::Start(item) => Command::StartRun { item, run: RunId::from(self.mint()), epoch: self.epoch },
            Want::Execute(run) | Want::Stop(run) => {
                Command::FinishExecution { run, epoch: self.epoch, execution: Box::new(self.execution()) }
            }
            Want::Verify(run) => Command::FinishVerification {
                run,
                epoch: self.epoch,
                results: self.results(state, state.run(run).unwrap(), false),
                round: None,
            },
            Want::Tick => Command::Tick,
            Want::BeginPublish => Command::BeginPublish,
            Want::Publish => Command::FinishPublish {
                rechecked: self.results(state, state.runs.last().unwrap(), true),
                round: None,
                artifacts: vec![self.artifact(), self.artifact()],
                unlisted: 0,
            },
        }
    }

    fn thought(&mut self) -> Thought {
        let call = |tool: &str, effect| Call {
            n: 0,
            id: "call".to_owned(),
            tool: tool.to_owned(),
            title: "文件".to_owned(),
            effect,
            digest: "digest".to_owned(),
            again: false,
            held: false,
        };
        let outcome = if self.lucky() {
            let effects = [Effect::Pure, Effect::Idempotent, Effect::Unsafe];
            let calls = effects.map(|effect| call("tool", effect)).to_vec();
            ThoughtOutcome::Answered { cut_short: false, calls, text: "words".to_owned() }
        } else {
            let then = AfterFailure::Again { after_ms: Some(1) };
            ThoughtOutcome::Failed { error: "no".to_owned(), then, charged: self.lucky() }
        };
        let used = Used { input_tokens: 5, output_tokens: 2, micro_usd: 3, unpriced: false };
        Thought { model: "m".to_owned(), usage: self.lucky().then_some(used), outcome, duration_ms: 1 }
    }

    fn act(&self, run: &Run) -> Command {
        let talk = run.conversation.as_ref().unwrap();
        let Doing::Acting { calls } = &talk.doing else { unreachable!("wanted while it calls nothing") };
        let is_done = talk.turns > 2;
        let results = calls.iter().take(batch(calls)).map(|call| {
            let end = if is_done { CallEnd::Finished } else { CallEnd::Ok };
            let output_digest = format!("{}", call.n);
            CallResult {
                n: call.n,
                end,
                found: "found".to_owned(),
                output_digest,
                duration_ms: 1,
                asks: None,
                review: None,
                adds: Vec::new(),
            }
        });
        let results = results.collect();
        Command::FinishActing {
            run: run.id,
            epoch: self.epoch,
            results,
            workspace: None,
            plan: None,
            next: Some(next()),
        }
    }

    fn lucky(&mut self) -> bool {
        self.seed == 1 || self.chance.below(6) > 0
    }

    fn execution(&mut self) -> Execution {
        let outcome = if self.lucky() {
            ExecutionOutcome::Exited { code: 0 }
        } else {
            match self.chance.below(5) {
                0 => ExecutionOutcome::TimedOut,
                1 => ExecutionOutcome::Lost,
                2 => ExecutionOutcome::Signaled { signal: 9 },
                _ => ExecutionOutcome::Exited { code: 3 },
            }
        };
        Execution {
            outcome,
            duration_ms: self.chance.below(1_000),
            output_digest: "d".to_owned(),
            output_bytes: 3,
            output_tail: "böse\n\u{0}".to_owned(),
            unconfined: None,
        }
    }

    fn results(&mut self, state: &GoalState, run: &Run, recheck: bool) -> Vec<GateResult> {
        let item = state.item(run.item_id.unwrap()).unwrap();
        let mut results = Vec::new();
        for (n, gate) in (0..).zip(&item.gates) {
            results.push(GateResult {
                run_id: run.id,
                item_id: item.id,
                goal_id: self.goal,
                step: run.steps + 1 + n,
                gate: n,
                name: gate.label(),
                kind: gate.check.kind().to_owned(),
                required: gate.required,
                passed: self.lucky(),
                found: "what was found".to_owned(),
                recheck,
                at_ms: self.now_ms,
                evidence: Evidence::default(),
            });
        }
        results
    }

    fn artifact(&mut self) -> Artifact {
        let id = self.mint();
        Artifact {
            id: ArtifactId::from(id),
            goal_id: self.goal,
            created_at_ms: self.now_ms,
            path: format!("out/{id}"),
            size_bytes: 7,
            content_hash: "hash".to_owned(),
            partial: false,
            changed: true,
            removed: false,
        }
    }
}

fn next() -> Next {
    let amount = Amount { tokens: 100, micro_usd: 10 };
    Next {
        other_model: None,
        model: "m".to_owned(),
        amount,
        output_tokens: 10,
        request_hash: String::new(),
        unpriced: false,
        condensing: None,
    }
}
