//! What holds whatever happens, in whatever order (`durability.md` §7).

mod added;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use uuid::Uuid;

use self::added::{assert_added, assert_addition_fits, below_needs};
use super::request::asks_for;
use super::script::{
    GOAL, agent_work, artifact, asks, call, command_item, edited, execution, results, review, spec,
};
use super::states;
use crate::goal::{
    ADDED_DEPTH_MAX, Addition, AfterFailure, Amount, Answer, CallEnd, CallResult, Caps, Command, Condensed,
    Condensing, DayBudget, Doing, ErrorClass, Event, Failure, Hindrance, Moment, Next, Planned, Rejection,
    Reply, Reviewed, SUBMIT_PLAN, Thought, ThoughtOutcome, Touched, Used, Want, batch, decide, evolve,
    inherited, next_wake, wants,
};
use crate::goal::{
    Escalation, ExecutionOutcome, GateResult, GoalState, GoalStatus, Item, ItemStatus, Phase, Run, RunStage,
    RunStatus,
};
use crate::spec::{AgentSpec, Effect, ItemSpec, Work};
use crate::{EscalationId, GoalId, ItemId, Millis, RunId, Verdict};

/// Many more than any plan here needs once its luck has run out.
const STEPS_MAX: usize = 1_000;

fn plans() -> impl Strategy<Value = Vec<ItemSpec>> {
    let effect = prop_oneof![Just(Effect::Pure), Just(Effect::Idempotent), Just(Effect::Unsafe)];
    let gates = prop::collection::vec(prop::bool::weighted(0.7), 0..3);
    let item = (effect, gates, prop::option::of(0..3_u32), any::<u8>(), prop::bool::weighted(0.3));
    prop::collection::vec(item, 1..6).prop_map(|drawn| {
        let plan = drawn.into_iter().enumerate().map(|(index, (effect, gates, retries, needs, agent))| {
            let mut item = command_item(&index.to_string(), effect, &gates);
            item.max_retries = retries;
            // A bit for each earlier item: needs point backwards, so there is no circle.
            item.needs = (0..index).filter(|n| needs >> n & 1 == 1).map(|n| n.to_string()).collect();
            if agent {
                item.work = Work::Agent(AgentSpec { may_add_items: needs >> 6 & 1 == 1, ..agent_work() });
            }
            if needs >> 4 == 5 && item.gates.iter().any(|gate| gate.required) {
                item.gates.push(review());
            }
            item
        });
        plan.collect()
    })
}

/// Whether a model plans, and the caps on tokens and money.
fn caps() -> impl Strategy<Value = (bool, Option<u64>, Option<u64>)> {
    (prop::bool::weighted(0.3), prop::option::of(100..2_000_u64), prop::option::of(100..2_000_u64))
}

// `PROPTEST_CASES` makes a longer run of it.
proptest! {
    /// I9: with a daemon that does what is wanted, every goal ends, and nothing breaks on the way.
    #[test]
    fn every_goal_ends(plan in plans(), caps in caps(), luck in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut world = World::new(plan, caps, luck);
        world.live(false);
        let goal = &world.state.as_ref().unwrap().goal;
        prop_assert!(goal.status.is_terminal() || goal.status == GoalStatus::Blocked);
    }

    /// The same when commands also come twice, late, early, or from an earlier incarnation, and the
    /// clock jumps.
    #[test]
    fn nonsense_breaks_nothing(plan in plans(), caps in caps(), luck in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut world = World::new(plan, caps, luck);
        world.live(true);
        let goal = &world.state.as_ref().unwrap().goal;
        prop_assert!(goal.status.is_terminal() || goal.status == GoalStatus::Blocked);
    }
}

/// Lives so many lives of all kinds, the same each time.
pub(super) fn lives(count: u64) {
    let config = proptest::test_runner::Config::default();
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let life = (plans(), caps(), prop::collection::vec(any::<u8>(), 0..300), any::<bool>());
    for _ in 0..count {
        let (plan, caps, luck, nonsense) = life.new_tree(&mut runner).unwrap().current();
        World::new(plan, caps, luck).live(nonsense);
    }
}

/// A daemon, its machine and its people, driven by a list of numbers; when these are used up,
/// everything succeeds.
struct World {
    plan: Vec<ItemSpec>,
    caps: (bool, Option<u64>, Option<u64>),
    luck: std::vec::IntoIter<u8>,
    state: Option<GoalState>,
    history: Vec<(Event, Millis)>,
    epoch: u64,
    now_ms: Millis,
    minted: u128,
}

