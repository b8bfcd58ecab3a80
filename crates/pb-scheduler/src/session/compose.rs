//! Putting the next request of a conversation together.

use std::sync::Arc;

use pb_llm::{ChatModel, ChatRequest, Message, Said, estimate};
use pb_model::Tier;
use pb_model::goal::{Caps, GoalState, Hindrance, Next};
use pb_model::session::{Role, Session, SessionGoal, Turn};
use serde::Serialize;

use super::{Talked, tools};
use crate::agent::{self, Prompt};
use crate::effects::{AskedInTalk, Context};

/// Most turns that a model is told.
const TURNS_SENT_MAX: usize = 60;
/// What a conversation asks of a model.
pub(super) const TIER: Tier = Tier::Medium;

/// Puts the next request together, and says what it may cost at most.
pub(crate) async fn compose(context: &Arc<Context>, asked: &AskedInTalk) -> Talked {
    let next = next(context, asked).await;
    Talked::Composed { session: asked.session.id, epoch: context.epoch, next }
}

async fn next(context: &Context, asked: &AskedInTalk) -> Result<Next, Hindrance> {
    let (candidates, request) = request(context, asked).await?;
    agent::offer(context, &candidates, &request, Caps::default())
}

/// The next request, and whom it may go to.
pub(super) async fn request(
    context: &Context,
    asked: &AskedInTalk,
) -> Result<(Vec<Arc<dyn ChatModel>>, ChatRequest), Hindrance> {
    let session = &asked.session;
    let mut candidates = context.models.candidates(TIER, None, context.models.is_day_capped()).await?;
    let first = session.failures as usize % candidates.len().max(1);
    candidates.rotate_left(first);
    let window = candidates.first().map_or(0, |model| agent::window_bytes(model.context_tokens(), None));
    let least = session.turns.iter().filter(|turn| is_pending(session, turn)).count();
    let mut kept = session.turns.len().min(TURNS_SENT_MAX.max(least));
    loop {
        let request = request_of(asked, kept).map_err(|error| agent::host(&error))?;
        if estimate::request_bytes(&request) <= window {
            return Ok((agent::fitting(candidates, &request, None), request));
        }
        if kept <= least {
            return Err(Hindrance::TooLong {
                why: "the message does not fit the model; say it shorter".to_owned(),
            });
        }
        kept = (kept / 2).max(least);
    }
}

/// A request that tells the last `kept` turns, what waits for an answer at its end.
fn request_of(asked: &AskedInTalk, kept: usize) -> Result<ChatRequest, minijinja::Error> {
    let session = &asked.session;
    let left_out = session.turns.len().saturating_sub(kept);
    let system = Prompt::SessionSystem.render(Variables {
        persona: &session.persona,
        workspace: session.workspace.as_deref().unwrap_or(""),
        goals: session.goals.iter().map(|goal| GoalLine::of(goal, &asked.goals)).collect(),
        left_out: session.said.saturating_sub(kept as u64),
    })?;
    let turns = &session.turns[left_out..];
    let answered = turns.iter().filter(|turn| !is_pending(session, turn));
    // What a provider hears first is what a person said.
    let answered = answered.skip_while(|turn| turn.role != Role::User);
    let pending = turns.iter().filter(|turn| is_pending(session, turn));
    let messages =
        std::iter::once(Message::System { text: system }).chain(answered.chain(pending).map(message));
    let output_tokens_max =
        session.spending.reserved.first().map_or(agent::OUTPUT_TOKENS, |held| held.output_tokens);
    Ok(ChatRequest { messages: messages.collect(), tools: tools::specs(), output_tokens_max })
}

fn is_pending(session: &Session, turn: &Turn) -> bool {
    turn.role == Role::User && turn.n > session.answered
}

fn message(turn: &Turn) -> Message {
    let text = turn.content.clone();
    match turn.role {
        Role::User => Message::User { text },
        Role::Assistant => Message::Assistant(Said { text, ..Said::default() }),
        // A goal's summary may repeat what it read anywhere.
        Role::Worker => Message::User { text: agent::untrusted("goal", &text) },
    }
}

#[derive(Serialize)]
struct Variables<'a> {
    persona: &'a pb_model::session::Persona,
    workspace: &'a str,
    goals: Vec<GoalLine<'a>>,
    left_out: u64,
}

/// A goal as the model is told of it.
#[derive(Serialize)]
struct GoalLine<'a> {
    id: String,
    title: &'a str,
    status: &'static str,
    phase: &'static str,
    done: usize,
    items: usize,
}

impl<'a> GoalLine<'a> {
    fn of(goal: &'a SessionGoal, open: &[GoalState]) -> Self {
        let state = open.iter().find(|state| state.goal.id == goal.id);
        let status = state.map(|state| state.goal.status).or(goal.ended);
        Self {
            id: goal.id.to_string(),
            title: &goal.title,
            status: status.map_or("under way", |status| status.as_str()),
            phase: state.map_or("", |state| state.goal.phase.as_str()),
            done: state.map_or(0, |state| state.items.iter().filter(|item| item.status.is_settled()).count()),
            items: state.map_or(0, |state| state.items.len()),
        }
    }
}

#[cfg(test)]
mod tests;
