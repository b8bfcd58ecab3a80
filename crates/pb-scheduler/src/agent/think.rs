//! Calling the model of a run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pb_llm::{Answer, ChatModel, ChatRequest, Delta, Failed, Finish, Message, estimate, router};
use pb_model::goal::{AfterFailure, Call, GoalState, Hindrance, Run, Thought, ThoughtOutcome, Used};
use pb_model::{Effect, RunId, Tier};
use tokio_util::sync::CancellationToken;

use super::compose::{agent_of, candidates, condensed, fitting, journal, registry, request};
use super::journal::ModelStep;
use super::prompts;
use crate::effects::{Context, Done};
use crate::link::{CallIds, DeltaStream, Saying};
use crate::trace::{About, Asking, traced};

/// Beginning of the model's words that an event carries, in bytes.
pub(super) const TOLD_BYTES_MAX: usize = 2 * 1024;

/// Calls the model: the call's place in the journal is `n`.
pub(crate) async fn think(
    context: &Arc<Context>,
    state: &GoalState,
    (run, n): (RunId, u32),
    cancel: &CancellationToken,
) -> Option<Done> {
    let run = state.run(run)?;
    let started = Instant::now();
    let asked = match ask(context, state, run).await {
        Ok(asked) => call(context, state, (run, n), asked, cancel).await,
        Err(hindrance) => (hindered(&hindrance), step("nothing was asked", String::new())),
    };
    let (mut thought, step) = asked;
    thought.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let paper = serde_json::to_string(&step).unwrap_or_default();
    Some(Done::Thought {
        goal: state.goal.id,
        run: run.id,
        epoch: run.epoch,
        n,
        thought: Box::new(thought),
        paper,
    })
}

/// A request that is ready, with whom it may go to.
struct Asked {
    candidates: Vec<Arc<dyn ChatModel>>,
    request: ChatRequest,
    added: Vec<Message>,
}

async fn ask(context: &Context, state: &GoalState, run: &Run) -> Result<Asked, Hindrance> {
    let talk = journal(context, run).await?;
    let candidates = candidates(context, state, run).await?;
    let (request, added) = request(state, run, &talk, condensed(run))?;
    let candidates = fitting(candidates, &request, talk.ratio);
    Ok(Asked { candidates, request, added })
}

async fn call(
    context: &Context,
    state: &GoalState,
    (run, n): (&Run, u32),
    asked: Asked,
    cancel: &CancellationToken,
) -> (Thought, ModelStep) {
    let first = asked.candidates.first().map(|model| model.name().to_owned()).unwrap_or_default();
    let ids = CallIds {
        goal: state.goal.id.to_string(),
        item: run.item_id,
        run: run.id.to_string(),
        request: format!("{}.{n}.{}", run.id, run.epoch),
    };
    let tier = run.item_id.and_then(|item| state.item(item)).and_then(agent_of).map(|agent| agent.tier);
    let asking = Asking {
        tracer: context.tracer.clone(),
        about: About::step(run, n),
        tier: tier.unwrap_or(Tier::Medium),
    };
    let candidates = traced(&asking, &asked.candidates, &asked.request);
    let mut stream = DeltaStream::start(context.link.clone(), ids, &first);
    let mut listener = |delta: Delta| match delta {
        Delta::Text(text) => stream.push(Saying::Text, &text),
        Delta::Thought(text) => stream.push(Saying::Thought, &text),
        Delta::Call => {} // Told when it is made.
    };
    let now = context.config.clock.now_ms();
    let left = state.step_time_left_ms(run.item_id, now).unwrap_or(u64::MAX);
    let answered = tokio::select! {
        answered = router::call(context.models.cooldown(), &candidates, &asked.request, &mut listener) => answered,
        () = cancel.cancelled() => return stopped(first),
        () = tokio::time::sleep(Duration::from_millis(left.min(MONTH_MS))) => return stopped(first),
    };
    match answered {
        Ok(answer) => {
            let used = answer.usage.map(|usage| usage.input_tokens + usage.output_tokens);
            stream.end(used, finish_word(answer.finish));
            heard(context, state, run, asked, answer)
        }
        Err(failed) => {
            stream.fail(&failed.to_string());
            let model = failed.error().map_or(first, |error| error.model.clone());
            let step = step(&failed.to_string(), String::new());
            let then = after_failure(&failed, &asked.request);
            let outcome =
                ThoughtOutcome::Failed { error: failed.to_string(), then, charged: failed.may_be_charged() };
            (Thought { model, usage: None, outcome, duration_ms: 0 }, step)
        }
    }
}

/// Timers reach no further than a few years; a month is long enough for any budget.
const MONTH_MS: u64 = 31 * 24 * 60 * 60 * 1000;

fn stopped(model: String) -> (Thought, ModelStep) {
    let thought = Thought { model, usage: None, outcome: ThoughtOutcome::Stopped, duration_ms: 0 };
    (thought, step("it was stopped", String::new()))
}

fn hindered(hindrance: &Hindrance) -> Thought {
    let (error, then) = match hindrance {
        Hindrance::NoModel { .. } | Hindrance::Unusable { .. } | Hindrance::Unconfined { .. } => {
            (hindrance.to_string(), AfterFailure::Human)
        }
        Hindrance::TooLong { why } | Hindrance::Host { why } => (why.clone(), AfterFailure::Nothing),
    };
    let outcome = ThoughtOutcome::Failed { error, then, charged: false };
    Thought { model: String::new(), usage: None, outcome, duration_ms: 0 }
}