impl World {
    fn new(plan: Vec<ItemSpec>, caps: (bool, Option<u64>, Option<u64>), luck: Vec<u8>) -> Self {
        Self {
            plan,
            caps,
            luck: luck.into_iter(),
            state: None,
            history: Vec::new(),
            epoch: 1,
            now_ms: 1_000_000,
            minted: 0,
        }
    }

    /// A number below `limit`; 0 is the plain one.
    fn draw(&mut self, limit: u8) -> u8 {
        self.luck.next().map_or(0, |n| n % limit)
    }

    fn mint(&mut self) -> Uuid {
        self.minted += 0x100;
        Uuid::from_u128(self.minted)
    }

    fn live(&mut self, nonsense: bool) {
        let (text, tokens, micro_usd) = self.caps;
        let mut spec = spec(if text { Vec::new() } else { self.plan.clone() });
        spec.budget_tokens = tokens;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let usd = micro_usd.map(|micro| micro as f64 / 1e6);
        spec.budget_cost_usd = usd;
        spec.plan_only = text && self.draw(8) == 1;
        spec.approve_plan = text && self.draw(4) == 1;
        spec.approve = (self.draw(4) == 1).then(|| "tool".to_owned()).into_iter().collect();
        spec.answer_within_s = (self.draw(4) == 1).then_some(1);
        spec.deadline_ms = (self.draw(8) == 1).then_some(self.now_ms + 400);
        let submitted = self.tell(Command::Submit {
            id: GoalId::from(Uuid::from_u128(GOAL)),
            spec: Box::new(spec),
            by: "ann".to_owned(),
        });
        assert_eq!(submitted, Ok(()));
        for _ in 0..STEPS_MAX {
            if nonsense && self.draw(3) == 1 {
                self.nonsense();
            }
            if self.draw(12) == 1 {
                self.crash();
            }
            if self.draw(60) == 1 {
                let _ = self.tell(Command::Cancel { by: "ann".to_owned(), reason: None });
            }
            if self.draw(60) == 2 {
                let _ = self.tell(Command::Outgrow { events: 200_000, bytes: 1 });
            }
            if self.draw(60) == 3 {
                let by_ms = if self.draw(2) == 0 { 28_800_000 } else { -60_000 };
                self.now_ms = self.now_ms.saturating_add_signed(by_ms);
                let _ = self.tell(Command::ClockJumped { by_ms });
            }
            match self.draw(30) {
                1 => drop(self.tell(Command::Pause { by: "ann".to_owned() })),
                2 => drop(self.tell(asks_for("deploy", None))),
                _ => {}
            }
            let state = self.state.as_ref().unwrap();
            let wanted = wants(state, self.now_ms);
            if wanted.is_empty() {
                let answers = state.goal.status == GoalStatus::Blocked && self.draw(4) > 0;
                if answers && self.person() {
                    continue;
                }
                let state = self.state.as_ref().unwrap();
                if let Some(wake) = next_wake(state) {
                    self.now_ms = self.now_ms.max(wake);
                } else if !self.person() {
                    return;
                }
                continue;
            }
            let pick = usize::from(self.draw(8)) % wanted.len();
            let command = self.fulfil(wanted[pick]);
            self.now_ms += Millis::from(self.draw(100));
            assert!(self.tell(command.clone()).is_ok(), "wanted, but refused: {command:?}");
        }
        panic!("no end after {STEPS_MAX} steps: {:?}", self.state);
    }

