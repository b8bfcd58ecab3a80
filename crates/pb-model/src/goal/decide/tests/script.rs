//! A small language for lives of goals: commands in, events out, one line each.
//!
//! ```text
//! item a idempotent gates=2      an item of the plan: key, effect, needs=, gates=, optional=, retries=, agent,
//!                                maychange, adds (may add items)
//! spare b needs=c                an item that is not of the plan, for `adopt` and `adds=`; after those that are
//! at 5000                        sets the clock; otherwise each command comes 10 ms after the last
//! submit minutes=1               commands: submit, plan, start, wait, refuse, cancel, publishing
//! run a                          an attempt at `a`, named `a1` (then `a2` …); @2 for epoch 2
//! exec a1 exit 3 @2              ok, exit N, signal, timeout, budget, stopped, lost, unstarted
//! text                           the goal has no items: a model plans; `planrun` begins that, its run is `p`
//! next a1 tokens=100 usd=5       the next request of a conversation is put together, or: next a1 nomodel,
//!                                next a1 toolong; condensed=6: what is before is left out
//! answer a1 read! write used=9   the model answers with calls (`!` for unsafe, `?` for pure); also: cut, idle
//! fail a1 again charged          the call failed: again, human, long, nothing; charged or not; or: stopped
//! act a1 +-                      one sign a call: + ok, - failed, . finished, ? unknown, x host, w withheld,
//!                                = ok with the same result as each other one; same: in an unchanged workspace;
//!                                y asks for a yes, Y for a yes to something else, q asks questions,
//!                                R a review that passes, r one that does not; adds=b,c: the first call adds these,
//!                                c>b: c under the key b
//! day tokens=100 settled=5 reserved=5   what the day's budget is, and what is used of it
//! tick                           time has passed
//! jump -500                      the clock was set
//! adopt p a,b                    a plan with these items is accepted
//! verify a1 +-                   one sign a gate; e or E: it passes by a file that the goal made what it is
//! takeover 2 alive=5000
//! publish a1=+- files=1          rechecked gates, delivered files
//! pause, prioritize 90           a person says so; resume, or: resume retry, resume raise to=9
//! say 10 retry                   bob answers the question ?10; with words: text=so, one=this
//! ask deploy run=a1              a client asks for a yes to something that it does itself
//! again                          a goal that failed is tried again
//! show                           where everything stands, and what is wanted
//! packet                         what the human is asked
//! ready                          submit, plan and start, silently
//! ```

mod said;
mod told;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use uuid::Uuid;

use crate::Tier;
use crate::approval::BoundCall;
use crate::goal::{
    Addition, AfterFailure, Amount, Asks, Call, CallEnd, CallResult, Caps, Charge, Clarification, Command,
    Condensed, Condensing, DayBudget, Doing, ErrorClass, Event, Failure, Hindrance, LocalDay, Moment, Next,
    Planned, Rung, Thought, ThoughtOutcome, Used, Want, decide, evolve, next_wake, wants,
};
use crate::goal::{
    Artifact, Edited, Evidence, Execution, ExecutionOutcome, GateResult, GoalState, Item, Reviewed, Run,
};
use crate::spec::{AgentSpec, Check, CommandSpec, Effect, GateSpec, GoalSpec, ItemSpec, Lane, Work};
use crate::{ArtifactId, EscalationId, GoalId, ItemId, Millis, RunId};

use said::person;
use told::{created, of_control, of_conversation};

pub(super) const GOAL: u128 = 7;

/// What a script's commands made.
pub(super) fn check(script: &str) -> String {
    told(script).out.trim_end().to_owned()
}

/// The goal after a script's commands.
pub(super) fn state_after(script: &str) -> GoalState {
    told(script).state.unwrap()
}

fn told(script: &str) -> Told {
    let mut told = Told::default();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        told.line(line);
    }
    told
}

pub(super) fn spec(items: Vec<ItemSpec>) -> GoalSpec {
    GoalSpec { description: String::new(), items, ..GoalSpec::in_words("a goal", "") }
}

