//! Putting the next request of a conversation together, and saying what it may cost at most.

use std::sync::{Arc, PoisonError};

use pb_llm::{ChatModel, ChatRequest, Message, ToolSpec, Usage, estimate};
use pb_model::goal::{
    Amount, Caps, Condensed, Condensing, GoalState, Hindrance, Item, Next, REPEATS_MAX, Run, Rung,
    STALE_TURNS_MAX, Telling,
};
use pb_model::spec::{AgentSpec, Work};
use pb_model::{RunId, Tier};
use pb_tools::{Allowed, Registry};
use serde::Serialize;

use super::add::{self, AddItems};
use super::ask::{self, AskPerson};
use super::condense::{self, Told};
use super::plan::{self, SubmitPlan};
use super::prompts::Prompt;
use super::review::{self, SubmitReview, review_task};
use super::talk::Talk;
use super::task::{StillCounts, agent_task, plan_task, still_counts};
use crate::effects::{Context, Done};

/// Most tokens of one answer, where the goal's caps allow them.
pub(crate) const OUTPUT_TOKENS: u32 = 8 * 1024;
/// Fewer are of no use: a cap that leaves less is used up.
const OUTPUT_TOKENS_MIN: u64 = 256;
/// What a provider adds to a request by itself, in tokens: how tools are told, roles, marks.
const OVERHEAD_TOKENS: u64 = 512;
/// Which part of a small model's window is kept for its answer.
const ANSWER_PART: u64 = 4;
/// Fewest tokens of a byte of text.
const TOKENS_PER_BYTE_LEAST: f64 = 0.125;

/// Puts the next request of a run together.
pub(crate) async fn compose(context: &Arc<Context>, state: &GoalState, run: RunId) -> Option<Done> {
    let run = state.run(run)?;
    let next = match journal(context, run).await {
        Ok(talk) => next(context, state, run, &talk).await,
        Err(hindrance) => Err(hindrance),
    };
    Some(Done::Composed { goal: state.goal.id, run: run.id, epoch: run.epoch, next })
}

/// The conversation of a run so far.
pub(super) async fn journal(context: &Context, run: &Run) -> Result<Talk, Hindrance> {
    let talk = context.talks.take(run);
    let steps = context.log.steps_of_run(run.id, talk.folded()).await.map_err(|error| host(&error))?;
    let talk = talk.fold_on(&steps).map_err(|error| host(&error))?;
    context.talks.keep(run, &talk);
    Ok(talk)
}

pub(crate) fn host(error: &dyn std::error::Error) -> Hindrance {
    Hindrance::Host { why: error.to_string() }
}

/// What the next call may cost at most.
pub(super) async fn next(
    context: &Context,
    state: &GoalState,
    run: &Run,
    talk: &Talk,
) -> Result<Next, Hindrance> {
    context.may_confine(run)?;
    let candidates = candidates(context, state, run).await?;
    let first = candidates.first().map(Arc::as_ref).ok_or_else(no_candidate)?;
    let condensing = condensing(state, run, talk, first)?;
    let how = condensing.map_or_else(|| condensed(run), |condensing| condensing.condensed);
    let request = request(state, run, talk, how)?.0;
    let candidates = fitting(candidates, &request, talk.ratio);
    Ok(Next { condensing, ..offer(context, &candidates, &request, state.left_for(run.item_id))? })
}

/// What a call with this request may cost at most, and how long its answer may be where so much is left.
pub(crate) fn offer(
    context: &Context,
    candidates: &[Arc<dyn ChatModel>],
    request: &ChatRequest,
    left: Caps,
) -> Result<Next, Hindrance> {
    let first = candidates.first().ok_or_else(no_candidate)?;
    let bytes = estimate::request_bytes(request);
    let input_tokens = candidates
        .iter()
        .map(|model| estimate::prompt_tokens_upper_bound(bytes, context.models.ratio(model.name())))
        .max()
        .unwrap_or_default()
        .saturating_add(OVERHEAD_TOKENS);
    let bound = |output_tokens: u64| Amount {
        tokens: input_tokens.saturating_add(output_tokens),
        micro_usd: dearest(candidates, Usage { input_tokens, output_tokens }),
    };
    let today = *context.day_left.lock().unwrap_or_else(PoisonError::into_inner);
    let most = candidates.iter().map(|model| answer_tokens(model.context_tokens())).min().unwrap_or(0);
    let output_tokens = affordable(left.lower(today), most, bound);
    Ok(Next {
        model: first.name().to_owned(),
        other_model: other_model(candidates),
        amount: bound(output_tokens),
        output_tokens: u32::try_from(output_tokens).unwrap_or(u32::MAX),
        request_hash: digest(request),
        unpriced: candidates.iter().any(|model| model.price().is_none()),
        condensing: None,
    })
}

