//! The part of a turn that is about conversations: an answer and the goal that it makes or cancels, and what happens
//! to that goal and what the conversation is told of it, are one commit each.

use pb_model::goal::{Command, Event, GoalState};
use pb_model::session::{
    Session, SessionCommand, SessionEvent, SessionMoment, SessionRejection, decide, evolve,
};
use pb_model::{GoalId, SessionId};
use pb_protocol::conversation::data;
use pb_store::{NewEvent, Row, Write};

use super::{Papers, Turn};
use crate::goals::Goals;
use crate::session::news;
use crate::trace::of_session;

impl Turn {
    /// Decides a command on a session, in memory, and notes what has to be written.
    pub(crate) fn decide_session(
        &mut self,
        goals: &mut Goals,
        id: SessionId,
        command: SessionCommand,
    ) -> Result<(), SessionRejection> {
        let now_ms = self.clock.now_ms();
        let moment = SessionMoment { now_ms, seed: self.ids.number(), day: goals.day() };
        let before = goals.sessions().get(id);
        let events = decide(before, command, &moment)?;
        let mut state = before.cloned();
        let mut appended = Vec::with_capacity(events.len());
        for event in &events {
            let stood = state.clone().filter(|_| self.notes.is_some());
            state = evolve(state, event, now_ms);
            if let Some(state) = &state {
                if let Some(notes) = &mut self.notes {
                    of_session(event, stood.as_ref(), state, now_ms, notes);
                }
                appended.push(self.record_session(event, state, now_ms));
            }
        }
        let Some(session) = state.filter(|_| !appended.is_empty()) else {
            return Ok(());
        };
        self.batch.writes.push(Write::SessionEvents { session: id, events: appended });
        self.batch.writes.push(Write::Row(Row::Session(Box::new(session.clone()))));
        if events.iter().any(|event| matches!(event, SessionEvent::Compacted { .. })) {
            self.batch.writes.push(Write::ForgetSession { session: id });
        }
        let by = session.created_by.clone();
        goals.put_session(session);
        for event in events {
            match event {
                SessionEvent::MadeGoal { goal, spec, .. } => {
                    let command =
                        Command::SubmitFromSession { id: goal.id, spec, by: by.clone(), session: id };
                    self.on_goal(goals, goal.id, command);
                }
                SessionEvent::Responded { cancels: Some(goal), .. } => {
                    self.on_goal(goals, goal, Command::Cancel { by: by.clone(), reason: None });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What an answer does to a goal. One that cannot be done is told in the conversation.
    fn on_goal(&mut self, goals: &mut Goals, goal: GoalId, command: Command) {
        let session = match &command {
            Command::SubmitFromSession { session, .. } => Some(*session),
            _ => goals.get(goal).and_then(|state| state.goal.session),
        };
        let Err(rejection) = self.decide(goals, goal, command, &Papers::default()) else { return };
        tracing::warn!(%goal, %rejection, "what was said in a conversation cannot be done");
        let Some(session) = session else { return };
        let tell = SessionCommand::Tell { goal, text: rejection.to_string(), ended: None };
        self.tell_session(goals, session, tell);
    }

    /// Tells the conversation in which a goal was made what happened to it.
    pub(super) fn tell_news(&mut self, goals: &mut Goals, events: &[Event], state: &GoalState) {
        let Some(session) = state.goal.session else { return };
        for tell in events.iter().filter_map(|event| news(event, state)) {
            self.tell_session(goals, session, tell);
        }
    }

    fn tell_session(&mut self, goals: &mut Goals, session: SessionId, tell: SessionCommand) {
        // It has ended meanwhile: the goal's own end is told where goals are.
        if let Err(rejection) = self.decide_session(goals, session, tell) {
            tracing::debug!(%session, %rejection, "a conversation is not told");
        }
    }

    fn record_session(&self, event: &SessionEvent, state: &Session, at_ms: u64) -> NewEvent {
        NewEvent {
            id: self.ids.uuid().to_string(),
            at_ms,
            kind: event.kind().to_owned(),
            // A fact is plain data: maps with string keys, strings and numbers.
            body: serde_json::to_string(event).unwrap_or_default(),
            data: data(event, state, at_ms).to_string(),
        }
    }
}