pub(super) fn command_item(key: &str, effect: Effect, gates: &[bool]) -> ItemSpec {
    let gate = |(n, required): (usize, &bool)| GateSpec {
        name: Some(format!("g{n}")),
        required: *required,
        judges: Vec::new(),
        may_change: false,
        check: Check::FileExists { path: format!("f{n}") },
    };
    ItemSpec {
        id: key.to_owned(),
        title: None,
        description: String::new(),
        needs: Vec::new(),
        lane: Lane::Main,
        max_retries: None,
        work: Work::Command(CommandSpec {
            argv: vec!["true".to_owned()],
            cwd: None,
            env: BTreeMap::new(),
            time_limit_s: None,
            effect,
            tcp_ports: Vec::new(),
        }),
        gates: gates.iter().enumerate().map(gate).collect(),
    }
}

pub(super) fn execution(outcome: ExecutionOutcome) -> Execution {
    Execution {
        outcome,
        duration_ms: 1,
        output_digest: String::new(),
        output_bytes: 0,
        output_tail: String::new(),
        unconfined: None,
    }
}

/// One result for each gate of the run's item, in the next places of its journal.
pub(super) fn results(state: &GoalState, run: &Run, passed: impl Fn(u32) -> bool) -> Vec<GateResult> {
    let item_id = run.item_id.unwrap_or(ItemId::from(Uuid::nil()));
    let gates = state.item(item_id).map_or(0, |item| u32::try_from(item.gates.len()).unwrap());
    let result = |gate| GateResult {
        run_id: run.id,
        item_id,
        goal_id: run.goal_id,
        step: run.steps + 1 + gate,
        gate,
        name: format!("g{gate}"),
        kind: "file_exists".to_owned(),
        required: state
            .item(item_id)
            .and_then(|item| item.gates.get(gate as usize))
            .is_none_or(|gate| gate.required),
        passed: passed(gate),
        found: if passed(gate) { "it is there" } else { "it is not there" }.to_owned(),
        recheck: false,
        at_ms: 0,
        evidence: Evidence::default(),
    };
    let spec = |gate: &u32| state.item(item_id).and_then(|item| item.gates.get(*gate as usize));
    let is_run = |gate: &u32| spec(gate).is_none_or(|gate| !gate.check.is_review());
    (0..gates).filter(is_run).map(result).collect()
}

/// A gate that a model decides.
pub(super) fn review() -> GateSpec {
    let check = Check::Review { rubric: vec!["it is good".to_owned()], tier: Tier::Medium, model: None };
    GateSpec { name: Some("look".to_owned()), required: true, judges: Vec::new(), may_change: false, check }
}

pub(super) fn edited(sign: char) -> Edited {
    Edited { paths: vec!["check.sh".to_owned()], digest: sign.to_string() }
}

pub(super) fn artifact(n: u128) -> Artifact {
    Artifact {
        id: ArtifactId::from(Uuid::from_u128(n)),
        goal_id: GoalId::from(Uuid::from_u128(GOAL)),
        created_at_ms: 0,
        path: format!("out/{n}"),
        size_bytes: 1,
        content_hash: String::new(),
        changed: true,
        partial: false,
        removed: false,
    }
}

/// A script under way.
#[derive(Default)]
struct Told {
    items: Vec<ItemSpec>,
    /// How many of them, at the end, are not of the plan.
    spare: usize,
    text: bool,
    state: Option<GoalState>,
    now_ms: Millis,
    day: DayBudget,
    questions: u128,
    out: String,
}