fn no_candidate() -> Hindrance {
    Hindrance::Host { why: "there is no model to ask".to_owned() }
}

/// What of the conversation is told in short so far.
pub(super) fn condensed(run: &Run) -> Condensed {
    run.conversation.as_ref().map_or_else(Condensed::default, |talk| talk.condensed)
}

/// What is to be told in short from now on, if the request would not fit who is asked first.
fn condensing(
    state: &GoalState,
    run: &Run,
    talk: &Talk,
    model: &dyn ChatModel,
) -> Result<Option<Condensing>, Hindrance> {
    let refused = run.conversation.as_ref().and_then(|talk| talk.refused_bytes);
    let window = window_bytes(model.context_tokens(), talk.ratio);
    // One that was refused was longer than anybody thought.
    let limit = window.min(refused.map_or(u64::MAX, |bytes| bytes / 2));
    let now = condensed(run);
    // Whatever hinders a request is found again when it is put together in the end.
    let size = |how: Condensed| match request(state, run, talk, how) {
        Ok((request, _)) => estimate::request_bytes(&request),
        Err(_) => 0,
    };
    let found = condense::fit(talk, now, limit, size).map_err(|least| too_long(model, least, talk.ratio))?;
    Ok(found.map(|condensed| {
        let (turns, results) = condense::counted(talk, condensed);
        Condensing { condensed, turns, results, bytes: size(now).saturating_sub(size(condensed)) }
    }))
}

fn too_long(model: &dyn ChatModel, bytes: u64, ratio: Option<f64>) -> Hindrance {
    let (name, window) = (model.name(), model.context_tokens());
    let tokens = estimate::prompt_tokens_upper_bound(bytes, least(ratio)).saturating_add(OVERHEAD_TOKENS);
    Hindrance::TooLong {
        why: format!(
            "the task does not fit the model `{name}`: with everything left out that can be, the request may have \
             {tokens} tokens, and the model takes in {window}, {} of them for its answer; nothing was asked; make \
             the task shorter, or name a model that takes in more; if this one does, say so in config.toml: \
             [context_tokens] \"{name}\" = …",
            answer_tokens(window)
        ),
    }
}

/// Most bytes of a request to a model that takes in so many tokens.
pub(crate) fn window_bytes(context_tokens: u64, ratio: Option<f64>) -> u64 {
    let tokens = context_tokens.saturating_sub(answer_tokens(context_tokens)).saturating_sub(OVERHEAD_TOKENS);
    estimate::request_bytes_at_most(tokens, least(ratio))
}

/// No text has fewer tokens, whatever a provider says that it counted.
fn least(ratio: Option<f64>) -> Option<f64> {
    ratio.map(|ratio| ratio.max(TOKENS_PER_BYTE_LEAST))
}

/// What is kept of a model's window for its answer, in tokens.
fn answer_tokens(context_tokens: u64) -> u64 {
    u64::from(OUTPUT_TOKENS).min(context_tokens / ANSWER_PART)
}

/// Those that can take the request in; who is asked first can.
pub(crate) fn fitting(
    mut candidates: Vec<Arc<dyn ChatModel>>,
    request: &ChatRequest,
    ratio: Option<f64>,
) -> Vec<Arc<dyn ChatModel>> {
    let bytes = estimate::request_bytes(request);
    let first = candidates.first().map(|model| model.name().to_owned());
    candidates.retain(|model| {
        Some(model.name()) == first.as_deref() || bytes <= window_bytes(model.context_tokens(), ratio)
    });
    candidates
}

/// Who could be asked instead of the first.
fn other_model(candidates: &[Arc<dyn ChatModel>]) -> Option<String> {
    let first = candidates.first()?.name();
    candidates.iter().map(|model| model.name()).find(|name| *name != first).map(str::to_owned)
}

