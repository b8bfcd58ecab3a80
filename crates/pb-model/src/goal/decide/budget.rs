//! Caps: warnings on the way, and what a human is asked when one is reached.

use super::Decision;
use super::escalate::Question;
use crate::goal::cap::Cap;
use crate::goal::escalation::{Answer, EscalationType, Raised};
use crate::goal::event::Event;
use crate::goal::spending::{Amount, MicroUsd, WARN_PERCENT, micro_usd};
use crate::goal::state::{GoalStatus, Item};

const MINUTE_MS: u64 = 60_000;

fn question(decision: &Decision, item: Option<&Item>, cap: Cap) -> Question {
    let goal = &decision.state.goal;
    let spent = goal.spending.settled;
    let root_cause = match cap {
        Cap::Time => {
            let minutes = goal.spec.budget_time_minutes.unwrap_or_default();
            format!("the goal's steps have run for its {minutes} minute(s)")
        }
        Cap::ItemTime => "its models and tools have run as long as they may".to_owned(),
        Cap::Turns => format!("models have answered {} time(s)", goal.spending.turns),
        Cap::History => "the goal's history is as long as it may be".to_owned(),
        Cap::Deadline => "the goal is not done".to_owned(),
        Cap::Tokens | Cap::Cost | Cap::Share | Cap::Call | Cap::Day => {
            let what = if goal.spending.overrun {
                "a call cost more than was put aside for it"
            } else {
                "the next call might break it"
            };
            format!("{what}; {} token(s) and {} are spent", spent.tokens, dollars(spent.micro_usd))
        }
    };
    let current_state = match item {
        Some(item) => format!("item `{}` was stopped at the limit", item.key),
        None if cap == Cap::Deadline && decision.state.running().next().is_some() => {
            "what runs is ended and recorded; nothing new starts".to_owned()
        }
        None if cap == Cap::Deadline => "nothing of it runs".to_owned(),
        None => "planning was stopped at the limit".to_owned(),
    };
    let finish = (Answer::Finish, "deliver what is done, and leave the rest");
    let title = match cap {
        Cap::Deadline => "the deadline has passed".to_owned(),
        _ => format!("the {} is used up", cap.as_str()),
    };
    let mut question = Question::new(
        EscalationType::Budget,
        title,
        current_state,
        root_cause,
        item.map(|_| finish).or((cap == Cap::Deadline).then_some(finish)).as_slice(),
    );
    let raise = match raised(decision, cap, None) {
        Some(raised) => (Answer::Raise, label(raised)),
        None if cap == Cap::Day => (
            Answer::Retry,
            "go on: another day has begun, or you raised the [budget] in config.toml and restarted"
                .to_owned(),
        ),
        None => (Answer::Retry, "go on: you raised goal_events or goal_bytes in config.toml".to_owned()),
    };
    question.options.insert(0, raise);
    question.cap = Some(cap);
    question
}

/// Warns of each cap that is used up to one of the marks, once each.
pub(super) fn warn(decision: &mut Decision) {
    match decision.state.goal.status {
        GoalStatus::Queued | GoalStatus::Active => {}
        GoalStatus::Blocked | GoalStatus::Completed | GoalStatus::Cancelled | GoalStatus::Failed => return,
    }
    warn_of_day(decision);
    for (cap, used) in decision.state.used_percent(decision.moment.now_ms) {
        let told = decision.state.goal.spending.warned.get(&cap).copied().unwrap_or(0);
        let reached = WARN_PERCENT.into_iter().rev().find(|mark| u64::from(*mark) <= used);
        if let Some(percent) = reached.filter(|mark| *mark > told) {
            decision.emit(Event::BudgetWarned { cap, percent });
        }
    }
}

