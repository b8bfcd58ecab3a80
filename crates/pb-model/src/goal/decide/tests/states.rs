//! The tables of `goal/states.rs`, compared with what thousands of lives come to.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::properties::lives;
use crate::goal::states::{CONVERSATION, ESCALATION, GOAL, ITEM, RUN};
use crate::goal::{Doing, Event, GoalState, Run, RunStage, RunStatus};
use crate::machine::{Machine, START};

/// Lives that are lived.
const LIVES: u64 = 4_000;

/// Machine, state before, event, state after.
type Seen = (&'static str, &'static str, String, &'static str);

thread_local! {
    static SEEN: RefCell<BTreeSet<Seen>> = const { RefCell::new(BTreeSet::new()) };
}

/// Notes the steps that `event`, which led from `before` to `after`, is.
pub(super) fn note(before: Option<&GoalState>, event: &Event, after: &GoalState) {
    let name = || serde_json::to_value(event).unwrap()["type"].as_str().unwrap().to_owned();
    let step = |machine: &Machine, from: Option<&'static str>, to: &'static str| {
        let from = from.unwrap_or(START);
        if from != to {
            SEEN.with_borrow_mut(|seen| seen.insert((machine.name, from, name(), to)));
        }
    };
    step(&GOAL, before.map(|state| state.goal.status.as_str()), after.goal.status.as_str());
    for item in &after.items {
        let was = before.and_then(|state| state.item(item.id)).map(|item| item.status.as_str());
        step(&ITEM, was, item.status.as_str());
    }
    for run in &after.runs {
        let was = before.and_then(|state| state.run(run.id));
        step(&RUN, was.map(stage), stage(run));
        if let Some(doing) = doing(run) {
            step(&CONVERSATION, was.and_then(self::doing), doing);
        }
    }
    for asked in &after.escalations {
        let word = |is_open: bool| if is_open { "open" } else { "resolved" };
        let was = before.and_then(|state| state.escalation(asked.id)).map(|asked| word(asked.is_open()));
        step(&ESCALATION, was, word(asked.is_open()));
    }
}

/// Where a run stands: what it is at, or how it ended.
fn stage(run: &Run) -> &'static str {
    match run.status {
        RunStatus::Running => run.stage.as_str(),
        ended @ (RunStatus::Success | RunStatus::Failure | RunStatus::Timeout | RunStatus::Aborted) => {
            ended.as_str()
        }
    }
}

fn doing(run: &Run) -> Option<&'static str> {
    let talk = run.conversation.as_ref()?;
    Some(match (run.stage, &talk.doing) {
        (RunStage::Executing, Doing::Acting { .. }) if talk.waits.is_some() => "waiting",
        (RunStage::Executing, Doing::Composing { .. }) => "composing",
        (RunStage::Executing, Doing::Thinking { .. }) => "thinking",
        (RunStage::Executing, Doing::Acting { .. }) => "acting",
        (RunStage::Verifying | RunStage::Probing | RunStage::Ended, _) => "ended",
    })
}

#[test]
fn the_tables_are_what_lives_come_to() {
    lives(LIVES);
    let seen = SEEN.with_borrow(Clone::clone);
    let mut wrong = Vec::new();
    for machine in [&GOAL, &ITEM, &RUN, &CONVERSATION, &ESCALATION] {
        let lived: BTreeSet<String> = seen
            .iter()
            .filter(|step| step.0 == machine.name)
            .map(|(_, from, event, to)| format!("Step(\"{from}\", \"{event}\", \"{to}\"),"))
            .collect();
        let table: BTreeSet<String> = machine
            .steps
            .iter()
            .map(|step| format!("Step(\"{}\", \"{}\", \"{}\"),", step.0, step.1, step.2))
            .collect();
        let missing: Vec<&String> = lived.difference(&table).collect();
        let never: Vec<&String> = table.difference(&lived).collect();
        for line in missing {
            wrong.push(format!("{}: missing: {line}", machine.name));
        }
        for line in never {
            wrong.push(format!("{}: never: {line}", machine.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