/// Digest of everything that is said and offered (blake3, hex).
fn digest(request: &ChatRequest) -> String {
    let mut hasher = blake3::Hasher::new();
    // Messages and tools are plain data; writing them into a hasher does not fail.
    let _ = serde_json::to_writer(&mut hasher, &(&request.messages, &request.tools));
    hasher.finalize().to_hex().to_string()
}

/// The longest answer of at most `most` tokens that the caps leave room for; the shortest that is of use if they leave none, and
/// then the decision says which cap is used up.
fn affordable(left: Caps, most: u64, bound: impl Fn(u64) -> Amount) -> u64 {
    let fits = |output_tokens: &u64| {
        let amount = bound(*output_tokens);
        left.tokens.is_none_or(|cap| amount.tokens <= cap)
            && left.micro_usd.is_none_or(|cap| amount.micro_usd <= cap)
    };
    let halves = std::iter::successors(Some(most), |tokens| Some(tokens / 2));
    halves.take_while(|tokens| *tokens > OUTPUT_TOKENS_MIN).find(fits).unwrap_or(OUTPUT_TOKENS_MIN)
}

fn dearest(candidates: &[Arc<dyn ChatModel>], usage: Usage) -> u64 {
    candidates.iter().filter_map(|model| model.price()).map(|price| price.cost(usage)).max().unwrap_or(0)
}

/// Who is asked, the preferred one first; after a failure another one is.
pub(super) async fn candidates(
    context: &Context,
    state: &GoalState,
    run: &Run,
) -> Result<Vec<Arc<dyn ChatModel>>, Hindrance> {
    let agent = run.item_id.and_then(|item| state.item(item)).and_then(agent_of);
    let review = review::task(state, run);
    let tier = agent.map(|agent| agent.tier).or(review.as_ref().map(|review| review.tier));
    let tier = tier.unwrap_or(Tier::Medium);
    let named = agent.and_then(|agent| agent.model.as_deref());
    let named = named.or(review.and_then(|review| review.model)).or(state.goal.spec.model.as_deref());
    let capped = context.models.is_capped(&state.goal.spec, agent);
    let mut candidates = context.models.candidates(tier, named, capped).await?;
    let failures = run.conversation.as_ref().map_or(0, |talk| talk.failures as usize);
    let first = failures % candidates.len().max(1);
    candidates.rotate_left(first);
    // Who went round in circles is asked only if nobody else answers.
    let avoided = run.conversation.as_ref().map_or(&[][..], |talk| &talk.watch.avoided);
    candidates.sort_by_key(|model| avoided.iter().any(|name| name == model.name()));
    Ok(candidates)
}

pub(super) fn agent_of(item: &Item) -> Option<&AgentSpec> {
    match &item.work {
        Work::Agent(agent) => Some(agent),
        Work::Command(_) => None,
    }
}

/// The request for a run with so much told in short, and the messages that it adds to the conversation.
pub(super) fn request(
    state: &GoalState,
    run: &Run,
    talk: &Talk,
    how: Condensed,
) -> Result<(ChatRequest, Vec<Message>), Hindrance> {
    let item = run.item_id.and_then(|item| state.item(item));
    let added = match item {
        Some(item) if talk.is_new() => {
            opening(Prompt::AgentSystem, Prompt::AgentTask, agent_task(state, item))
        }
        None if talk.is_new() && run.reviews.is_some() => {
            let Some(reviewing) = review::task(state, run) else {
                return Err(Hindrance::Host { why: "there is nothing to review".to_owned() });
            };
            opening(Prompt::ReviewSystem, Prompt::ReviewTask, review_task(state, &reviewing))
        }
        None if talk.is_new() => opening(Prompt::PlanSystem, Prompt::PlanTask, plan_task(state, run)),
        _ if let Some(telling) = telling(run) => guard_told(telling),
        Some(_) if talk.is_idle() => nudge(Prompt::AgentNudge),
        None if talk.is_idle() && run.reviews.is_some() => nudge(Prompt::ReviewNudge),
        None if talk.is_idle() => nudge(Prompt::PlanNudge),
        Some(_) | None => Ok(Vec::new()),
    }
    .map_err(|error| host(&error))?;
    let tell = |told: Told| {
        let Told { lines, left_out } = told;
        Prompt::Condensed.render(CondensedVariables {
            lines,
            left_out,
            counts: still_counts(state, item, run.reviews.is_some()),
        })
    };
    let mut messages = condense::messages(talk, how, tell).map_err(|error| host(&error))?;
    messages.extend(added.iter().cloned());
    let reserved = state.goal.spending.reserved.iter().find(|held| held.run == run.id);
    let output_tokens_max = reserved.map_or(OUTPUT_TOKENS, |held| held.output_tokens);
    Ok((ChatRequest { messages, tools: tools(state, run), output_tokens_max }, added))
}

