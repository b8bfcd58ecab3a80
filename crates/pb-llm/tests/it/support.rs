//! A server of canned answers, and what the wires look like.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use pb_llm::genai_model::STREAM_BYTES_MAX;
use pb_llm::{
    Answer, CallError, ChatModel, ChatRequest, Delta, GenaiModel, Key, Limits, Message, ModelAt, Price,
    ToolSpec, Web,
};
use pb_runtime::Tasks;
use pb_runtime::config::ProviderKind;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The key that every model of these tests has.
pub(crate) const KEY: &str = "tesserakt-0123456789";
/// Every kind of provider.
pub(crate) const KINDS: [ProviderKind; 3] =
    [ProviderKind::OpenAi, ProviderKind::Anthropic, ProviderKind::Gemini];
/// Long enough for a machine under load.
pub(crate) const PATIENT: Limits = Limits {
    first_byte: Duration::from_secs(30),
    silence: Duration::from_secs(30),
    stream_bytes: STREAM_BYTES_MAX,
};
/// Short enough for a test to wait for.
pub(crate) const IMPATIENT: Limits = Limits {
    first_byte: Duration::from_millis(400),
    silence: Duration::from_millis(400),
    stream_bytes: STREAM_BYTES_MAX,
};

/// What is done with a connection, once the request is read. At the end it is closed.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(String),
    /// Sends the same a few times, with pauses that are shorter than [`IMPATIENT`].
    Repeat(String),
    Hang,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The first line and the headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// A server that answers each request with the next of its answers; the last one is repeated.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    _tasks: Tasks,
}

impl Server {
    pub(crate) async fn start(answers: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let tasks = Tasks::new();
        let (seen, each) = (received.clone(), tasks.clone());
        tasks.spawn("server", async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                each.spawn("connection", serve(stream, answers.clone(), seen.clone()));
            }
        });
        Self { port, received, _tasks: tasks }
    }

    /// A server with one answer.
    pub(crate) async fn sends(text: impl Into<String>) -> Self {
        Self::start(vec![vec![Step::Send(text.into())]]).await
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

async fn serve(mut stream: TcpStream, answers: Vec<Vec<Step>>, seen: Arc<Mutex<Vec<Received>>>) {
    let Some(request) = read(&mut stream).await else { return };
    let at = {
        let mut seen = seen.lock().unwrap();
        seen.push(request);
        seen.len().min(answers.len()) - 1
    };
    for step in &answers[at] {
        match step {
            Step::Send(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Step::Repeat(text) => {
                let mut ticks = tokio::time::interval(IMPATIENT.silence / 4);
                for _ in 0..10 {
                    ticks.tick().await;
                    stream.write_all(text.as_bytes()).await.unwrap();
                }
            }
            Step::Hang => std::future::pending().await,
        }
    }
    stream.shutdown().await.unwrap();
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            let body = if length == 0 { Value::Null } else { serde_json::from_str(body).unwrap() };
            return Some(Received { head, body });
        }
    }
}

/// A stream of events; its end is the end of the connection.
pub(crate) fn stream(events: &[String]) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{}",
        events.concat()
    )
}

/// An answer that is no success, or no stream.
pub(crate) fn status(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
}

/// What the events of each wire look like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Events(pub(crate) ProviderKind);

fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn named(value: &Value) -> String {
    format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap())
}

