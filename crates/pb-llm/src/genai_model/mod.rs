//! A model behind the `genai` crate, which knows the wires of the providers.
//!
//! What `genai` leaves to us: time-outs that know what "nothing came" means, telling an answer
//! from one that broke off, and errors that can be shown.

mod answer;
mod error;
mod progress;
mod request;
mod retry_after;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use genai::ServiceTarget;
use genai::adapter::AdapterKind;
use genai::chat::{ChatStreamEvent, StreamEnd};
use genai::resolver::{AuthData, Endpoint};
use pb_runtime::Clock;
use pb_runtime::config::ProviderKind;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout_at;

use self::error::Fault;
use self::progress::Progress;
use crate::scrub::scrub;
use crate::{Answer, CallError, CallErrorKind, ChatModel, ChatRequest, Delta, Listener, Price, Web};

/// Longest wait for the first piece of an answer, connecting included.
pub const FIRST_BYTE_TIME_LIMIT: Duration = Duration::from_mins(2);
/// Longest silence between two pieces of an answer.
pub const SILENCE_TIME_LIMIT: Duration = Duration::from_mins(1);
/// Longest answer as it comes over the wire, in bytes. A token takes some 250 of them, so this is
/// more than any model says.
pub const STREAM_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Providers that speak `OpenAI`'s chat completions and refuse reasoning in them. Others want it
/// back while tools are called.
const WITHOUT_THOUGHT: [&str; 3] = ["api.openai.com", "api.groq.com", "api.mistral.ai"];

/// What is sent in place of a key where none is asked for; `genai` wants one.
const NO_KEY: &str = "none";

/// How long a model may be silent, and how much it may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the first piece of the answer, connecting included.
    pub first_byte: Duration,
    /// Between two pieces.
    pub silence: Duration,
    /// Longest answer as it comes over the wire, in bytes.
    pub stream_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_byte: FIRST_BYTE_TIME_LIMIT,
            silence: SILENCE_TIME_LIMIT,
            stream_bytes: STREAM_BYTES_MAX,
        }
    }
}

/// A provider's key.
#[derive(Debug, Clone)]
pub enum Key {
    /// It asks for none.
    NotNeeded,
    /// It asks for one and there is none; the text says where to put it.
    Missing(String),
    /// It.
    Present(SecretString),
}

/// What makes a [`GenaiModel`].
#[derive(Debug, Clone)]
pub struct ModelAt {
    /// `provider/model`; what stands after the first `/` is sent.
    pub name: String,
    /// What the provider speaks.
    pub kind: ProviderKind,
    /// Where it is; ends with a slash.
    pub base_url: Url,
    /// Its key.
    pub key: Key,
    /// What it costs.
    pub price: Option<Price>,
    /// How many tokens it takes in at once.
    pub context_tokens: u64,
    /// How long it may be silent, and how much it may say.
    pub limits: Limits,
}

/// A model of a provider.
pub struct GenaiModel {
    at: ModelAt,
    web: Web,
    clock: Clock,
}

// The clients have nothing to show, and nothing of them must be.
impl fmt::Debug for GenaiModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenaiModel").field("at", &self.at).finish_non_exhaustive()
    }
}

impl GenaiModel {
    /// The model, called over `web`.
    pub fn new(at: ModelAt, web: &Web) -> Self {
        Self { at, web: web.clone(), clock: Clock::System }
    }

    fn model(&self) -> &str {
        self.at.name.split_once('/').map_or(self.at.name.as_str(), |(_, model)| model)
    }

    fn target(&self) -> Result<ServiceTarget, Fault> {
        let key = match &self.at.key {
            Key::NotNeeded => NO_KEY.to_owned(),
            Key::Missing(hint) => return Err(Fault::new(CallErrorKind::Unauthorized, hint.clone())),
            Key::Present(key) => key.expose_secret().to_owned(),
        };
        let adapter = match self.at.kind {
            ProviderKind::OpenAi => AdapterKind::OpenAI,
            ProviderKind::Anthropic => AdapterKind::Anthropic,
            ProviderKind::Gemini => AdapterKind::Gemini,
        };
        Ok(ServiceTarget {
            endpoint: Endpoint::from_owned(self.at.base_url.as_str()),
            auth: AuthData::from_single(key),
            model: genai::ModelIden::new(adapter, self.model()),
        })
    }