fn opening(
    system: Prompt,
    task: Prompt,
    variables: impl Serialize,
) -> Result<Vec<Message>, minijinja::Error> {
    let system = system.render(())?;
    Ok(vec![Message::System { text: system }, Message::User { text: task.render(variables)? }])
}

fn telling(run: &Run) -> Option<&Telling> {
    run.conversation.as_ref()?.watch.telling.as_ref()
}

/// What a guard saw, for the model.
fn guard_told(telling: &Telling) -> Result<Vec<Message>, minijinja::Error> {
    let tool = match &telling.rung {
        Rung::DropTool { tool } => tool.as_str(),
        Rung::Nudge | Rung::OtherModel { .. } | Rung::Escalate => "",
    };
    let text = Prompt::Guard.render(GuardVariables {
        guard: telling.guard.as_str(),
        rung: telling.rung.as_str(),
        tool,
        repeats: REPEATS_MAX,
        stale_turns: STALE_TURNS_MAX,
    })?;
    Ok(vec![Message::User { text }])
}

#[derive(Serialize)]
struct GuardVariables<'a> {
    guard: &'a str,
    rung: &'a str,
    tool: &'a str,
    repeats: usize,
    stale_turns: u32,
}

#[derive(Serialize)]
struct CondensedVariables<'a> {
    lines: Vec<String>,
    left_out: usize,
    #[serde(flatten)]
    counts: StillCounts<'a>,
}

fn nudge(prompt: Prompt) -> Result<Vec<Message>, minijinja::Error> {
    Ok(vec![Message::User { text: prompt.render(())? }])
}

/// What a run may call: what its plan says, without the tools that a guard took away.
pub(super) fn registry(state: &GoalState, run: &Run) -> (Registry, Allowed) {
    let (registry, allowed) = planned_tools(state, run);
    let dropped = run.conversation.as_ref().map_or(&[][..], |talk| &talk.watch.dropped);
    (registry, allowed.without(dropped.iter().cloned()))
}

fn planned_tools(state: &GoalState, run: &Run) -> (Registry, Allowed) {
    let agent = run.item_id.and_then(|item| state.item(item)).and_then(agent_of);
    match agent {
        Some(agent) => {
            let adds = add::adder(state, run).is_some();
            let registry = if adds { Registry::builtin().with(AddItems) } else { Registry::builtin() };
            if agent.tools.is_empty() {
                return (registry, Allowed::everything());
            }
            let own = [pb_tools::FINISH, pb_model::goal::ADD_ITEMS].map(str::to_owned);
            (registry, Allowed::only(agent.tools.iter().cloned().chain(own)))
        }
        None if run.reviews.is_some() => {
            let names = plan::LOOKING.into_iter().chain([pb_model::goal::SUBMIT_REVIEW]);
            (Registry::builtin().with(SubmitReview), Allowed::only(names))
        }
        None => {
            let looking = plan::folder(state).is_some();
            let names =
                plan::LOOKING.iter().filter(|_| looking).copied().chain([pb_model::goal::SUBMIT_PLAN]);
            let asking = ask::may_ask(state, run).then_some(pb_model::goal::ASK_PERSON);
            (Registry::builtin().with(AskPerson).with(SubmitPlan), Allowed::only(names.chain(asking)))
        }
    }
}

fn tools(state: &GoalState, run: &Run) -> Vec<ToolSpec> {
    let (registry, allowed) = registry(state, run);
    let spec = |(name, description, schema): (&str, &str, serde_json::Value)| ToolSpec {
        name: name.to_owned(),
        description: description.to_owned(),
        schema,
    };
    registry.specs(&allowed).into_iter().map(spec).collect()
}

#[cfg(test)]
mod tests;
