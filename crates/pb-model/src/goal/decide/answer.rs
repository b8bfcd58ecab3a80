//! What an answer to a question does. The first one wins.

use super::{Decision, budget, cancel, run};
use crate::goal::cap::Cap;
use crate::goal::command::Rejection;
use crate::goal::escalation::{Answer, Escalation, Raised, Reply, Resolution};
use crate::goal::event::Event;
use crate::goal::state::{GoalState, GoalStatus, ItemStatus, RunStatus};
use crate::{EscalationId, ItemId};

/// Answers one question.
pub(super) fn one(
    decision: &mut Decision,
    id: EscalationId,
    reply: Reply,
    by: &str,
) -> Result<(), Rejection> {
    let asked = decision.state.escalation(id).cloned().ok_or(Rejection::UnknownEscalation)?;
    if let Some(first) = asked.resolution {
        return Err(Rejection::AlreadyAnswered { answer: first.answer.as_str(), by: first.by });
    }
    let goal = &decision.state.goal;
    if goal.status.is_terminal() {
        return Err(Rejection::Cannot("answered", goal.status.as_str()));
    }
    if !asked.offers(reply.answer) {
        let problem = format!("`{}` is no answer to \"{}\"", reply.answer.as_str(), asked.title);
        return Err(Rejection::NeedsAnswer { problem, offered: offered([&asked]) });
    }
    apply(decision, &asked, reply, by)?;
    go_on(decision, by);
    Ok(())
}

/// Answers every open question to which this is an answer.
pub(super) fn all(decision: &mut Decision, reply: Reply, by: &str) -> Result<(), Rejection> {
    let open = decision.state.open_escalations().filter(|asked| asked.offers(reply.answer));
    let open: Vec<Escalation> = open.cloned().collect();
    if open.is_empty() {
        return Err(match decision.state.open_escalations().next() {
            Some(_) => {
                needed(&decision.state, &format!("`{}` is no answer to what is asked", reply.answer.as_str()))
            }
            None => Rejection::BadAnswer("nothing is asked of you".to_owned()),
        });
    }
    // An amount is of one cap: 50000 tokens must not become 50000 dollars.
    if reply.to.is_some() && open.iter().any(|asked| asked.cap != open.first().and_then(|first| first.cap)) {
        let problem = "several caps are used up, and the amount is of one: answer each with escalation.respond, or \
                       leave the amount out";
        return Err(Rejection::BadAnswer(problem.to_owned()));
    }
    for asked in open {
        // An answer to one may have settled another, or the goal as a whole.
        let is_open = decision.state.escalation(asked.id).is_some_and(Escalation::is_open);
        if is_open && !decision.state.goal.status.is_terminal() {
            apply(decision, &asked, reply, by)?;
        }
    }
    go_on(decision, by);
    Ok(())
}

/// An answer is needed: what is wrong, and what is offered.
pub(super) fn needed(state: &GoalState, problem: &str) -> Rejection {
    Rejection::NeedsAnswer { problem: problem.to_owned(), offered: offered(state.open_escalations()) }
}

fn offered<'a>(asked: impl IntoIterator<Item = &'a Escalation>) -> String {
    let mut words: Vec<String> = Vec::new();
    for option in asked.into_iter().flat_map(|asked| &asked.packet.options) {
        let word = format!("{} ({})", option.action, option.label);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

fn apply(decision: &mut Decision, asked: &Escalation, reply: Reply, by: &str) -> Result<(), Rejection> {
    if reply.to.is_some() && reply.answer != Answer::Raise {
        return Err(Rejection::BadAnswer("only `raise` takes an amount".to_owned()));
    }
    match reply.answer {
        Answer::Cancel => {
            resolve(decision, asked, Answer::Cancel, by, None);
            let reason = Some(format!("answered to \"{}\"", asked.title));
            cancel::cancel(decision, by.to_owned(), reason)
        }
        Answer::Retry => {
            resolve(decision, asked, Answer::Retry, by, None);
            reopen(decision, asked);
            Ok(())
        }
        Answer::Skip => {
            resolve(decision, asked, Answer::Skip, by, None);
            if let Some(item) = asked.item_id {
                skip(decision, item, by);
            }
            Ok(())
        }
        Answer::Raise => raise(decision, asked, reply.to, by),
        Answer::Finish => finish(decision, asked, by),
    }
}

fn resolve(decision: &mut Decision, asked: &Escalation, answer: Answer, by: &str, raised: Option<Raised>) {
    let resolution = Resolution { answer, by: by.to_owned(), raised };
    decision.emit(Event::EscalationResolved { escalation: asked.id, item: asked.item_id, resolution });
}

fn reopen(decision: &mut Decision, asked: &Escalation) {
    if let Some(item) = asked.item_id.filter(|item| is(decision, *item, ItemStatus::Blocked)) {
        decision.emit(Event::ItemReopened { item, allow: asked.call.clone() });
    }
}

fn is(decision: &Decision, item: ItemId, status: ItemStatus) -> bool {
    decision.state.item(item).is_some_and(|item| item.status == status)
}

/// Goes on without an item; what needs it may start.
fn skip(decision: &mut Decision, item: ItemId, by: &str) {
    decision.emit(Event::ItemSkipped { item, by: by.to_owned() });
    run::free(decision, item);
}

/// Every branch that stopped at the same cap goes on.
fn raise(decision: &mut Decision, asked: &Escalation, to: Option<f64>, by: &str) -> Result<(), Rejection> {
    let cap = asked.cap.unwrap_or(Cap::History);
    let raised = budget::raised(decision, cap, to)
        .ok_or_else(|| Rejection::BadAnswer(format!("that does not raise the {}", cap.as_str())))?;
    let same = |other: &&Escalation| {
        other.id == asked.id || (!matches!(cap, Cap::Share | Cap::ItemTime) && other.cap == Some(cap))
    };
    let answered: Vec<Escalation> = decision.state.open_escalations().filter(same).cloned().collect();
    for asked in answered {
        resolve(decision, &asked, Answer::Raise, by, Some(raised));
        reopen(decision, &asked);
    }
    Ok(())
}

/// What is done is delivered; what does not run is left out, and so is what is asked about it.
fn finish(decision: &mut Decision, asked: &Escalation, by: &str) -> Result<(), Rejection> {
    let state = &decision.state;
    let has_work = state.items.iter().any(|item| item.status == ItemStatus::Done);
    if !has_work {
        return Err(Rejection::BadAnswer("nothing is done that could be delivered".to_owned()));
    }
    let idle = |id: ItemId| {
        !state.runs.iter().any(|run| run.item_id == Some(id) && run.status == RunStatus::Running)
    };
    let left = state.items.iter().filter(|item| !item.status.is_settled() && idle(item.id));
    let left: Vec<ItemId> = left.map(|item| item.id).collect();
    let moot =
        |other: &&Escalation| other.id == asked.id || other.item_id.is_some_and(|item| left.contains(&item));
    let moot: Vec<Escalation> = state.open_escalations().filter(moot).cloned().collect();
    for asked in moot {
        resolve(decision, &asked, Answer::Finish, by, None);
    }
    for item in left {
        decision.emit(Event::ItemSkipped { item, by: by.to_owned() });
    }
    Ok(())
}

/// A blocked goal goes on once nothing is asked any more.
fn go_on(decision: &mut Decision, by: &str) {
    let blocked = decision.state.goal.status == GoalStatus::Blocked;
    if blocked && decision.state.open_escalations().next().is_none() {
        decision.emit(Event::GoalResumed { by: by.to_owned() });
    }
}
