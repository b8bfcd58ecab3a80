//! Models whose calls are told: each attempt is a span of its own, below the step that asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use pb_llm::{Answer, CallError, ChatModel, ChatRequest, Listener, Price, Usage};
use pb_model::Tier;
use serde_json::json;

use super::content::{Name, Text};
use super::data::Plain;
use super::messages::{Messages, Reply};
use super::{About, Tracer, What};
use crate::agent::finish_word;

/// OpenTelemetry's word for a request to a model.
const OPERATION: &str = "chat";

/// On whose behalf models are asked.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) tracer: Tracer,
    /// The step.
    pub(crate) about: About,
    pub(crate) tier: Tier,
}

/// Tells that these models, the preferred one first, are about to be asked. Gives the same models; their
/// calls are told.
pub(crate) fn traced(
    asking: &Asking,
    candidates: &[Arc<dyn ChatModel>],
    request: &ChatRequest,
) -> Vec<Arc<dyn ChatModel>> {
    let name = |place: usize| candidates.get(place).map(|model| Name::new(model.name()));
    asking.tracer.tell(asking.about, || What::TierRequest {
        tier: asking.tier,
        primary: name(0),
        fallback: name(1),
        messages: request.messages.len(),
    });
    let before = Arc::new(Mutex::new(Made::default()));
    let traced = |model: &Arc<dyn ChatModel>| {
        let (asking, model, made) = (asking.clone(), Arc::clone(model), Arc::clone(&before));
        Arc::new(Traced { asking, model, made }) as Arc<dyn ChatModel>
    };
    candidates.iter().map(traced).collect()
}

/// The calls that a step has made, of any candidate.
#[derive(Debug, Default)]
struct Made {
    count: u32,
    /// Whom the last one asked.
    last: Option<Name>,
}

#[derive(Debug)]
struct Traced {
    asking: Asking,
    model: Arc<dyn ChatModel>,
    made: Arc<Mutex<Made>>,
}

impl Traced {
    /// Counts a call; gives its number, and who was asked before.
    fn count(&self) -> (u32, Option<Name>) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.count += 1;
        (made.count, made.last.replace(Name::new(self.model.name())))
    }
}

impl ChatModel for Traced {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn price(&self) -> Option<Price> {
        self.model.price()
    }

    fn context_tokens(&self) -> u64 {
        self.model.context_tokens()
    }

    fn call<'a>(
        &'a self,
        request: &'a ChatRequest,
        listener: Listener<'a>,
    ) -> BoxFuture<'a, Result<Answer, CallError>> {
        Box::pin(async move {
            let mut call = Call::begin(self, request);
            let (began, mut first) = (call.began, None);
            let result = {
                let mut hearing = |delta| {
                    first.get_or_insert_with(|| began.elapsed());
                    listener(delta);
                };
                self.model.call(request, &mut hearing).await
            };
            call.first = first;
            call.end(&result);
            result
        })
    }
}

/// A call under way. Dropped without an end, it tells that the call was stopped.
struct Call<'a> {
    model: &'a Traced,
    about: About,
    began: Instant,
    /// When something of the answer came, from the beginning.
    first: Option<Duration>,
    has_ended: bool,
}

impl<'a> Call<'a> {
    fn begin(model: &'a Traced, request: &ChatRequest) -> Self {
        let (number, before) = model.count();
        let about = model.asking.about.call(number);
        let call = Self { model, about, began: Instant::now(), first: None, has_ended: false };
        if let Some(from) = before {
            let (to, why) = (Some(call.name()), "failover");
            let switched =
                || What::ModelSwitched { from: Some(from), to, tier: Some(model.asking.tier), why };
            model.asking.tracer.tell(model.asking.about, switched);
        }
        call.tell(|| What::ModelAttempt { tier: model.asking.tier, model: call.name() });
        call.tell(|| What::Request {
            id: call.id(),
            model: call.name(),
            messages: request.messages.len(),
            options: Plain(json!({"maxTokens": request.output_tokens_max, "tools": request.tools.len()})),
            operation: OPERATION,
            provider: provider(model.name()),
            request_model: call.name(),
            output_tokens_max: request.output_tokens_max,
            new: Messages::new_in(&request.messages),
        });
        call
    }

    fn tell(&self, what: impl FnOnce() -> What) {
        self.model.asking.tracer.tell(self.about, what);
    }

    fn name(&self) -> Name {
        Name::new(self.model.name())
    }

    fn id(&self) -> String {
        self.about.call_id().unwrap_or_default()
    }

    fn end(mut self, result: &Result<Answer, CallError>) {
        self.has_ended = true;
        match result {
            Ok(answer) => self.answered(answer),
            Err(error) => self.failed(&error.message, error.kind.as_str(), error.kind.is_retriable()),
        }
    }

    fn answered(&self, answer: &Answer) {
        let name = || Name::new(&answer.model);
        self.tell(|| What::Response {
            id: self.id(),
            model: name(),
            duration_ms: ms(self.began.elapsed()),
            first_token_ms: self.first.map(ms),
            response: Reply::of(&answer.said),
            operation: OPERATION,
            provider: provider(&answer.model),
            response_model: name(),
            finish_reasons: vec![finish_word(answer.finish)],
            input_tokens: answer.usage.map(|usage| usage.input_tokens),
            output_tokens: answer.usage.map(|usage| usage.output_tokens),
        });
        if let Some(Usage { input_tokens, output_tokens }) = answer.usage {
            self.tell(|| What::Tokens {
                id: self.id(),
                model: name(),
                input: input_tokens,
                output: output_tokens,
                total: input_tokens.saturating_add(output_tokens),
                input_tokens,
                output_tokens,
            });
        }
        self.tell(|| What::ModelSucceeded {
            tier: self.model.asking.tier,
            model: name(),
            response_bytes: answer.said.text.len(),
            tokens: answer.usage.map(|usage| usage.input_tokens.saturating_add(usage.output_tokens)),
        });
    }

    fn failed(&self, error: &str, kind: &'static str, recoverable: bool) {
        self.tell(|| What::RequestFailed {
            id: self.id(),
            model: self.name(),
            duration_ms: ms(self.began.elapsed()),
            first_token_ms: self.first.map(ms),
            error: Text::new(error),
            operation: OPERATION,
            provider: provider(self.model.name()),
            request_model: self.name(),
            kind,
        });
        let tier = self.model.asking.tier;
        self.tell(|| What::ModelFailed { tier, model: self.name(), error: Text::new(error), recoverable });
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.failed("the call was stopped", "stopped", true);
        }
    }
}

/// What stands before the `/` of a model's name.
fn provider(model: &str) -> Name {
    Name::new(model.split_once('/').map_or(model, |(provider, _)| provider))
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