    /// A person has a goal that stands still go on; whether they do.
    fn person(&mut self) -> bool {
        let state = self.state.as_ref().unwrap();
        let by = "ann".to_owned();
        let open: Vec<_> = state.open_escalations().cloned().collect();
        let status = state.goal.status;
        let command = match status {
            GoalStatus::Queued | GoalStatus::Active => Command::Resume { by, reply: None },
            // Patience ends with the luck.
            GoalStatus::Blocked | GoalStatus::Failed if self.draw(4) == 0 => return false,
            GoalStatus::Failed => Command::Retry { by },
            GoalStatus::Blocked => {
                let asked = &open[usize::from(self.draw(8)) % open.len()];
                let options = &asked.packet.options;
                let drawn = &options[usize::from(self.draw(8)) % options.len()].action;
                let another =
                    options.iter().map(|option| &option.action).find(|word| *word == "alternative_approach");
                let word = another.filter(|_| self.draw(2) == 1).unwrap_or(drawn);
                let mut reply = Reply::plain(word.parse().unwrap());
                reply.text = matches!(reply.answer, Answer::UserInput | Answer::AlternativeApproach)
                    .then(|| "like this".to_owned());
                let answer = reply.answer;
                let taken = self.tell(Command::Answer { escalation: asked.id, reply, by });
                assert!(taken.is_ok() || answer == Answer::Finish, "offered, but refused: {taken:?}");
                return true;
            }
            GoalStatus::Completed | GoalStatus::Cancelled => return false,
        };
        assert_eq!(self.tell(command), Ok(()));
        true
    }

    /// Kill and restart: a new incarnation takes over.
    fn crash(&mut self) {
        self.epoch += 1;
        let alive_until_ms = self.now_ms;
        self.now_ms += 10 * Millis::from(self.draw(200));
        let taken = self.tell(Command::TakeOver { epoch: self.epoch, alive_until_ms });
        assert!(taken.is_ok());
        let state = self.state.as_ref().unwrap();
        assert!(state.running().all(|run| run.epoch == self.epoch), "not all were taken over");
    }

    fn fulfil(&mut self, want: Want) -> Command {
        match want {
            Want::Plan => {
                Command::Plan { items: (0..self.plan.len()).map(|_| ItemId::from(self.mint())).collect() }
            }
            Want::StartPlanning => {
                Command::StartPlanning { run: RunId::from(self.mint()), epoch: self.epoch }
            }
            Want::Compose(run) => self.compose(run, self.epoch),
            Want::Think(run, n) => self.think(run, n, self.epoch),
            Want::Act(run, _) => self.act(run, self.epoch),
            Want::Prepare => match self.draw(20) {
                1 => Command::Refuse {
                    error: Failure::new(ErrorClass::Policy, "NO_FOLDER", "it is not there"),
                },
                _ => Command::Start { workspace: "/w".to_owned(), baseline: BTreeMap::new(), kept: None },
            },
            Want::Start(item) => Command::StartRun { item, run: RunId::from(self.mint()), epoch: self.epoch },
            Want::Execute(run) => self.finish(run, self.epoch),
            Want::Stop(run) => {
                let stage = self.state.as_ref().unwrap().run(run).unwrap().stage;
                match stage {
                    RunStage::Executing => self.finish(run, self.epoch),
                    _ => self.verify(run, self.epoch),
                }
            }
            Want::Verify(run) => self.verify(run, self.epoch),
            Want::Tick => Command::Tick,
            Want::BeginPublish => Command::BeginPublish,
            Want::Publish => self.publish(),
        }
    }

    fn next(&mut self) -> Next {
        let amount =
            Amount { tokens: 50 + u64::from(self.draw(200)), micro_usd: 50 + u64::from(self.draw(200)) };
        let condensing = (self.draw(10) == 1).then(|| Condensing {
            condensed: Condensed { results_until: 3, turns_until: 2, ..Condensed::default() },
            turns: 1,
            results: 1,
            bytes: 10,
        });
        Next {
            other_model: None,
            model: "m".to_owned(),
            amount,
            output_tokens: 1,
            request_hash: String::new(),
            unpriced: false,
            condensing,
        }
    }

    fn compose(&mut self, run: RunId, epoch: u64) -> Command {
        let next = match self.draw(40) {
            1 => Err(Hindrance::NoModel { why: "none".to_owned(), hint: "start one".to_owned() }),
            2 => Err(Hindrance::Host { why: "no disk".to_owned() }),
            3 => Err(Hindrance::TooLong { why: "too long".to_owned() }),
            _ => Ok(self.next()),
        };
        Command::Reserve { run, epoch, next }
    }