impl Told {
    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["item", key, rest @ ..] => self.items.push(planned(key, rest)),
            ["spare", key, rest @ ..] => {
                self.items.push(planned(key, rest));
                self.spare += 1;
            }
            ["text"] => self.text = true,
            ["at", now] => self.now_ms = now.parse().unwrap(),
            ["show"] => self.show(),
            ["packet"] => self.packet(),
            ["ready", rest @ ..] => {
                let told = std::mem::take(&mut self.out);
                for step in [["submit"].as_slice(), &["plan"], &["start"]] {
                    let step = [step, rest].concat();
                    let command = self.command(&step);
                    self.tell(command);
                }
                self.out = told;
            }
            ["day", rest @ ..] => self.day = day_budget(rest),
            words => {
                let command = self.command(words);
                let _ = writeln!(self.out, "> {line}");
                self.tell(command);
            }
        }
    }

    fn tell(&mut self, command: Command) {
        self.now_ms += 10;
        self.questions += 0x10;
        let moment = Moment {
            now_ms: self.now_ms,
            escalation: EscalationId::from(Uuid::from_u128(self.questions)),
            run: run_id(&format!("r{}", self.questions / 0x10)),
            seed: 1,
            day: self.day.clone(),
        };
        match decide(self.state.as_ref(), command, moment) {
            Err(rejection) => {
                let _ = writeln!(self.out, "  refused: {rejection}");
            }
            Ok(events) => {
                for event in events {
                    self.state = evolve(self.state.take(), &event, self.now_ms);
                    let line = self.describe(&event);
                    let _ = writeln!(self.out, "  {line}");
                }
            }
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let named = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
        let epoch = named("@").map_or(1, |epoch| epoch.parse().unwrap());
        match words {
            ["submit", ..] => self.submit(words),
            ["tick"] => Command::Tick,
            ["jump", by] => Command::ClockJumped { by_ms: by.parse().unwrap() },
            ["plan", ..] => Command::Plan {
                items: (1..=self.items.len() as u128).map(|n| ItemId::from(Uuid::from_u128(n))).collect(),
            },
            ["start", ..] => {
                Command::Start { workspace: "/w".to_owned(), baseline: BTreeMap::new(), kept: None }
            }
            ["wait"] => {
                Command::WaitFor { workspace: "/w".to_owned(), behind: GoalId::from(Uuid::from_u128(8)) }
            }
            ["refuse"] => Command::Refuse {
                error: Failure::new(ErrorClass::Policy, "NO_FOLDER", "the folder is not there"),
            },
            ["run", key, ..] => Command::StartRun { item: self.item_id(key), run: self.next_run(key), epoch },
            ["exec", run, how @ ..] => Command::FinishExecution {
                run: run_id(run),
                epoch,
                execution: Box::new(execution(outcome(how))),
            },
            ["planrun" | "next" | "answer" | "fail" | "act" | "adopt", ..] => self.conversation(words, epoch),
            ["verify", run, signs, ..] => Command::FinishVerification {
                run: run_id(run),
                epoch,
                results: self.results(run, signs),
                round: None,
            },
            ["takeover", epoch, ..] => Command::TakeOver {
                epoch: epoch.parse().unwrap(),
                alive_until_ms: named("alive=").map_or(self.now_ms, |n| n.parse().unwrap()),
            },
            ["publishing"] => Command::BeginPublish,
            ["publish", rest @ ..] => {
                let number = |name: &str| named(name).map_or(0, |n| n.parse().unwrap());
                let (files, gone) = (number("files="), number("gone="));
                let gate =
                    |word: &&&str| !["files=", "gone=", "more="].iter().any(|name| word.starts_with(name));
                let rechecked = rest.iter().filter(gate).filter_map(|word| word.split_once('='));
                Command::FinishPublish {
                    rechecked: rechecked.flat_map(|(run, signs)| self.results(run, signs)).collect(),
                    round: None,
                    artifacts: (1..=files)
                        .map(artifact)
                        .chain((1..=gone).map(|n| Artifact { removed: true, ..artifact(files + n) }))
                        .collect(),
                    unlisted: u64::try_from(number("more=")).unwrap(),
                }
            }
            ["outgrow"] => Command::Outgrow { events: 9, bytes: 999 },
            words => person(words),
        }
    }

    fn submit(&self, words: &[&str]) -> Command {
        let named = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
        let of_plan = self.items.len() - self.spare;
        let mut spec = spec(self.items.iter().take(of_plan).cloned().collect());
        spec.max_added_items = named("added=").map(|n| n.parse().unwrap());
        spec.budget_time_minutes = named("minutes=").map(|n| n.parse().unwrap());
        spec.budget_tokens = named("tokens=").map(|n| n.parse().unwrap());
        spec.budget_cost_usd = named("usd=").map(|n| n.parse().unwrap());
        spec.budget_turns = named("turns=").map(|n| n.parse().unwrap());
        spec.budget_call_tokens = named("call=").map(|n| n.parse().unwrap());
        spec.deadline_ms = named("deadline=").map(|n| n.parse().unwrap());
        spec.plan_only = words.contains(&"only");
        spec.approve_plan = words.contains(&"approve-plan");
        spec.approve = named("approve=").map(str::to_owned).into_iter().collect();
        spec.answer_within_s = named("within=").map(|n| n.parse().unwrap());
        if self.text {
            spec.items.clear();
        }
        Command::Submit {
            id: GoalId::from(Uuid::from_u128(GOAL)),
            spec: Box::new(spec),
            by: "ann".to_owned(),
        }
    }

    fn conversation(&self, words: &[&str], epoch: u64) -> Command {
        match words {
            ["planrun", ..] => Command::StartPlanning { run: self.next_planning(), epoch },
            ["next", run, "toolong", ..] => Command::Reserve {
                run: run_id(run),
                epoch,
                next: Err(Hindrance::TooLong { why: "it does not fit".to_owned() }),
            },
            ["next", run, "nomodel", ..] => Command::Reserve {
                run: run_id(run),
                epoch,
                next: Err(Hindrance::NoModel {
                    why: "none is found".to_owned(),
                    hint: "start one".to_owned(),
                }),
            },
            ["next", run, ..] => Command::Reserve { run: run_id(run), epoch, next: Ok(next(words)) },
            ["answer", run, how @ ..] => self.thinking(run, epoch, answer(how)),
            ["fail", run, how @ ..] => self.thinking(run, epoch, failure(how)),
            ["act", run, signs, ..] => self.acting((run, epoch), signs, None, words),
            ["adopt", run, keys, ..] => self.acting((run, epoch), ".", Some(self.plan_of(keys)), words),
            words => panic!("not in the language: {words:?}"),
        }
    }

    fn thinking(&self, run: &str, epoch: u64, thought: Thought) -> Command {
        let run = run_id(run);
        let doing = self.state.as_ref().and_then(|state| state.run(run)?.conversation.as_ref());
        let n = match doing.map(|talk| &talk.doing) {
            Some(Doing::Thinking { n }) => *n,
            _ => 0,
        };
        Command::FinishThinking { run, epoch, n, thought: Box::new(thought) }
    }

    fn acting(
        &self,
        (run, epoch): (&str, u64),
        signs: &str,
        plan: Option<Planned>,
        words: &[&str],
    ) -> Command {
        let run = run_id(run);
        let doing = self.state.as_ref().and_then(|state| state.run(run)?.conversation.as_ref());
        let calls = match doing.map(|talk| &talk.doing) {
            Some(Doing::Acting { calls }) => calls.clone(),
            _ => Vec::new(),
        };
        let mut results: Vec<CallResult> =
            signs.chars().zip(&calls).map(|(sign, call)| call_result(sign, call)).collect();
        let adds = words.iter().find_map(|word| word.strip_prefix("adds="));
        if let (Some(first), Some(keys)) = (results.first_mut(), adds) {
            first.adds = keys.split(',').map(|key| self.addition(key)).collect();
        }
        let next = words.iter().any(|word| word.starts_with("tokens=")).then(|| next(words));
        let workspace = words.contains(&"same").then(|| "same".to_owned());
        Command::FinishActing { run, epoch, results, workspace, plan, next }
    }

    fn addition(&self, key: &str) -> Addition {
        let (item, key) = key.split_once('>').unwrap_or((key, key));
        let spec = self.items.iter().find(|one| one.id == item).unwrap().clone();
        Addition { id: self.item_id(item), spec: ItemSpec { id: key.to_owned(), ..spec } }
    }

    fn plan_of(&self, keys: &str) -> Planned {
        let items = keys.split(',').map(|key| self.items.iter().find(|item| item.id == key).unwrap().clone());
        Planned {
            items: items.collect(),
            ids: keys.split(',').map(|key| self.item_id(key)).collect(),
            assumptions: Vec::new(),
            criteria: Vec::new(),
        }
    }

    fn item_id(&self, key: &str) -> ItemId {
        let place = self.items.iter().position(|item| item.id == key).unwrap();
        ItemId::from(Uuid::from_u128(place as u128 + 1))
    }

    fn next_run(&self, key: &str) -> RunId {
        let item = self.item_id(key);
        let runs = self.state.iter().flat_map(|state| &state.runs);
        let earlier = runs.filter(|run| run.item_id == Some(item)).count();
        run_id(&format!("{key}{}", earlier + 1))
    }

    /// Runs that plan are named `p`, `q`, `r` and so on.
    fn next_planning(&self) -> RunId {
        let runs = self.state.iter().flat_map(|state| &state.runs);
        let earlier = runs.filter(|run| run.item_id.is_none()).count();
        run_id(&char::from(b'p' + u8::try_from(earlier).unwrap()).to_string())
    }

    fn results(&self, run: &str, signs: &str) -> Vec<GateResult> {
        let state = self.state.as_ref().unwrap();
        let sign = |gate: u32| signs.chars().nth(gate as usize).unwrap_or('-');
        let run = state.run(run_id(run));
        let mut results = run.map_or_else(Vec::new, |run| results(state, run, |gate| sign(gate) != '-'));
        for result in &mut results {
            let sign = sign(result.gate);
            if sign.eq_ignore_ascii_case(&'e') {
                result.evidence.edited = edited(sign);
            }
        }
        results
    }

    fn key(&self, item: ItemId) -> &str {
        let place = item.uuid().as_u128() as usize - 1;
        self.items.get(place).map_or("?", |item| item.id.as_str())
    }

    /// The event's name on the wire and what tells it from others.
    fn describe(&self, event: &Event) -> String {
        let mut line = event.kind().to_owned();
        let mut say = |words: &str| {
            line.push(' ');
            line.push_str(words);
        };
        if let Some(run) = event.run_id() {
            say(&run_name(run));
        } else if let Some(item) = event.item_id() {
            say(self.key(item));
        }
        match event {
            Event::ItemCreated { item } => say(&created(item, |id| self.key(id))),
            Event::GoalPlanned { items } => say(&format!("planned {items} item(s)")),
            Event::GoalWaiting { .. } => say("waiting"),
            Event::GoalTakenOver { epoch, .. } => say(&format!("taken over by {epoch}")),
            Event::ClockJumped { by_ms } => say(&format!("the clock jumped by {by_ms}")),
            Event::GoalPublishing => say("publishing"),
            Event::GoalCancelling { .. } => say("cancelling"),
            Event::RunContinued { epoch, ran_again: true, .. } => say(&format!("by {epoch}, again")),
            Event::RunContinued { epoch, .. } => say(&format!("by {epoch}")),
            Event::ModelRequested { .. }
            | Event::ModelAnswered { .. }
            | Event::ModelFailed { .. }
            | Event::ToolCompleted { .. }
            | Event::ConversationCondensed { .. }
            | Event::GuardTripped { .. } => say(&of_conversation(event)),
            Event::RunExecuted { execution, .. } => say(&format!("({})", execution.outcome)),
            Event::VerificationStarted { probe: true, .. } => say("to find out"),
            Event::GateCompleted { result } => {
                let edited = if result.evidence.edited.is_none() { "" } else { ", edited" };
                say(&format!("{} {}{edited}", result.name, if result.passed { "+" } else { "-" }));
            }
            Event::VerificationCompleted { verdict, recheck, .. } => {
                say(&format!("{}{}", verdict.as_str(), if *recheck { ", again" } else { "" }));
            }
            Event::RunCompleted { status, error, .. } => {
                say(status.as_str());
                if let Some(error) = error {
                    say(&error.code);
                }
            }
            Event::ItemRetrying { retry_count, not_before_ms, .. } => {
                say(&format!("retry {retry_count} at {not_before_ms}"));
            }
            Event::ItemCompleted { verdict, .. } => say(verdict.as_str()),
            Event::ItemFailed { error, .. } => say(&error.code),
            Event::ItemBlocked { escalation, .. } => say(&question(*escalation)),
            Event::EscalationCreated { escalation } => {
                say(&format!("{} {}", question(escalation.id), escalation.escalation_type.as_str()));
            }
            Event::ArtifactCreated { artifact } if artifact.partial => {
                say(&format!("{} partial", artifact.path));
            }
            Event::ArtifactCreated { artifact } => say(&artifact.path),
            Event::GoalCompleted { summary, .. } => say(&format!("({summary})")),
            Event::GoalBlocked { escalations, .. } => escalations.iter().for_each(|id| say(&question(*id))),
            Event::GoalFailed { reason, error } => {
                say(&format!("{} ({})", reason.as_str(), error.message));
            }
            Event::ItemReady { .. } => say("ready"),
            Event::GoalCompacted { events, .. } => say(&format!("{events} event(s)")),
            Event::GoalCreated { .. }
            | Event::GoalStarted { .. }
            | Event::GoalCancelled { .. }
            | Event::ItemStarted { .. }
            | Event::RunStarted { .. }
            | Event::VerificationStarted { .. } => {}
            control => say(&of_control(control)),
        }
        line
    }

    fn show(&mut self) {
        let state = self.state.as_ref().unwrap();
        let goal = &state.goal;
        let mut line = format!("= {} {}", goal.status.as_str(), goal.phase.as_str());
        for item in &state.items {
            let _ = write!(line, ", {} {}", item.key, item.status.as_str());
        }
        let _ = write!(line, ", spent {} ms", goal.spent_time_ms);
        if let Some(since) = goal.running_since_ms {
            let _ = write!(line, " and since {since}");
        }
        if let Some(left) = goal.time_left_ms(self.now_ms) {
            let _ = write!(line, ", {left} ms left");
        }
        let mut wanted: Vec<String> = wants(state, self.now_ms).iter().map(|want| self.want(*want)).collect();
        if wanted.is_empty() {
            wanted.push("nothing".to_owned());
        }
        let _ = writeln!(self.out, "{line}");
        let _ = writeln!(self.out, "= wants {}", wanted.join(", "));
        if let Some(wake) = next_wake(state) {
            let _ = writeln!(self.out, "= wakes at {wake}");
        }
    }

    fn want(&self, want: Want) -> String {
        match want {
            Want::Plan => "plan".to_owned(),
            Want::StartPlanning => "have it planned".to_owned(),
            Want::Compose(run) => format!("compose {}", run_name(run)),
            Want::Think(run, n) => format!("think {}#{n}", run_name(run)),
            Want::Act(run, n) => format!("act {}#{n}", run_name(run)),
            Want::Prepare => "prepare".to_owned(),
            Want::Start(item) => format!("start {}", self.key(item)),
            Want::Execute(run) => format!("execute {}", run_name(run)),
            Want::Verify(run) => format!("verify {}", run_name(run)),
            Want::Tick => "tick".to_owned(),
            Want::BeginPublish => "begin publish".to_owned(),
            Want::Publish => "publish".to_owned(),
            Want::Stop(run) => format!("stop {}", run_name(run)),
        }
    }

    fn packet(&mut self) {
        for escalation in &self.state.as_ref().unwrap().escalations {
            let packet = &escalation.packet;
            let _ = writeln!(self.out, "? {}: {}", question(escalation.id), escalation.title);
            let _ = writeln!(self.out, "  {}", packet.context);
            for attempt in &packet.attempts {
                let _ = writeln!(self.out, "  attempt {}: {}", attempt.attempt, attempt.outcome);
            }
            let _ = writeln!(self.out, "  {}; {}", packet.current_state, packet.root_cause);
            let ways: Vec<&str> = packet.options.iter().map(|option| option.action.as_str()).collect();
            let _ = writeln!(self.out, "  {}", ways.join(", "));
        }
    }
}

