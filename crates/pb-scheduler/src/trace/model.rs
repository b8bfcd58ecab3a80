//! Models whose calls are told: each attempt is a span of its own, below the step that asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use futures_util::future::BoxFuture;
use pb_llm::{Answer, CallError, ChatModel, ChatRequest, Listener, Price};
use pb_model::Tier;

use super::bounds::cut;
use super::{About, CallNote, Tracer, What};

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
    let models = candidates.iter().map(|model| model.name().to_owned()).collect();
    let (tier, messages) = (asking.tier, request.messages.len());
    asking.tracer.tell(asking.about, What::Call(CallNote::TierRequest { tier, models, messages }));
    let calls = Arc::new(AtomicU32::new(0));
    let traced = |model: &Arc<dyn ChatModel>| {
        let (asking, model, calls) = (asking.clone(), Arc::clone(model), Arc::clone(&calls));
        Arc::new(Traced { asking, model, calls }) as Arc<dyn ChatModel>
    };
    candidates.iter().map(traced).collect()
}

#[derive(Debug)]
struct Traced {
    asking: Asking,
    model: Arc<dyn ChatModel>,
    /// How many calls the step made, of any candidate.
    calls: Arc<AtomicU32>,
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
            let call = Call::begin(self, request);
            let result = self.model.call(request, listener).await;
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
    has_ended: bool,
}

impl<'a> Call<'a> {
    fn begin(model: &'a Traced, request: &ChatRequest) -> Self {
        let number = model.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let call =
            Self { model, about: model.asking.about.call(number), began: Instant::now(), has_ended: false };
        let name = model.name().to_owned();
        call.tell(CallNote::Attempt { tier: model.asking.tier, model: name.clone() });
        call.tell(CallNote::Request {
            model: name,
            messages: request.messages.len(),
            output_tokens_max: request.output_tokens_max,
        });
        call
    }

    fn tell(&self, note: CallNote) {
        self.model.asking.tracer.tell(self.about, What::Call(note));
    }

    fn end(mut self, result: &Result<Answer, CallError>) {
        self.has_ended = true;
        match result {
            Ok(answer) => self.answered(answer),
            Err(error) => self.failed(&error.message, error.kind.is_retriable()),
        }
    }

    fn answered(&self, answer: &Answer) {
        self.model.asking.tracer.tell(self.about, CallNote::answered(answer, self.duration_ms()));
        if let Some(usage) = answer.usage {
            let (input, output) = (usage.input_tokens, usage.output_tokens);
            self.tell(CallNote::Tokens { model: answer.model.clone(), input, output });
        }
        self.tell(CallNote::Succeeded {
            tier: self.model.asking.tier,
            model: answer.model.clone(),
            response_bytes: answer.said.text.len(),
            tokens: answer.usage.map(|usage| usage.input_tokens.saturating_add(usage.output_tokens)),
        });
    }

    fn failed(&self, error: &str, is_recoverable: bool) {
        let (model, error) = (self.model.name().to_owned(), cut(error.to_owned()));
        let duration_ms = self.duration_ms();
        self.tell(CallNote::RequestFailed { model: model.clone(), duration_ms, error: error.clone() });
        self.tell(CallNote::Failed { tier: self.model.asking.tier, model, error, is_recoverable });
    }

    fn duration_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.failed("the call was stopped", true);
        }
    }
}
