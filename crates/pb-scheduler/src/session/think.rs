//! Calling the model of a conversation, and making something of its answer.

use std::sync::Arc;

use pb_llm::{Answer, ChatModel, Delta, Finish, estimate, router};
use pb_model::GoalId;
use pb_model::goal::AfterFailure;
use pb_model::session::{Heard, Reply, Session, SessionThought};
use pb_model::spec::GoalSpec;
use tokio_util::sync::CancellationToken;

use super::Talked;
use super::compose::{TIER, request};
use super::tools::Intent;
use crate::agent;
use crate::commands;
use crate::effects::{AskedInTalk, Context};
use crate::link::{CallIds, DeltaStream, Saying};
use crate::trace::{About, Asking, traced};

/// Calls the model; `n` is the call's number in the session. `None` if nobody wants it any more.
pub(crate) async fn think(context: &Arc<Context>, asked: &AskedInTalk, n: u32) -> Option<Talked> {
    let session = &asked.session;
    let thought = match request(context, asked).await {
        Ok((candidates, request)) => {
            call(context, (session, n), (candidates, request), &asked.cancel).await?
        }
        Err(hindrance) => failed(String::new(), hindrance.to_string(), AfterFailure::Nothing, false),
    };
    Some(Talked::Thought { session: session.id, epoch: context.epoch, n, thought: Box::new(thought) })
}

async fn call(
    context: &Context,
    (session, n): (&Session, u32),
    (candidates, request): (Vec<Arc<dyn ChatModel>>, pb_llm::ChatRequest),
    cancel: &CancellationToken,
) -> Option<SessionThought> {
    let first = candidates.first().map(|model| model.name().to_owned()).unwrap_or_default();
    let id = session.id.to_string();
    let ids =
        CallIds { goal: id.clone(), item: None, request: format!("{id}.{n}.{}", context.epoch), run: id };
    let asking = Asking {
        tracer: context.tracer.clone(),
        about: About::session_call(session.id, n, context.epoch),
        tier: TIER,
    };
    let told = traced(&asking, &candidates, &request);
    let mut stream = DeltaStream::start(context.link.clone(), ids, &first);
    let mut listener = |delta: Delta| match delta {
        Delta::Text(text) => stream.push(Saying::Text, &text),
        Delta::Thought(text) => stream.push(Saying::Thought, &text),
        Delta::Call => {} // Told when it is made.
    };
    let answered = tokio::select! {
        answered = router::call(context.models.cooldown(), &told, &request, &mut listener) => answered,
        () = cancel.cancelled() => return None,
    };
    Some(match answered {
        Ok(answer) => {
            let tokens = answer.usage.map(|usage| usage.input_tokens + usage.output_tokens);
            stream.end(tokens, agent::finish_word(answer.finish));
            if let Some(usage) = answer.usage
                && let Some(ratio) = estimate::tokens_per_byte(usage, estimate::request_bytes(&request))
            {
                context.models.note_ratio(&answer.model, ratio);
            }
            heard(context, session, &candidates, answer).await
        }
        Err(error) => {
            stream.fail(&error.to_string());
            let model = error.error().map_or(first, |error| error.model.clone());
            failed(model, error.to_string(), agent::after_failure(&error, &request), error.may_be_charged())
        }
    })
}

fn failed(model: String, error: String, then: AfterFailure, charged: bool) -> SessionThought {
    SessionThought { model, used: None, heard: Heard::Failed { error, then, charged } }
}

async fn heard(
    context: &Context,
    session: &Session,
    candidates: &[Arc<dyn ChatModel>],
    answer: Answer,
) -> SessionThought {
    let used = agent::used(&answer, candidates);
    let heard = match Intent::of(&answer.said, session) {
        Ok(intent) => Heard::Answered(reply(context, session, intent, answer.finish).await),
        Err(error) => Heard::Failed { error, then: AfterFailure::Again { after_ms: None }, charged: true },
    };
    SessionThought { model: answer.model, used, heard }
}

/// What is said, or done, in the end: a goal only if it would be taken.
async fn reply(context: &Context, session: &Session, intent: Intent, finish: Finish) -> Reply {
    match intent {
        Intent::Say { mut text, asks } => {
            if finish == Finish::Length {
                text.push('…');
            }
            Reply::Said { text, asks }
        }
        Intent::CancelGoal { text, goal } => Reply::CancelledGoal { text, goal },
        Intent::MakeGoal { text, title, goal } => {
            let spec = GoalSpec { workspace: session.workspace.clone(), ..GoalSpec::in_words(title, goal) };
            match commands::objection(context, &spec).await {
                None => {
                    let goal = GoalId::from(context.config.ids.uuid());
                    Reply::MadeGoal { text, goal, spec: Box::new(spec) }
                }
                Some(why) => {
                    Reply::Said { text: format!("That cannot be made a goal here: {why}"), asks: false }
                }
            }
        }
    }
}