fn day_budget(words: &[&str]) -> DayBudget {
    let named = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.parse().ok());
    let tokens = |name: &str| Amount { tokens: named(name).unwrap_or(0), micro_usd: 0 };
    DayBudget {
        day: Some(LocalDay { date: jiff::civil::date(2026, 11, 27), zone: "Asia/Shanghai".to_owned() }),
        caps: Caps { tokens: named("tokens="), micro_usd: None },
        turns_max: named("turns=").map(|n: u64| n.try_into().unwrap()),
        settled: tokens("settled="),
        reserved: tokens("reserved="),
        turns: named("answered=").map_or(0, |n: u64| n.try_into().unwrap()),
        calls: 0,
    }
}

fn planned(key: &str, rest: &[&str]) -> ItemSpec {
    let named = |name: &str| rest.iter().find_map(|word| word.strip_prefix(name));
    let count = |name: &str| named(name).map_or(0, |n| n.parse().unwrap());
    let effect = if rest.contains(&"unsafe") { Effect::Unsafe } else { Effect::Idempotent };
    let gates = [vec![true; count("gates=")], vec![false; count("optional=")]].concat();
    let mut item = command_item(key, effect, &gates);
    if rest.contains(&"review") {
        item.gates.push(review());
    }
    item.needs = named("needs=").iter().flat_map(|keys| keys.split(',')).map(str::to_owned).collect();
    item.max_retries = named("retries=").map(|n| n.parse().unwrap());
    for gate in &mut item.gates {
        gate.may_change = rest.contains(&"maychange");
    }
    if rest.contains(&"agent") {
        let mut agent = agent_work();
        agent.max_turns = named("turns=").map(|n| n.parse().unwrap());
        agent.budget_percent = named("percent=").map(|n| n.parse().unwrap());
        agent.budget_tokens = named("tokens=").map(|n| n.parse().unwrap());
        agent.time_limit_s = named("seconds=").map(|n| n.parse().unwrap());
        agent.guards = !rest.contains(&"unguarded");
        agent.may_add_items = rest.contains(&"adds");
        item.work = Work::Agent(agent);
    }
    item
}

