//! What an answer to a question does. The first one wins.

use super::{Decision, approve, budget, cancel, converse, replan, run};
use crate::goal::asking::ANSWER_BYTES_MAX;
use crate::goal::cap::Cap;
use crate::goal::command::Rejection;
use crate::goal::escalation::{Answer, Escalation, Raised, Reply, Resolution};
use crate::goal::event::Event;
use crate::goal::state::{GoalState, GoalStatus, ItemStatus, Run};
use crate::{EscalationId, ItemId};

/// Who answers when nobody did in time.
const NOBODY: &str = "nobody, in time";

/// An answer, and who gave it.
#[derive(Clone, Copy)]
struct Given<'a> {
    reply: &'a Reply,
    by: &'a str,
    /// Nobody did in time: it is what had been said before.
    expired: bool,
}

/// Answers one question.
pub(super) fn one(
    decision: &mut Decision,
    id: EscalationId,
    reply: &Reply,
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
    apply(decision, &asked, Given { reply, by, expired: false })?;
    go_on(decision, by);
    Ok(())
}

/// Answers every open question to which this is an answer.
pub(super) fn all(decision: &mut Decision, reply: &Reply, by: &str) -> Result<(), Rejection> {
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
    // A yes is for what was looked at.
    let yes = reply.answer == Answer::Approve;
    if open.len() > 1 && (yes || !reply.answers.is_empty() || reply.text.is_some()) {
        let problem = "several questions are open, and this answers one: say which with pb inbox answer ID";
        return Err(Rejection::BadAnswer(problem.to_owned()));
    }
    for asked in open {
        // An answer to one may have settled another, or the goal as a whole.
        let is_open = decision.state.escalation(asked.id).is_some_and(Escalation::is_open);
        if is_open && !decision.state.goal.status.is_terminal() {
            apply(decision, &asked, Given { reply, by, expired: false })?;
        }
    }
    go_on(decision, by);
    Ok(())
}