impl Events {
    /// What comes before the first word.
    pub(crate) fn begin(self) -> Vec<String> {
        match self.0 {
            ProviderKind::OpenAi => {
                vec![data(&json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}))]
            }
            ProviderKind::Anthropic => vec![
                named(
                    &json!({"type": "message_start", "message": {"usage": {"input_tokens": 10, "cache_read_input_tokens": 2, "output_tokens": 1}}}),
                ),
                named(&json!({"type": "ping"})),
            ],
            ProviderKind::Gemini => vec![],
        }
    }

    /// Words.
    pub(crate) fn text(self, text: &str) -> Vec<String> {
        match self.0 {
            ProviderKind::OpenAi => {
                vec![data(&json!({"choices": [{"index": 0, "delta": {"content": text}}]}))]
            }
            ProviderKind::Anthropic => vec![
                named(
                    &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
                ),
                named(
                    &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
                ),
                named(&json!({"type": "content_block_stop", "index": 0})),
            ],
            ProviderKind::Gemini => {
                vec![data(&json!({"candidates": [{"content": {"parts": [{"text": text}]}}]}))]
            }
        }
    }

    /// Reasoning, signed where that is done.
    pub(crate) fn thought(self, text: &str) -> Vec<String> {
        match self.0 {
            ProviderKind::OpenAi => {
                vec![data(&json!({"choices": [{"index": 0, "delta": {"reasoning_content": text}}]}))]
            }
            ProviderKind::Anthropic => vec![
                named(
                    &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
                ),
                named(
                    &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": text}}),
                ),
                named(
                    &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}}),
                ),
                named(&json!({"type": "content_block_stop", "index": 0})),
            ],
            ProviderKind::Gemini => vec![data(
                &json!({"candidates": [{"content": {"parts": [{"text": text, "thought": true}]}}]}),
            )],
        }
    }

    /// A call in two pieces, where the wire has pieces. Gemini's arguments are always JSON.
    pub(crate) fn call(self, index: u32, name: &str, arguments: &str) -> Vec<String> {
        let half = arguments.floor_char_boundary(arguments.len() / 2);
        let (first, rest) = arguments.split_at(half);
        let id = format!("call_{name}_{index}");
        match self.0 {
            ProviderKind::OpenAi => {
                let delta =
                    |call: Value| data(&json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}));
                vec![
                    delta(
                        json!({"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": first}}),
                    ),
                    delta(json!({"index": index, "function": {"arguments": rest}})),
                ]
            }
            ProviderKind::Anthropic => {
                let delta = |json: &str| {
                    named(
                        &json!({"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": json}}),
                    )
                };
                vec![
                    named(
                        &json!({"type": "content_block_start", "index": index, "content_block": {"type": "tool_use", "id": id, "name": name, "input": {}}}),
                    ),
                    delta(first),
                    delta(rest),
                    named(&json!({"type": "content_block_stop", "index": index})),
                ]
            }
            ProviderKind::Gemini => {
                let arguments: Value = serde_json::from_str(arguments).unwrap();
                vec![data(&json!({"candidates": [{"content": {"parts": [
                    {"functionCall": {"name": name, "args": arguments}, "thoughtSignature": format!("sig{index}")},
                ]}}]}))]
            }
        }
    }

    /// The end: the reason as this wire names it, and 12 tokens in, 7 out.
    pub(crate) fn end(self, reason: &str) -> Vec<String> {
        match self.0 {
            ProviderKind::OpenAi => vec![
                data(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})),
                data(
                    &json!({"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}}),
                ),
                "data: [DONE]\n\n".to_owned(),
            ],
            ProviderKind::Anthropic => vec![
                named(
                    &json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}}),
                ),
                named(&json!({"type": "message_stop"})),
            ],
            ProviderKind::Gemini => vec![data(&json!({
                "candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": reason}],
                "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 4, "thoughtsTokenCount": 3, "totalTokenCount": 19},
            }))],
        }
    }

    pub(crate) fn stop(self) -> Vec<String> {
        self.end(match self.0 {
            ProviderKind::OpenAi => "stop",
            ProviderKind::Anthropic => "end_turn",
            ProviderKind::Gemini => "STOP",
        })
    }

    pub(crate) fn stop_for_calls(self) -> Vec<String> {
        self.end(match self.0 {
            ProviderKind::OpenAi => "tool_calls",
            ProviderKind::Anthropic => "tool_use",
            ProviderKind::Gemini => "STOP",
        })
    }
}

/// One for all: reading the system's certificates takes a while.
pub(crate) fn web() -> &'static Web {
    static WEB: OnceLock<Web> = OnceLock::new();
    WEB.get_or_init(Web::default)
}

/// The model `test/m` at `url`.
pub(crate) fn model_at(kind: ProviderKind, url: &str, limits: Limits) -> GenaiModel {
    model_named("test/m", kind, url, limits)
}

pub(crate) fn model_named(name: &str, kind: ProviderKind, url: &str, limits: Limits) -> GenaiModel {
    let at = ModelAt {
        name: name.to_owned(),
        kind,
        base_url: format!("{url}/v1/").parse().unwrap(),
        key: Key::Present(SecretString::from(KEY)),
        context_tokens: 128_000,
        price: Some(Price::default()),
        limits,
    };
    GenaiModel::new(at, web())
}

pub(crate) fn ask(text: &str) -> ChatRequest {
    ChatRequest {
        messages: vec![
            Message::System { text: "简短回答".to_owned() },
            Message::User { text: text.to_owned() },
        ],
        tools: vec![ToolSpec {
            name: "read".to_owned(),
            description: "Reads a file.".to_owned(),
            schema: json!({"type": "object", "properties": {"path": {"type": "string"}}}),
        }],
        output_tokens_max: 321,
    }
}

/// Calls the model; also what was heard while it answered.
pub(crate) async fn call(model: &dyn ChatModel) -> (Result<Answer, CallError>, Vec<Delta>) {
    let mut heard = Vec::new();
    let answer = model.call(&ask("你好"), &mut |delta| heard.push(delta)).await;
    (answer, heard)
}

/// What a call of a server that does these steps comes to.
pub(crate) async fn after(kind: ProviderKind, steps: Vec<Step>, limits: Limits) -> Result<Answer, CallError> {
    let server = Server::start(vec![steps]).await;
    call(&model_at(kind, &server.url(), limits)).await.0
}