pub(super) fn agent_work() -> AgentSpec {
    AgentSpec {
        prompt: "think".to_owned(),
        tools: Vec::new(),
        tier: Tier::Medium,
        model: None,
        effect: Effect::Unsafe,
        max_turns: None,
        budget_percent: None,
        time_limit_s: None,
        budget_tokens: None,
        budget_usd: None,
        guards: true,
        approve: Vec::new(),
        may_add_items: false,
    }
}

pub(super) fn call(tool: &str, effect: Effect) -> Call {
    Call {
        n: 0,
        id: tool.to_owned(),
        tool: tool.to_owned(),
        title: "this".to_owned(),
        effect,
        digest: String::new(),
        again: false,
        held: false,
    }
}

fn next(words: &[&str]) -> Next {
    let named = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
    let number = |name: &str| named(name).map_or(0, |n| n.parse().unwrap());
    let amount = Amount { tokens: number("tokens="), micro_usd: number("usd=") };
    let other_model = named("other=").map(str::to_owned);
    Next {
        model: "m".to_owned(),
        other_model,
        amount,
        output_tokens: 1,
        request_hash: String::new(),
        unpriced: false,
        condensing: named("condensed=").map(condensing),
    }
}

/// `condensed=6`: all turns up to place 6, which are two.
fn condensing(until: &str) -> Condensing {
    let until = until.parse().unwrap();
    let condensed = Condensed { results_until: until, turns_until: until, ..Condensed::default() };
    Condensing { condensed, turns: 2, results: 0, bytes: 1_000 }
}