    fn takes_thought(&self) -> bool {
        match self.at.kind {
            ProviderKind::OpenAi => {
                let host = self.at.base_url.host_str().unwrap_or_default();
                !WITHOUT_THOUGHT.contains(&host)
            }
            ProviderKind::Anthropic => true,
            ProviderKind::Gemini => false,
        }
    }

    async fn stream(&self, request: &ChatRequest, listener: Listener<'_>) -> Result<Answer, Fault> {
        let target = self.target()?;
        let wire = request::Wire { kind: self.at.kind, takes_thought: self.takes_thought() };
        let sent = request::to_genai(request, wire)?;
        let progress = Arc::new(Progress::new(self.at.limits));
        let options = request::options(request, wire, self.model()).with_raw_frame_sink_arc(progress.clone());
        let now_ms = self.clock.now_ms();
        let fault = |error: &genai::Error, frames| error::fault(error, frames, now_ms);
        let client = self.web.models_at(&self.at.base_url);
        let client = client.map_err(|error| Fault::new(CallErrorKind::Unreachable, error.to_string()))?;
        let opened = client.exec_chat_stream(target, sent, Some(&options)).await;
        let mut pieces = opened.map_err(|error| fault(&error, 0))?.stream;
        loop {
            let limit = progress.deadline();
            let piece = match timeout_at(limit, pieces.next()).await {
                Ok(piece) => piece,
                // What has no piece for us, such as a heartbeat, moves the limit too.
                Err(_) if progress.deadline() > limit => continue,
                Err(_) => return Err(progress.timed_out()),
            };
            if progress.bytes() > self.at.limits.stream_bytes {
                return Err(progress.too_long());
            }
            match piece {
                None => return Err(progress.broke_off()),
                Some(Ok(ChatStreamEvent::End(end))) => return self.answer(end, &progress),
                Some(Ok(event)) => tell(event, &mut *listener),
                Some(Err(error)) => match progress.withheld() {
                    Some(_) => return self.answer(answer::withheld(), &progress),
                    None => return Err(fault(&error, progress.frames())),
                },
            }
        }
    }

    fn answer(&self, end: StreamEnd, progress: &Progress) -> Result<Answer, Fault> {
        if end.captured_stop_reason.is_none() {
            return Err(progress.broke_off());
        }
        answer::from_genai(end, self.at.kind, &self.at.name)
    }

    fn failed(&self, fault: &Fault) -> CallError {
        let key = match &self.at.key {
            Key::Present(key) => Some(key.expose_secret()),
            Key::NotNeeded | Key::Missing(_) => None,
        };
        CallError {
            model: self.at.name.clone(),
            kind: fault.kind,
            message: scrub(&fault.message, key),
            retry_after: fault.retry_after,
        }
    }
}

impl ChatModel for GenaiModel {
    fn name(&self) -> &str {
        &self.at.name
    }

    fn price(&self) -> Option<Price> {
        self.at.price
    }

    fn context_tokens(&self) -> u64 {
        self.at.context_tokens
    }

    fn call<'a>(
        &'a self,
        request: &'a ChatRequest,
        listener: Listener<'a>,
    ) -> BoxFuture<'a, Result<Answer, CallError>> {
        Box::pin(async move { self.stream(request, listener).await.map_err(|fault| self.failed(&fault)) })
    }
}

fn tell(event: ChatStreamEvent, listener: Listener<'_>) {
    let delta = match event {
        ChatStreamEvent::Chunk(chunk) => Delta::Text(chunk.content),
        ChatStreamEvent::ReasoningChunk(chunk) => Delta::Thought(chunk.content),
        ChatStreamEvent::ToolCallChunk(_) => Delta::Call,
        ChatStreamEvent::Start
        | ChatStreamEvent::ThoughtSignatureChunk(_)
        | ChatStreamEvent::Heartbeat
        | ChatStreamEvent::End(_) => return,
    };
    match &delta {
        Delta::Text(text) | Delta::Thought(text) if text.is_empty() => {}
        Delta::Text(_) | Delta::Thought(_) | Delta::Call => listener(delta),
    }
}
