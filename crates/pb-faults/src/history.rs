//! The auditor of a final store (`durability.md` §7): the events of a log, folded anew, must give its rows,
//! and nothing on the way may break an invariant.
//!
//! I2 no gaps · no item twice, and none that was added beyond the limits · I4 one terminal outcome an item, no write of a superseded epoch · I6 events fold into the
//! rows · I7 nothing starts before what it needs is verified · I8 within the caps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pb_model::goal::{ADDED_DEPTH_MAX, Caps, Event, GoalState, Item, ItemStatus, RunStatus, evolve};
use pb_model::schedule::{self, Schedule, ScheduleEvent};
use pb_model::session::{self, Session, SessionEvent};
use pb_model::{GoalId, ItemId, ScheduleId, SessionId, Verdict};
use pb_store::{EventRecord, LogReader};

use crate::Tally;

/// Events read at once.
const PAGE: usize = 4096;

/// What a log came to.
#[derive(Debug, Default)]
pub struct History {
    /// Every event, in order.
    pub events: Vec<EventRecord>,
    /// Every goal as it stands at the end.
    pub goals: BTreeMap<GoalId, GoalState>,
    /// Every schedule as it stands at the end.
    pub schedules: Vec<Schedule>,
}

impl History {
    /// Reads and audits a log. What is wrong goes into the tally, told with `whose`.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn audit(state_db: &Path, whose: &str, tally: &mut Tally) -> anyhow::Result<Self> {
        let log = LogReader::open(state_db).await?;
        let mut fold = Fold {
            whose,
            tally,
            states: BTreeMap::new(),
            seqs: BTreeMap::new(),
            ended: BTreeMap::new(),
            schedules: BTreeMap::new(),
            sessions: BTreeMap::new(),
            claimed: BTreeSet::new(),
        };
        let mut history = Self::default();
        loop {
            let last = history.events.len() as u64;
            let page = log.events_after(last, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for (place, event) in page.into_iter().enumerate() {
                fold.take(last + place as u64 + 1, &event);
                history.events.push(event);
            }
        }
        let Fold { states, schedules, sessions, claimed, tally, .. } = fold;
        for session in sessions.into_values() {
            if log.session(session.id).await?.as_ref() != Some(&session) {
                tally
                    .fail(format_args!("{whose}: I6: the events of {} do not fold into its row", session.id));
            }
        }
        for schedule in schedules.into_values() {
            if log.schedule(schedule.id).await?.as_ref() != Some(&schedule) {
                tally.fail(format_args!(
                    "{whose}: I6: the events of {} do not fold into its row",
                    schedule.id
                ));
            }
            history.schedules.push(schedule);
        }
        if let Some(lost) = claimed.iter().find(|goal| !states.contains_key(&goal.to_string())) {
            tally.fail(format_args!(
                "{whose}: a slot was claimed, or an answer given, and its goal {lost} is not there"
            ));
        }
        for (goal, folded) in states {
            let goal: GoalId = goal.parse()?;
            let stored = log.state(goal).await?;
            if folded != stored {
                tally.fail(format_args!("{whose}: I6: the events of {goal} do not fold into its rows"));
            }
            history.goals.extend(folded.map(|state| (goal, state)));
        }
        Ok(history)
    }
}

/// A log that is being folded.
struct Fold<'a> {
    whose: &'a str,
    tally: &'a mut Tally,
    states: BTreeMap<String, Option<GoalState>>,
    seqs: BTreeMap<String, u64>,
    /// How often each item ended for good.
    ended: BTreeMap<ItemId, u32>,
    schedules: BTreeMap<String, Schedule>,
    sessions: BTreeMap<String, Session>,
    /// The goals of the slots that were claimed, and those that were made in conversations.
    claimed: BTreeSet<GoalId>,
}

