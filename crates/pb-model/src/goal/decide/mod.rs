//! Deciding: state + command + moment give events, or a rejection. Pure.

mod adding;
mod answer;
mod approve;
mod budget;
mod cancel;
mod conclude;
mod control;
mod converse;
mod escalate;
mod evaluate;
mod intake;
mod outgrow;
mod replan;
mod request;
mod review;
mod run;
mod tick;
mod verify;

use self::intake::Origin;
use super::command::{Command, Moment, Rejection};
use super::conversation::Conversation;
use super::event::Event;
use super::evolve::fold;
use super::state::{GoalState, Item, Run, RunStatus};
use uuid::Uuid;

use crate::{Epoch, EscalationId, RunId};

/// What `command` makes of `state`.
///
/// # Errors
/// Why the command changes nothing; the state stays as it is.
pub fn decide(state: Option<&GoalState>, command: Command, moment: Moment) -> Result<Vec<Event>, Rejection> {
    let command = match command {
        Command::Submit { id, spec, by } => {
            return intake::submit(state, id, *spec, (by, Origin::default()), &moment);
        }
        Command::SubmitScheduled { id, spec, by, of } => {
            let origin = Origin { scheduled: Some(of), ..Origin::default() };
            return intake::submit(state, id, *spec, (by, origin), &moment);
        }
        Command::SubmitFromSession { id, spec, by, session } => {
            let origin = Origin { session: Some(session), ..Origin::default() };
            return intake::submit(state, id, *spec, (by, origin), &moment);
        }
        command => command,
    };
    let state = state.ok_or(Rejection::UnknownGoal)?;
    let mut decision = Decision { state: state.clone(), moment, events: Vec::new() };
    match command {
        Command::Submit { .. } | Command::SubmitScheduled { .. } | Command::SubmitFromSession { .. } => {}
        Command::Refuse { error } => intake::refuse(&mut decision, error)?,
        Command::Plan { items } => intake::plan(&mut decision, &items)?,
        Command::StartPlanning { run, epoch } => intake::start_planning(&mut decision, run, epoch)?,
        Command::WaitFor { workspace, behind } => intake::wait(&mut decision, workspace, behind)?,
        Command::Start { workspace, baseline, kept } => {
            intake::start(&mut decision, (workspace, kept), baseline)?;
        }
        Command::StartRun { item, run, epoch } => run::start(&mut decision, item, run, epoch)?,
        Command::TakeOver { epoch, alive_until_ms } => run::take_over(&mut decision, epoch, alive_until_ms),
        Command::FinishExecution { run, epoch, execution } => {
            run::finish(&mut decision, run, epoch, *execution)?;
        }
        Command::Reserve { run, epoch, next } => converse::reserve(&mut decision, (run, epoch), next)?,
        Command::FinishThinking { run, epoch, n, thought } => {
            converse::thought(&mut decision, (run, epoch), n, *thought)?;
        }
        Command::FinishActing { run, epoch, results, workspace, plan, next } => {
            let ended = converse::Acted { results, workspace, plan, next };
            converse::acted(&mut decision, (run, epoch), ended)?;
        }
        Command::FinishVerification { run, epoch, results, round } => {
            verify::finish(&mut decision, (run, epoch), results, round)?;
        }
        Command::BeginPublish => conclude::begin_publish(&mut decision)?,
        Command::FinishPublish { rechecked, round, artifacts, unlisted } => {
            conclude::finish_publish(&mut decision, &rechecked, round.as_ref(), (artifacts, unlisted))?;
        }
        Command::ClockJumped { by_ms } => tick::jumped(&mut decision, by_ms)?,
        Command::Tick => tick::tick(&mut decision)?,
        Command::Outgrow { events, bytes } => outgrow::outgrow(&mut decision, events, bytes)?,
        Command::Cancel { by, reason } => cancel::cancel(&mut decision, by, reason)?,
        Command::Pause { by } => control::pause(&mut decision, by)?,
        Command::Resume { by, reply } => control::resume(&mut decision, &by, reply)?,
        Command::Answer { escalation, reply, by } => answer::one(&mut decision, escalation, &reply, &by)?,
        Command::Retry { by } => control::retry(&mut decision, by)?,
        Command::RequestApproval { request, by } => request::request(&mut decision, *request, &by)?,
        Command::Prioritize { priority, by } => control::prioritize(&mut decision, priority, by)?,
    }
    budget::warn(&mut decision);
    conclude::conclude(&mut decision);
    Ok(decision.events)
}

/// A decision under way: each event is folded at once, so that what follows sees it.
struct Decision {
    state: GoalState,
    moment: Moment,
    events: Vec<Event>,
}

impl Decision {
    fn emit(&mut self, event: Event) {
        fold(&mut self.state, &event, self.moment.now_ms);
        self.events.push(event);
    }

    /// A fresh id for the next question; one decision may ask several.
    fn next_escalation(&self) -> EscalationId {
        let raised =
            self.events.iter().filter(|event| matches!(event, Event::EscalationCreated { .. })).count();
        EscalationId::from(Uuid::from_u128(
            self.moment.escalation.uuid().as_u128().wrapping_add(raised as u128),
        ))
    }

    /// The running run that `epoch` holds, with its item.
    fn held(&self, run: RunId, epoch: Epoch) -> Result<(Item, Run), Rejection> {
        let run = self.held_run(run, epoch)?;
        let item = run.item_id.ok_or(Rejection::NotNow("the run has no item"))?;
        let item = self.state.item(item).ok_or(Rejection::Fenced)?;
        Ok((item.clone(), run))
    }

    /// The running run that `epoch` holds.
    fn held_run(&self, run: RunId, epoch: Epoch) -> Result<Run, Rejection> {
        let run = self.state.run(run).ok_or(Rejection::Fenced)?;
        if run.status != RunStatus::Running || run.epoch != epoch {
            return Err(Rejection::Fenced);
        }
        Ok(run.clone())
    }

    /// Where the conversation of a run stands now.
    fn conversation(&self, run: RunId) -> Option<&Conversation> {
        self.state.run(run)?.conversation.as_ref()
    }
}

#[cfg(test)]
mod tests;