fn thought(used: Option<u64>, outcome: ThoughtOutcome) -> Thought {
    let usage =
        used.map(|tokens| Used { input_tokens: tokens, output_tokens: 0, micro_usd: 0, unpriced: false });
    Thought { model: "m".to_owned(), usage, outcome, duration_ms: 1 }
}

fn answer(how: &[&str]) -> Thought {
    let used = how.iter().find_map(|word| word.strip_prefix("used=")).map(|n| n.parse().unwrap());
    let named = how.iter().filter(|word| !word.contains('=') && !matches!(**word, "cut" | "idle"));
    let calls = named.filter(|word| !word.starts_with('@')).map(|word| match word.chars().last() {
        Some('!') => call(word.trim_end_matches('!'), Effect::Unsafe),
        Some('?') => call(word.trim_end_matches('?'), Effect::Pure),
        _ => call(word, Effect::Idempotent),
    });
    thought(
        used,
        ThoughtOutcome::Answered {
            cut_short: how.contains(&"cut"),
            calls: calls.collect(),
            text: String::new(),
        },
    )
}

fn failure(how: &[&str]) -> Thought {
    let then = match how {
        ["stopped", ..] => return thought(None, ThoughtOutcome::Stopped),
        ["again", ..] => AfterFailure::Again { after_ms: None },
        ["human", ..] => AfterFailure::Human,
        ["long", ..] => AfterFailure::Shorter { bytes: 5_000 },
        _ => AfterFailure::Nothing,
    };
    let charged = how.contains(&"charged");
    thought(None, ThoughtOutcome::Failed { error: "no".to_owned(), then, charged })
}