    fn think(&mut self, run: RunId, n: u32, epoch: u64) -> Command {
        let usage = match self.draw(10) {
            1 => None,
            2 => Some(Used { input_tokens: 400, output_tokens: 1, micro_usd: 400, unpriced: false }),
            low => Some(Used {
                input_tokens: 10,
                output_tokens: low.into(),
                micro_usd: low.into(),
                unpriced: false,
            }),
        };
        let planning =
            self.state.as_ref().and_then(|state| state.run(run)).is_some_and(|run| run.item_id.is_none());
        let failed = |then, charged| ThoughtOutcome::Failed { error: "no".to_owned(), then, charged };
        let drawn = self.draw(16);
        let outcome = match drawn {
            1 => failed(AfterFailure::Again { after_ms: Some(5) }, true),
            2 => failed(AfterFailure::Again { after_ms: None }, false),
            3 => failed(AfterFailure::Nothing, true),
            4 => ThoughtOutcome::Stopped,
            7 => failed(AfterFailure::Shorter { bytes: 1_000 }, false),
            _ => {
                let count = if drawn == 5 { 0 } else { 1 + self.draw(4) };
                let effects = [Effect::Pure, Effect::Idempotent, Effect::Unsafe];
                let effects = if planning { &effects[..1] } else { &effects[..] };
                let calls = (0..count).map(|_| {
                    let effect = effects[usize::from(self.draw(3)) % effects.len()];
                    call(if planning { SUBMIT_PLAN } else { "tool" }, effect)
                });
                ThoughtOutcome::Answered {
                    calls: calls.collect(),
                    cut_short: drawn == 6,
                    text: String::new(),
                }
            }
        };
        let thought = Thought { model: "m".to_owned(), usage, outcome, duration_ms: 1 };
        Command::FinishThinking { run, epoch, n, thought: Box::new(thought) }
    }

    fn act(&mut self, run: RunId, epoch: u64) -> Command {
        let known = self.state.as_ref().unwrap().run(run).cloned();
        let doing = known.as_ref().and_then(|run| run.conversation.clone()).map(|talk| talk.doing);
        let calls = match doing {
            Some(Doing::Acting { calls }) => calls,
            _ => vec![call("nothing", Effect::Pure)],
        };
        let planning = known.as_ref().is_some_and(Run::is_planning);
        let reviewing = known.as_ref().is_some_and(|run| run.reviews.is_some());
        let mut added: Vec<Addition> = Vec::new();
        let results = calls.iter().take(batch(&calls)).map(|call| {
            let end = match (self.draw(12), call.effect) {
                _ if call.held => CallEnd::Asks,
                (6, _) if planning => CallEnd::Asks,
                (0 | 1, _) => CallEnd::Finished,
                (2, _) => CallEnd::Failed,
                (3, Effect::Idempotent | Effect::Unsafe) => CallEnd::Unknown,
                (4, _) => CallEnd::Host,
                (5, Effect::Unsafe) => CallEnd::Withheld,
                _ => CallEnd::Ok,
            };
            let output_digest = self.draw(2).to_string();
            let sign = if planning {
                'q'
            } else if self.draw(4) == 1 {
                'Y'
            } else {
                'y'
            };
            let asks = (end == CallEnd::Asks).then(|| asks(sign));
            let review = reviewing.then(|| Reviewed { passed: self.draw(3) > 0, found: "so".to_owned() });
            let adds = if end == CallEnd::Ok { self.additions(known.as_ref(), &added) } else { Vec::new() };
            added.extend(adds.iter().cloned());
            CallResult {
                n: call.n,
                end,
                found: String::new(),
                output_digest,
                duration_ms: 1,
                asks,
                review,
                adds,
            }
        });
        let results: Vec<CallResult> = results.collect();
        let plan = known.is_some_and(|run| run.is_planning()).then(|| self.planned());
        let next = (self.draw(2) == 0).then(|| self.next());
        let workspace = (self.draw(3) > 0).then(|| "same".to_owned());
        Command::FinishActing { run, epoch, results, workspace, plan, next }
    }

    /// The plan, with keys that are new.
    fn planned(&mut self) -> Planned {
        let plans = self.state.as_ref().map_or(0, |state| state.goal.plans);
        let key = |key: &String| format!("{key}{plans}");
        let mut items = self.plan.clone();
        for item in &mut items {
            item.id = key(&item.id);
            item.needs = item.needs.iter().map(key).collect();
        }
        Planned {
            ids: items.iter().map(|_| ItemId::from(self.mint())).collect(),
            items,
            assumptions: vec!["it is so".to_owned()],
            criteria: vec!["it works".to_owned()],
        }
    }