/// What is to be done after a call failed.
pub(crate) fn after_failure(failed: &Failed, request: &ChatRequest) -> AfterFailure {
    use pb_llm::CallErrorKind as Kind;
    match failed.error().map(|error| error.kind) {
        Some(Kind::Unauthorized | Kind::QuotaExhausted) => AfterFailure::Human,
        Some(Kind::ContextOverflow) => AfterFailure::Shorter { bytes: estimate::request_bytes(request) },
        Some(kind) if kind.is_retriable() => AfterFailure::Again {
            after_ms: failed.retry_after().map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        },
        Some(_) | None => AfterFailure::Nothing,
    }
}

/// What an answer of one of these used, if the provider tells it.
pub(crate) fn used(answer: &Answer, candidates: &[Arc<dyn ChatModel>]) -> Option<Used> {
    let price = candidates.iter().find(|model| model.name() == answer.model).and_then(|model| model.price());
    answer.usage.map(|usage| Used {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        micro_usd: price.map_or(0, |price| price.cost(usage)),
        unpriced: price.is_none(),
    })
}

/// The model answered: what it used and what it calls, for the decision; all of it, for the journal.
fn heard(
    context: &Context,
    state: &GoalState,
    run: &Run,
    asked: Asked,
    answer: Answer,
) -> (Thought, ModelStep) {
    if let Some(usage) = answer.usage
        && let Some(ratio) = estimate::tokens_per_byte(usage, estimate::request_bytes(&asked.request))
    {
        context.models.note_ratio(&answer.model, ratio);
    }
    let usage = used(&answer, &asked.candidates);
    let calls: Vec<Call> = calls(state, run, &answer);
    let text = beginning(&answer.said.text, TOLD_BYTES_MAX);
    let step = ModelStep {
        found: told(&answer),
        output: output(&answer, &calls),
        request: asked.added,
        said: Some(answer.said),
        finish: Some(answer.finish),
        usage: answer.usage,
        request_bytes: estimate::request_bytes(&asked.request),
        prompts: prompts::version().to_owned(),
    };
    let cut_short = answer.finish == Finish::Length;
    let outcome = ThoughtOutcome::Answered { cut_short, calls, text };
    (Thought { model: answer.model, usage, outcome, duration_ms: 0 }, step)
}

/// What is called, and what repeating each call would mean. A call that will be denied has no effect.
fn calls(state: &GoalState, run: &Run, answer: &Answer) -> Vec<Call> {
    let (registry, allowed) = registry(state, run);
    let item_effect = run
        .item_id
        .and_then(|item| state.item(item))
        .and_then(agent_of)
        .map_or(Effect::Unsafe, |agent| agent.effect);
    let call = |call: &pb_llm::ToolCall| {
        let approved = pb_tools::policy::approve(&registry, &allowed, &call.name, call.arguments.clone());
        let (effect, title) = match &approved {
            Ok(approved) => (approved.effect(item_effect), approved.title()),
            Err(_) => (Effect::Pure, String::new()),
        };
        let arguments = call.arguments.to_string();
        let mut hasher = blake3::Hasher::new();
        hasher.update(call.name.as_bytes()).update(b"\0").update(arguments.as_bytes());
        Call {
            n: 0,
            id: call.id.clone(),
            tool: call.name.clone(),
            title,
            effect,
            digest: hasher.finalize().to_hex().to_string(),
            again: false,
            held: false,
        }
    };
    answer.said.calls.iter().map(call).collect()
}

fn told(answer: &Answer) -> String {
    let tokens = match answer.usage {
        Some(usage) => format!("{} + {} tokens", usage.input_tokens, usage.output_tokens),
        None => "tokens unknown".to_owned(),
    };
    format!("{} answered: {}, {tokens}", answer.model, finish_word(answer.finish))
}

/// The answer as people read it in the journal.
fn output(answer: &Answer, calls: &[Call]) -> String {
    let mut parts = Vec::new();
    if !answer.said.thought.is_empty() {
        parts.push(format!("(thinking) {}", answer.said.thought));
    }
    if !answer.said.text.is_empty() {
        parts.push(answer.said.text.clone());
    }
    let calls = answer.said.calls.iter().zip(calls);
    parts.extend(calls.map(|(said, call)| format!("-> {} {}", call.tool, said.arguments)));
    parts.join("\n")
}

fn step(found: &str, output: String) -> ModelStep {
    ModelStep {
        found: found.to_owned(),
        output,
        request: Vec::new(),
        said: None,
        finish: None,
        usage: None,
        request_bytes: 0,
        prompts: prompts::version().to_owned(),
    }
}

pub(crate) fn finish_word(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::ToolCalls => "tool_calls",
        Finish::Length => "length",
        Finish::Refused => "refused",
        Finish::Other => "other",
    }
}

/// The first bytes of a text, cut where a character ends.
pub(super) fn beginning(text: &str, bytes: usize) -> String {
    text.split_at(text.floor_char_boundary(bytes)).0.to_owned()
}