fn call_result(sign: char, call: &Call) -> CallResult {
    let end = match sign {
        '+' | '=' => CallEnd::Ok,
        '-' => CallEnd::Failed,
        '.' | 'R' | 'r' => CallEnd::Finished,
        'x' => CallEnd::Host,
        'w' => CallEnd::Withheld,
        'y' | 'Y' | 'q' => CallEnd::Asks,
        _ => CallEnd::Unknown,
    };
    let asks = (end == CallEnd::Asks).then(|| asks(sign));
    let review =
        matches!(sign, 'R' | 'r').then(|| Reviewed { passed: sign == 'R', found: "point 1".to_owned() });
    // Each result is another one, but for those that are to be the same.
    let output_digest = if sign == '=' { "same".to_owned() } else { format!("{}", call.n) };
    CallResult {
        n: call.n,
        end,
        found: "found".to_owned(),
        output_digest,
        duration_ms: 1,
        asks,
        review,
        adds: Vec::new(),
    }
}

/// What a call waits for.
pub(super) fn asks(sign: char) -> Asks {
    match sign {
        'q' => Asks::Answers(vec![Clarification {
            id: "one".to_owned(),
            question: "Which one?".to_owned(),
            why: "there are two".to_owned(),
            choices: vec!["this".to_owned(), "that".to_owned()],
            default: "this".to_owned(),
        }]),
        binding => Asks::Approval(BoundCall {
            tool: "tool".to_owned(),
            argv: vec!["rm".to_owned(), "-r\u{200b}".to_owned()],
            cwd: "/w".to_owned(),
            digest: binding.to_string(),
            ..BoundCall::default()
        }),
    }
}