    fn finish(&mut self, run: RunId, epoch: u64) -> Command {
        let outcome = match self.draw(12) {
            1 | 2 => ExecutionOutcome::Exited { code: 1 },
            3 => ExecutionOutcome::Signaled { signal: 9 },
            4 => ExecutionOutcome::TimedOut,
            5 => ExecutionOutcome::BudgetExhausted,
            6 => ExecutionOutcome::Stopped,
            7 => ExecutionOutcome::Lost,
            8 => ExecutionOutcome::NotStarted { reason: "no".to_owned() },
            _ => ExecutionOutcome::Exited { code: 0 },
        };
        Command::FinishExecution { run, epoch, execution: Box::new(execution(outcome)) }
    }

    fn verify(&mut self, run: RunId, epoch: u64) -> Command {
        let drawn = self.draw(8);
        let state = self.state.as_ref().unwrap();
        let known = state.run(run);
        let found = |run| found(state, run, drawn);
        Command::FinishVerification { run, epoch, results: known.map_or_else(Vec::new, found), round: None }
    }

    fn publish(&mut self) -> Command {
        let drawn = self.draw(6);
        let state = self.state.as_ref().unwrap();
        let rechecked = state.runs.iter().filter(|run| run.status == RunStatus::Success);
        let rechecked = rechecked.flat_map(|run| found(state, run, drawn));
        Command::FinishPublish {
            rechecked: rechecked.collect(),
            round: None,
            artifacts: (0..2).map(|n| artifact(self.minted + n)).collect(),
            unlisted: 0,
        }
    }

    /// Something that nobody asked for, and perhaps a jump of the clock.
    fn nonsense(&mut self) {
        match self.draw(10) {
            1 => self.now_ms = self.now_ms.saturating_sub(500_000),
            2 => self.now_ms += 500_000,
            _ => {}
        }
        let state = self.state.as_ref().unwrap();
        let runs: Vec<RunId> = state.runs.iter().map(|run| run.id).collect();
        let items: Vec<ItemId> = state.items.iter().map(|item| item.id).collect();
        let index = usize::from(self.draw(16));
        let run = runs.get(index % runs.len().max(1)).copied();
        let run = run.unwrap_or_else(|| RunId::from(self.mint()));
        let item = items.get(index % items.len().max(1)).copied();
        let item = item.unwrap_or_else(|| ItemId::from(self.mint()));
        let epoch = (self.epoch + 1).saturating_sub(u64::from(self.draw(4)));
        let place = u32::from(self.draw(8));
        let answer = Answer::ALL[place as usize % Answer::ALL.len()];
        let command = match self.draw(16) {
            13 => Command::Resume {
                by: "bob".to_owned(),
                reply: Some(Reply { to: Some(7.5), ..Reply::plain(answer) }),
            },
            14 => Command::Resume { by: "bob".to_owned(), reply: Some(Reply::plain(answer)) },
            15 => Command::Retry { by: "bob".to_owned() },
            9 => self.compose(run, epoch),
            10 => self.think(run, place, epoch),
            11 => self.act(run, epoch),
            12 => self.fulfil(Want::StartPlanning),
            0 | 1 => self.finish(run, epoch),
            2 | 3 => self.verify(run, epoch),
            4 => Command::StartRun { item, run: RunId::from(self.mint()), epoch: self.epoch },
            5 => self.publish(),
            6 => Command::TakeOver { epoch: self.epoch.saturating_sub(1), alive_until_ms: self.now_ms },
            7 => self.fulfil(Want::Plan),
            _ => self.fulfil(Want::Prepare),
        };
        let _ = self.tell(command);
    }

    /// Decides, folds, and looks at every promise.
    fn tell(&mut self, command: Command) -> Result<(), Rejection> {
        let moment = Moment {
            now_ms: self.now_ms,
            escalation: EscalationId::from(self.mint()),
            run: RunId::from(self.mint()),
            seed: self.now_ms,
            day: DayBudget::default(),
        };
        let fenced = self.should_be_fenced(&command);
        let events = match decide(self.state.as_ref(), command, moment) {
            Ok(events) => events,
            Err(rejection) => {
                assert_eq!(fenced, rejection == Rejection::Fenced);
                return Err(rejection);
            }
        };
        assert!(!fenced, "a superseded epoch was believed");
        for event in events {
            self.apply(event);
        }
        let state = self.state.as_ref().unwrap();
        assert_sound(state, self.now_ms);
        Ok(())
    }