impl Fold<'_> {
    fn fail(&mut self, what: &str, record: &EventRecord) {
        self.tally.fail(format_args!("{}: {what}: {} at {}", self.whose, record.kind, record.pos));
    }

    fn take(&mut self, pos: u64, record: &EventRecord) {
        let seq = self.seqs.entry(record.goal.clone()).or_default();
        *seq += 1;
        if record.pos != pos || record.seq != *seq {
            self.fail("I2: a gap before it", record);
        }
        if record.goal.starts_with(ScheduleId::PREFIX) {
            return self.take_schedule(record);
        }
        if record.goal.starts_with(SessionId::PREFIX) {
            return self.take_session(record);
        }
        let event: Event = match serde_json::from_str(&record.body) {
            Ok(event) => event,
            Err(error) => return self.fail(&format!("it is no event ({error})"), record),
        };
        let before = self.states.get(&record.goal).cloned().flatten();
        if let Some(before) = &before {
            self.judge(before, &event, record);
        }
        let after = evolve(before, &event, record.at_ms);
        if after.as_ref().is_some_and(|state| !is_within_caps(state)) {
            self.fail("I8: more is committed than a cap allows", record);
        }
        if after.as_ref().is_some_and(|state| !adds_within_limits(state)) {
            self.fail("more is added, or deeper, than the goal allows", record);
        }
        self.states.insert(record.goal.clone(), after);
    }

    /// The same of an event of a schedule: its slots rise, and it has one goal at a time.
    fn take_schedule(&mut self, record: &EventRecord) {
        let event: ScheduleEvent = match serde_json::from_str(&record.body) {
            Ok(event) => event,
            Err(error) => return self.fail(&format!("it is no event of a schedule ({error})"), record),
        };
        let before = self.schedules.remove(&record.goal);
        if let (ScheduleEvent::Claimed { slot_ms, goal, .. }, Some(before)) = (&event, &before)
            && (*slot_ms <= before.passed_ms || before.running.is_some() || !self.claimed.insert(*goal))
        {
            self.fail("a slot was claimed twice, or beside a goal that runs", record);
        }
        if let Some(after) = schedule::evolve(before, &event, record.at_ms) {
            self.schedules.insert(record.goal.clone(), after);
        }
    }

    /// The same of an event of a conversation: it makes each goal once, and has one call at a time.
    fn take_session(&mut self, record: &EventRecord) {
        let event: SessionEvent = match serde_json::from_str(&record.body) {
            Ok(event) => event,
            Err(error) => return self.fail(&format!("it is no event of a conversation ({error})"), record),
        };
        if let SessionEvent::MadeGoal { goal, .. } = &event
            && !self.claimed.insert(goal.id)
        {
            self.fail("a goal was made twice", record);
        }
        let Some(after) = session::evolve(self.sessions.remove(&record.goal), &event, record.at_ms) else {
            return;
        };
        if after.spending.reserved.len() > 1 {
            self.fail("I8: more than one call is paid for", record);
        }
        self.sessions.insert(record.goal.clone(), after);
    }

    /// What must hold of the state that an event meets.
    fn judge(&mut self, before: &GoalState, event: &Event, record: &EventRecord) {
        match event {
            Event::ItemCompleted { item, .. } | Event::ItemFailed { item, .. } => {
                let ends = self.ended.entry(*item).or_default();
                *ends += 1;
                if *ends > 1 {
                    self.fail("I4: its item had ended", record);
                }
            }
            Event::ItemCreated { item } => {
                if before.items.iter().any(|known| known.id == item.id || known.key == item.key) {
                    self.fail("its item was created twice", record);
                }
                let above = item.added_by.map(|above| before.item(above).map(|above| above.status));
                if above.is_some_and(|status| status != Some(ItemStatus::Done)) {
                    self.fail("what added its item is not done", record);
                }
            }
            // A human said so.
            Event::ItemReopened { item, .. } => {
                self.ended.remove(item);
            }
            Event::ItemStarted { item, .. } => {
                let status = before.item(*item).map(|item| item.status);
                if !matches!(status, Some(ItemStatus::Ready | ItemStatus::Queued)) {
                    self.fail("I4: its item runs, or has ended", record);
                }
                let needs = before.item(*item).map(|item| before.waits_on(item)).unwrap_or_default();
                let is_proven = |need: &ItemId| {
                    before.item(*need).is_some_and(|need| {
                        let is_done =
                            need.status == ItemStatus::Done && need.verdict != Some(Verdict::Failed);
                        // A human said to go on without it.
                        is_done || need.status == ItemStatus::Skipped
                    })
                };
                if !needs.iter().all(is_proven) {
                    self.fail("I7: what its item needs is not done", record);
                }
            }
            Event::RunExecuted { run, execution, .. } => {
                self.judge_epoch(before, *run, &execution.output_digest, record);
            }
            Event::GateCompleted { result } if !result.recheck => {
                self.judge_epoch(before, result.run_id, &result.found, record);
            }
            _ => {}
        }
    }

    /// Simulated effects say of which epoch they are: `epoch 3`.
    fn judge_epoch(&mut self, before: &GoalState, run: pb_model::RunId, said: &str, record: &EventRecord) {
        let Some(run) = before.run(run).filter(|run| run.status == RunStatus::Running) else {
            return self.fail("I4: its run does not run", record);
        };
        let epoch = said.strip_prefix("epoch ").and_then(|epoch| epoch.parse().ok());
        if epoch.is_some_and(|epoch: u64| epoch != run.epoch) {
            self.fail(&format!("I4: written by {said}, its run is held by {}", run.epoch), record);
        }
    }
}

/// What runs added, and what they are adding, is not more than the goal allows, and not deeper.
fn adds_within_limits(state: &GoalState) -> bool {
    let added = state.items.iter().filter(|item| item.added_by.is_some());
    let is_deep = |item: &Item| state.added_depth(item) > ADDED_DEPTH_MAX;
    added.clone().count() + state.to_come().count() <= state.added_max() as usize
        && !added.into_iter().any(is_deep)
}

/// What is spent and promised stays below each cap, but for a call that was reported above its promise.
fn is_within_caps(state: &GoalState) -> bool {
    let (caps, spending) = (Caps::of(&state.goal.spec), &state.goal.spending);
    let committed = spending.committed();
    let holds = caps.tokens.is_none_or(|cap| committed.tokens <= cap)
        && caps.micro_usd.is_none_or(|cap| committed.micro_usd <= cap);
    holds || spending.overrun
}