fn outcome(how: &[&str]) -> ExecutionOutcome {
    match how {
        ["ok", ..] => ExecutionOutcome::Exited { code: 0 },
        ["exit", code, ..] => ExecutionOutcome::Exited { code: code.parse().unwrap() },
        ["signal", ..] => ExecutionOutcome::Signaled { signal: 9 },
        ["timeout", ..] => ExecutionOutcome::TimedOut,
        ["budget", ..] => ExecutionOutcome::BudgetExhausted,
        ["stopped", ..] => ExecutionOutcome::Stopped,
        ["lost", ..] => ExecutionOutcome::Lost,
        ["unstarted", ..] => ExecutionOutcome::NotStarted { reason: "no such program".to_owned() },
        how => panic!("not an outcome: {how:?}"),
    }
}

/// A run's name is its id's bytes.
pub(super) fn run_id(name: &str) -> RunId {
    let bytes = name.bytes().fold(0, |id: u128, byte| id << 8 | u128::from(byte));
    RunId::from(Uuid::from_u128(bytes))
}

fn run_name(run: RunId) -> String {
    let bytes = run.uuid().as_u128().to_be_bytes();
    bytes.iter().filter(|byte| **byte > 0).map(|byte| char::from(*byte)).collect()
}

fn question(id: EscalationId) -> String {
    format!("?{:x}", id.uuid().as_u128())
}