    /// I4: a result of a run that another epoch holds, or that has ended.
    fn should_be_fenced(&self, command: &Command) -> bool {
        let (Command::FinishExecution { run, epoch, .. }
        | Command::Reserve { run, epoch, .. }
        | Command::FinishThinking { run, epoch, .. }
        | Command::FinishActing { run, epoch, .. }
        | Command::FinishVerification { run, epoch, .. }) = command
        else {
            return false;
        };
        let run = self.state.as_ref().and_then(|state| state.run(*run));
        run.is_none_or(|run| run.epoch != *epoch || run.status != RunStatus::Running)
    }

    fn apply(&mut self, event: Event) {
        if let Some(before) = &self.state {
            assert_event_fits(before, &event);
            assert_addition_fits(before, &event);
        }
        let after = evolve(self.state.clone(), &event, self.now_ms).unwrap();
        states::note(self.state.as_ref(), &event, &after);
        if let Some(before) = &self.state {
            assert_touched(before, &event, &after);
        }
        self.history.push((event, self.now_ms));
        self.state = Some(after);
    }
}

impl Drop for World {
    /// I6: the whole history, as it was stored, folds into the same state.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let folded = self.history.iter().fold(None, |state, (event, at)| {
            let stored = serde_json::to_string(event).unwrap();
            evolve(state, &serde_json::from_str(&stored).unwrap(), *at)
        });
        assert_eq!(folded, self.state);
    }
}

/// From this number on a draw is about a gate that was edited.
const EDITED_FROM: u32 = 4;

/// What the gates of a run come to: one of them may fail, and one may have been edited.
fn found(state: &GoalState, run: &Run, drawn: u8) -> Vec<GateResult> {
    let mut results = results(state, run, |gate| u32::from(drawn) != gate + 1);
    for result in results.iter_mut().filter(|result| u32::from(drawn) == result.gate + EDITED_FROM) {
        result.evidence.edited = edited(if drawn.is_multiple_of(2) { 'e' } else { 'E' });
    }
    results
}

/// I4, I5, I7, at the moment of the event.
fn assert_event_fits(before: &GoalState, event: &Event) {
    let retried = before.goal.status == GoalStatus::Failed && matches!(event, Event::GoalResumed { .. });
    assert!(!before.goal.status.is_terminal() || retried, "{event:?} after the end");
    match event {
        Event::ItemStarted { item, .. } => {
            let item = before.item(*item).unwrap();
            assert!(before.needs_met(item), "{} starts before its needs", item.key);
            assert!(!needs_what_failed(before, item), "{} starts, and needs what failed", item.key);
            assert!(before.goal.cancel.is_none() && before.goal.status == GoalStatus::Active);
            assert!(before.running().all(|run| run.item_id != Some(item.id)), "two runs at once");
            let unknown = before
                .runs
                .iter()
                .filter(|run| run.item_id == Some(item.id))
                .any(|run| run.error.as_ref().is_some_and(|error| error.code == "UNKNOWN_OUTCOME"));
            assert!(!item.is_agent() || !before.agent_runs(), "two agents in one folder");
            let mut answers = before.escalations.iter().filter(|asked| asked.item_id == Some(item.id));
            let allowed = answers
                .any(|asked| asked.resolution.as_ref().is_some_and(|answer| answer.answer == Answer::Retry));
            assert!(
                !unknown || allowed || item.effect() != Effect::Unsafe,
                "unsafe work of unknown outcome is done again"
            );
        }
        // I5 of approvals: what needs a yes is made only after one, which is used up.
        Event::ToolCompleted { call, end, .. } if call.held => assert_eq!(*end, CallEnd::Failed, "not made"),
        Event::RunContinued { item, run, ran_again: true, .. } => {
            let risky = before.run(*run).unwrap().risky_call().map(|call| call.effect);
            let effect = risky.or_else(|| Some(before.item((*item)?).unwrap().effect()));
            assert_ne!(effect, Some(Effect::Unsafe));
        }
        Event::ItemCompleted { item, run, verdict } => {
            let approved = before.escalations.iter().any(|asked| {
                asked.item_id == Some(*item)
                    && asked.resolution.as_ref().is_some_and(|said| said.answer == Answer::Approve)
            });
            let blocked = before.item(*item).unwrap().status == ItemStatus::Blocked;
            if !(blocked && approved) {
                assert_not_ended(before, *item);
            }
            let standing = before.standing_gates(*run);
            let approved = &before.item(*item).unwrap().approved;
            let mut edited = standing.iter().filter(|gate| gate.passed).map(|gate| &gate.evidence.edited);
            assert!(edited.all(|edited| edited.is_none() || approved.contains(&edited.digest)));
            let gates = &before.item(*item).unwrap().gates;
            if *verdict == Verdict::Verified {
                assert!(standing.len() == gates.len() && standing.iter().all(|gate| gate.passed));
            }
            assert!(standing.iter().all(|gate| gate.passed || !gate.required));
        }
        // The last look may find that what judges it was changed.
        Event::ItemBlocked { item, .. } if before.goal.phase == Phase::Publish => {
            assert_eq!(before.item(*item).unwrap().status, ItemStatus::Done);
        }
        Event::ItemFailed { item, .. } | Event::ItemBlocked { item, .. } => assert_not_ended(before, *item),
        Event::RunCompleted { run, .. } => {
            assert_eq!(before.run(*run).unwrap().status, RunStatus::Running);
        }
        Event::BudgetWarned { cap, percent } => {
            assert!(before.goal.spending.warned.get(cap) < Some(percent), "a warning that was told");
        }
        Event::EscalationResolved { escalation, .. } => {
            assert!(before.escalation(*escalation).unwrap().is_open(), "the first answer wins");
        }
        Event::EscalationCreated { escalation } => {
            assert!(before.escalations.iter().all(|known| known.id != escalation.id));
        }
        Event::GateCompleted { result } => {
            let mut known = before.gate_results.iter();
            assert!(known.all(|known| (known.run_id, known.step) != (result.run_id, result.step)));
        }
        _ => {}
    }
}