/// Warns of the day's budget in the decision that settles what reaches a mark: so it is told once,
/// whatever goal it is.
fn warn_of_day(decision: &mut Decision) {
    let charged = decision.events.iter().filter_map(|event| match event {
        Event::ModelAnswered { charge, .. } | Event::ModelFailed { charge, .. } => Some(charge.amount),
        _ => None,
    });
    let charged = charged.fold(Amount::default(), Amount::plus);
    let answered =
        decision.events.iter().filter(|event| matches!(event, Event::ModelAnswered { .. })).count();
    let answered = u32::try_from(answered).unwrap_or(u32::MAX);
    let day = &decision.moment.day;
    let before = day.used_percent(Amount::default(), 0);
    let (Some(before), Some(after)) = (before, day.used_percent(charged, answered)) else {
        return;
    };
    let reached = |mark: &u8| before < u64::from(*mark) && u64::from(*mark) <= after;
    if let Some(percent) = WARN_PERCENT.into_iter().rev().find(reached) {
        decision.emit(Event::BudgetWarned { cap: Cap::Day, percent });
    }
}

/// Tells that a cap is reached, and what a human is to be asked.
pub(super) fn exceeded(decision: &mut Decision, item: Option<&Item>, cap: Cap) -> Question {
    decision.emit(Event::BudgetExceeded { item: item.map(|item| item.id), cap });
    question(decision, item, cap)
}

/// What the cap is raised to: what was said, or twice what it is. `None` if it is no cap of the goal, or
/// not raised by that.
pub(super) fn raised(decision: &Decision, cap: Cap, to: Option<f64>) -> Option<Raised> {
    let goal = &decision.state.goal;
    let spec = &goal.spec;
    let whole = |now: u64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let to = to.map_or(now.saturating_mul(2), |to| to as u64);
        (to > now).then_some(to)
    };
    match cap {
        Cap::Tokens => Some(Raised::Tokens(whole(spec.budget_tokens?)?)),
        Cap::Turns => {
            let turns = whole(u64::from(spec.budget_turns?))?;
            Some(Raised::Turns(u32::try_from(turns).unwrap_or(u32::MAX)))
        }
        Cap::Time => Some(Raised::Time(whole(spec.budget_time_minutes?)?)),
        Cap::Cost => {
            let now = micro_usd(spec.budget_cost_usd?);
            let to = to.map_or(now.saturating_mul(2), micro_usd);
            (to > now).then_some(Raised::Cost(to))
        }
        // All that is left of the goal's budget is no amount.
        Cap::Share => to.is_none().then_some(Raised::Share),
        Cap::Call => to.is_none().then_some(Raised::Call),
        Cap::ItemTime => to.is_none().then_some(Raised::ItemTime),
        Cap::Deadline => {
            let now = decision.moment.now_ms;
            let length = spec.deadline_ms?.saturating_sub(goal.created_at_ms).max(MINUTE_MS);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
            let more = to.map_or(length, |minutes| (minutes * 60_000.0) as u64);
            (more > 0).then_some(Raised::Deadline(now.saturating_add(more)))
        }
        Cap::History | Cap::Day => None,
    }
}

fn label(raised: Raised) -> String {
    let (what, to) = match raised {
        Raised::Tokens(tokens) => ("token budget", format!("{tokens} tokens")),
        Raised::Cost(micro_usd) => ("money budget", dollars(micro_usd)),
        Raised::Turns(turns) => ("turn budget", format!("{turns} turns")),
        Raised::Time(minutes) => ("time budget", format!("{minutes} minute(s)")),
        Raised::ItemTime => return "let the item run twice as long".to_owned(),
        Raised::Call => return "let one call cost twice as much".to_owned(),
        Raised::Deadline(_) => {
            return "give it as much time again as it had, or so many minutes from now as you say with --to"
                .to_owned();
        }
        Raised::Share => return "let the item use all that is left of the goal's budget".to_owned(),
    };
    format!("raise the {what} to twice what it is, {to}, or to what you say with --to")
}

fn dollars(micro_usd: MicroUsd) -> String {
    format!("{}.{:06} USD", micro_usd / 1_000_000, micro_usd % 1_000_000)
}