/// Takes what had been said before, for each question that nobody answered in time.
pub(super) fn expire(decision: &mut Decision) -> Result<bool, Rejection> {
    let now = decision.moment.now_ms;
    let over = |asked: &&Escalation| asked.expiry.is_some_and(|expiry| expiry.at_ms <= now);
    let over: Vec<Escalation> = decision.state.open_escalations().filter(over).cloned().collect();
    for asked in &over {
        let answer = asked.expiry.map_or(Answer::Cancel, |expiry| expiry.answer);
        let reply = Reply::plain(answer);
        apply(decision, asked, Given { reply: &reply, by: NOBODY, expired: true })?;
    }
    if !over.is_empty() {
        go_on(decision, NOBODY);
    }
    Ok(!over.is_empty())
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

fn apply(decision: &mut Decision, asked: &Escalation, given: Given<'_>) -> Result<(), Rejection> {
    check(asked, given.reply)?;
    let Given { reply, by, .. } = given;
    match reply.answer {
        Answer::Cancel => {
            resolve(decision, asked, given, None);
            let reason = Some(format!("answered to \"{}\"", asked.title));
            return cancel::cancel(decision, by.to_owned(), reason);
        }
        Answer::Raise => return raise(decision, asked, given),
        Answer::Finish => return finish(decision, asked, given),
        Answer::Retry
        | Answer::Skip
        | Answer::Approve
        | Answer::Deny
        | Answer::UserInput
        | Answer::AlternativeApproach => resolve(decision, asked, given, None),
    }
    match (reply.answer, &asked.approval) {
        (Answer::Approve | Answer::Deny, Some(approval)) => {
            converse::decided(decision, asked, (reply, by), approval);
        }
        (Answer::UserInput, _) => converse::answered(decision, asked, reply),
        (Answer::Skip, _) if asked.waiting.is_some() => converse::answered(decision, asked, reply),
        (Answer::Skip, _) => {
            if let Some(item) = asked.item_id {
                skip(decision, item, by);
            }
        }
        (Answer::Approve, None) => {
            if let Some(item) = asked.item_id.filter(|item| is(decision, *item, ItemStatus::Blocked)) {
                approve::approve(decision, item, by);
            }
        }
        (Answer::AlternativeApproach, _) => {
            for moot in replan::moot(decision, asked.id) {
                if let Some(other) = decision.state.escalation(moot).cloned() {
                    resolve(decision, &other, given, None);
                }
            }
            replan::begin(decision, reply.text.clone().unwrap_or_default(), by);
        }
        _ => reopen(decision, asked),
    }
    Ok(())
}

/// Whether what comes with the answer belongs to it.
fn check(asked: &Escalation, reply: &Reply) -> Result<(), Rejection> {
    let bad = |problem: String| Err(Rejection::BadAnswer(problem));
    if reply.to.is_some() && reply.answer != Answer::Raise {
        return bad("only `raise` takes an amount".to_owned());
    }
    if !reply.answers.is_empty() && reply.answer != Answer::UserInput {
        return bad("only `user_input` takes answers".to_owned());
    }
    let texts = reply.answers.values().chain(&reply.text);
    if texts.map(String::len).any(|bytes| bytes > ANSWER_BYTES_MAX) {
        return bad(format!("an answer has at most {ANSWER_BYTES_MAX} bytes"));
    }
    let known = |id: &str| asked.packet.questions.iter().any(|question| question.id == id);
    if let Some(id) = reply.answers.keys().find(|id| !known(id)) {
        let ids: Vec<&str> = asked.packet.questions.iter().map(|question| question.id.as_str()).collect();
        return bad(format!("there is no question `{id}`; there are: {}", ids.join(", ")));
    }
    let says = |text: &String| !text.trim().is_empty();
    let has_words = reply.answers.values().chain(&reply.text).any(says);
    match reply.answer {
        Answer::UserInput | Answer::AlternativeApproach if !has_words => {
            bad(format!("`{}` needs words: what is the answer?", reply.answer.as_str()))
        }
        _ => Ok(()),
    }
}

fn resolve(decision: &mut Decision, asked: &Escalation, given: Given<'_>, raised: Option<Raised>) {
    let Given { reply, by, expired } = given;
    let resolution = Resolution {
        answer: reply.answer,
        by: by.to_owned(),
        raised,
        text: reply.text.clone(),
        answers: reply.answers.clone(),
        expired,
    };
    decision.emit(Event::EscalationResolved {
        escalation: asked.id,
        item: asked.item_id,
        run: asked.waiting.and(asked.run_id),
        resolution: Box::new(resolution),
    });
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
fn raise(decision: &mut Decision, asked: &Escalation, given: Given<'_>) -> Result<(), Rejection> {
    let cap = asked.cap.unwrap_or(Cap::History);
    let raised = budget::raised(decision, cap, given.reply.to)
        .ok_or_else(|| Rejection::BadAnswer(format!("that does not raise the {}", cap.as_str())))?;
    let same = |other: &&Escalation| {
        other.id == asked.id || (!matches!(cap, Cap::Share | Cap::ItemTime) && other.cap == Some(cap))
    };
    let answered: Vec<Escalation> = decision.state.open_escalations().filter(same).cloned().collect();
    for asked in answered {
        resolve(decision, &asked, given, Some(raised));
        reopen(decision, &asked);
    }
    Ok(())
}

/// What is done is delivered; what does not run is left out, and so is what is asked about it.
fn finish(decision: &mut Decision, asked: &Escalation, given: Given<'_>) -> Result<(), Rejection> {
    let state = &decision.state;
    let has_work = state.items.iter().any(|item| item.status == ItemStatus::Done);
    if !has_work {
        return Err(Rejection::BadAnswer("nothing is done that could be delivered".to_owned()));
    }
    let idle = |id: ItemId| !state.working().any(|run| run.item_id == Some(id));
    let left = state.items.iter().filter(|item| !item.status.is_settled() && idle(item.id));
    let left: Vec<ItemId> = left.map(|item| item.id).collect();
    let moot = |other: &&Escalation| {
        let is_about = other.item_id.is_some_and(|item| left.contains(&item));
        other.id == asked.id || (is_about && !other.is_request())
    };
    let moot: Vec<Escalation> = state.open_escalations().filter(moot).cloned().collect();
    // What does not work, though its run has not ended: it waits for a person, or did, or for the folder.
    let stands = |run: &&Run| !state.working().any(|working| working.id == run.id);
    let standing: Vec<Run> = state.running().filter(stands).cloned().collect();
    for run in standing {
        converse::withdraw(decision, &run, "what is done was delivered without it");
    }
    for asked in moot {
        resolve(decision, &asked, given, None);
    }
    for item in left {
        decision.emit(Event::ItemSkipped { item, by: given.by.to_owned() });
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