/// Whether something that the item needs, directly or not, has failed.
fn needs_what_failed(state: &GoalState, item: &Item) -> bool {
    let mut needs: Vec<&Item> = item.needs.iter().map(|need| state.item(*need).unwrap()).collect();
    needs.extend(below_needs(state, item));
    needs.into_iter().any(|need| need.status == ItemStatus::Failed || needs_what_failed(state, need))
}

/// A failed branch keeps no other from running: the same items start as if it had not failed.
fn assert_branches_apart(state: &GoalState, now_ms: Millis) {
    let mut healthy = state.clone();
    for item in healthy.items.iter_mut().filter(|item| item.status == ItemStatus::Failed) {
        item.status = ItemStatus::Done;
    }
    let starts = |state: &GoalState| {
        let wanted = wants(state, now_ms).into_iter();
        wanted.filter(|want| matches!(want, Want::Start(_))).collect::<Vec<_>>()
    };
    assert_eq!(starts(state), starts(&healthy));
    let lost = state.is_lost();
    let open = |item: &&Item| !item.status.is_settled() && item.status != ItemStatus::Failed;
    let left = state.items.iter().filter(open);
    let cut_off = left.clone().all(|item| needs_what_failed(state, item));
    assert!(!lost || cut_off, "it is given up, and a branch of it could go on: {state:?}");
    assert_eq!(lost, wants(state, now_ms).contains(&Want::Publish) && !state.is_done());
}

fn assert_not_ended(state: &GoalState, item: ItemId) {
    let status = state.item(item).unwrap().status;
    let ended =
        matches!(status, ItemStatus::Done | ItemStatus::Failed | ItemStatus::Blocked | ItemStatus::Skipped);
    assert!(!ended, "a second outcome for an item that is {status:?}");
}

/// `touched` names every row that the event changed, and `evolve` changed no other.
fn assert_touched(before: &GoalState, event: &Event, after: &GoalState) {
    let touched = event.touched();
    let mut changed = Vec::new();
    if before.goal != after.goal {
        changed.push(Touched::Goal);
    }
    let items = after.items.iter().filter(|item| before.item(item.id) != Some(item));
    changed.extend(items.map(|item| Touched::Item(item.id)));
    let runs = after.runs.iter().filter(|run| before.run(run.id) != Some(run));
    changed.extend(runs.map(|run| Touched::Run(run.id)));
    let gates = after.gate_results.iter().filter(|gate| !before.gate_results.contains(gate));
    changed.extend(gates.map(|gate| Touched::Gate(gate.run_id, gate.step)));
    let artifacts = after.artifacts.iter().filter(|artifact| !before.artifacts.contains(artifact));
    changed.extend(artifacts.map(|artifact| Touched::Artifact(artifact.id)));
    let escalations = after.escalations.iter().filter(|known| !before.escalations.contains(known));
    changed.extend(escalations.map(|escalation| Touched::Escalation(escalation.id)));
    for row in changed {
        assert!(touched.contains(&row), "{event:?} changed {row:?} silently");
    }
    assert!(after.items.len() >= before.items.len() && after.runs.len() >= before.runs.len());
}

