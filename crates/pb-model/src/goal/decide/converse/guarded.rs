//! What is done about a conversation that goes nowhere: the ladder of `guard.rs`.

use super::end::ask;
use crate::goal::decide::escalate::Question;
use crate::goal::decide::{Decision, run};
use crate::goal::escalation::{Answer, EscalationType};
use crate::goal::event::Event;
use crate::goal::guard::{Guard, Rung, Watch};
use crate::goal::state::{Item, Run};
use crate::spec::Work;

/// What a guard makes of an answer whose calls have all ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It goes on as it was.
    Steady,
    /// The model is to be told something, so its next request is another one.
    Told,
    /// The run has ended.
    Ended,
}

/// Looks at what the calls of an answer came to.
pub(super) fn look(decision: &mut Decision, item: Option<&Item>, run: &Run, turns_max: u32) -> Found {
    if !guards(item) {
        return Found::Steady;
    }
    let Some(talk) = decision.conversation(run.id) else { return Found::Steady };
    let runs_away = talk.watch.runs_away(talk.turns, turns_max);
    match talk.watch.trips().or(runs_away.then_some(Guard::RunawayTurns)) {
        Some(guard) => trip(decision, item, run, guard),
        None => Found::Steady,
    }
}

/// Takes the next rung of the ladder.
pub(super) fn trip(decision: &mut Decision, item: Option<&Item>, run: &Run, guard: Guard) -> Found {
    let Some(talk) = decision.conversation(run.id) else { return Found::Steady };
    let rung = talk.watch.next_rung(guard, talk.model.as_deref());
    let question = (rung == Rung::Escalate).then(|| question(item, guard, &talk.watch));
    decision.emit(Event::GuardTripped { item: run.item_id, run: run.id, guard, rung });
    if let Some(question) = question {
        ask(decision, item, run, question);
        return Found::Ended;
    }
    Found::Told
}

/// Whether the item's conversations are guarded: they are, unless its plan says otherwise.
pub(super) fn guards(item: Option<&Item>) -> bool {
    match item.map(|item| &item.work) {
        Some(Work::Agent(agent)) => agent.guards,
        Some(Work::Command(_)) | None => true,
    }
}

fn question(item: Option<&Item>, guard: Guard, watch: &Watch) -> Question {
    let title = match item {
        Some(item) => format!("item `{}` makes no progress", item.key),
        None => "planning makes no progress".to_owned(),
    };
    let ways = [
        (Answer::AlternativeApproach, run::ANOTHER_WAY),
        (Answer::Skip, "go on without it: it is done, or not needed"),
    ];
    let mut question = Question::new(
        EscalationType::Stuck,
        title,
        tried(watch),
        guard.words(),
        if item.is_some() { &ways } else { &[] },
    );
    question.options.insert(0, (Answer::Retry, "try it again from the start".to_owned()));
    question
}

/// What was done before a person is asked.
fn tried(watch: &Watch) -> String {
    let mut tried = vec!["the model was told".to_owned()];
    tried.extend(watch.dropped.iter().map(|tool| format!("`{tool}` was taken away")));
    tried.extend(watch.avoided.iter().map(|model| format!("another model was asked instead of {model}")));
    tried.join("; ")
}