/// What is true of every committed state.
fn assert_sound(state: &GoalState, now_ms: Millis) {
    let goal = &state.goal;
    let running = state.running().count();
    assert_eq!(state.is_at_work(), goal.running_since_ms.is_some(), "the clock goes while something runs");
    for run in state.running() {
        if let Some(reviews) = run.reviews {
            let of = state.run(reviews.run).unwrap();
            assert!(matches!(of.stage, RunStage::Verifying | RunStage::Probing), "it reviews what has ended");
            continue;
        }
        let Some(item) = run.item_id else {
            let planned = matches!(goal.status, GoalStatus::Queued | GoalStatus::Blocked);
            assert!(planned || goal.replan.is_some());
            assert_eq!(run.stage, RunStage::Executing);
            continue;
        };
        let status = state.item(item).unwrap().status;
        let expected = match run.stage {
            RunStage::Executing => ItemStatus::InProgress,
            RunStage::Verifying | RunStage::Probing => ItemStatus::Verify,
            RunStage::Ended => panic!("a running run has not ended"),
        };
        assert_eq!(status, expected);
    }
    for run in state.running().filter(|run| run.is_waiting()) {
        let asked = run.conversation.as_ref().and_then(|talk| talk.waits).and_then(|id| state.escalation(id));
        assert!(asked.is_some_and(Escalation::is_open), "it waits for what was answered");
    }
    let wanted = wants(state, now_ms);
    match goal.status {
        GoalStatus::Queued | GoalStatus::Active => {
            let paused = state.is_paused() && !state.is_at_work();
            assert!(!wanted.is_empty() || next_wake(state).is_some() || paused, "stuck: {state:?}");
        }
        GoalStatus::Blocked => {
            assert!(state.working().next().is_none() && wanted.iter().all(|want| *want == Want::Tick));
            assert!(
                next_wake(state).is_none() || state.open_escalations().any(|asked| asked.expiry.is_some())
            );
            assert!(state.open_escalations().next().is_some(), "blocked, and nothing is asked");
        }
        GoalStatus::Completed | GoalStatus::Cancelled | GoalStatus::Failed => {
            assert!(wanted.is_empty() && running == 0 && next_wake(state).is_none());
        }
    }
    assert_paid(state);
    assert_added(state);
    assert_branches_apart(state, now_ms);
    if goal.status == GoalStatus::Completed {
        assert!(state.is_done() || goal.spec.plan_only);
        assert!(!state.items.is_empty(), "delivered without having done anything");
    }
}

/// I8: what is settled and promised is within every cap, but for calls that cost more than was
/// promised; and what is promised belongs to a call under way.
fn assert_paid(state: &GoalState) {
    let spending = &state.goal.spending;
    let caps = Caps::of(&state.goal.spec);
    let committed = spending.committed();
    if !spending.overrun {
        assert!(caps.tokens.is_none_or(|cap| committed.tokens <= cap), "{committed:?} of {caps:?}");
        assert!(caps.micro_usd.is_none_or(|cap| committed.micro_usd <= cap), "{committed:?} of {caps:?}");
    }
    let calling = state.running().filter_map(|run| match run.conversation.as_ref()?.doing {
        Doing::Thinking { n } => Some((run.id, n)),
        Doing::Composing { .. } | Doing::Acting { .. } => None,
    });
    let calling: Vec<(RunId, u32)> = calling.collect();
    let promised: Vec<(RunId, u32)> = spending.reserved.iter().map(|held| (held.run, held.n)).collect();
    assert_eq!(promised.len(), calling.len());
    assert!(promised.iter().all(|held| calling.contains(held)));
    let of_runs = state.runs.iter().filter_map(|run| run.conversation.as_ref());
    let sum = of_runs.fold(Amount::default(), |sum, talk| sum.plus(talk.spent));
    assert_eq!(sum, spending.settled, "what the runs spent is what the goal spent");
}
