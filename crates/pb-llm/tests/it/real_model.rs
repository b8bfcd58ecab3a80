//! What a real server says, through our own calls. `cargo xtask real-model` serves it; without it these
//! tests are skipped and say so. The model is too small to be right: only the form of its answers counts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pb_llm::{
    Answer, CallError, CallErrorKind, ChatModel, ChatRequest, Delta, Finish, GenaiModel, Key, Limits,
    Message, ModelAt, Models, Price, ToolSpec, Usage,
};
use pb_model::Tier;
use pb_runtime::config::{Config, Provider, ProviderKind, TierModels};
use pb_runtime::{Home, environment};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::support::web;

/// The server may be busy with another test, and the machine with all of them.
const PATIENT: Limits = Limits {
    first_byte: Duration::from_mins(2),
    silence: Duration::from_mins(1),
    stream_bytes: pb_llm::genai_model::STREAM_BYTES_MAX,
};
/// How often a busy server is looked for: each look waits for half a second.
const LOOKS_MAX: u32 = 40;
/// The server's context is 2048 tokens; a word is at least one.
const TOO_MANY_WORDS: usize = 3000;

/// Where the server is, with the version and a slash, and what its model is called.
struct Real {
    url: String,
    model: String,
}

/// The server, if it is there.
#[expect(clippy::print_stderr, reason = "this is the one word that a skipped test says")]
fn real() -> Option<Real> {
    let Some(url) = environment::text("PB_REAL_MODEL_URL") else {
        assert!(environment::text("CI").is_none(), "in CI nothing is skipped: there is no real model");
        eprintln!("skipped: there is no real model; run: cargo xtask real-model test");
        return None;
    };
    let model = environment::text("PB_REAL_MODEL_NAME").unwrap();
    Some(Real { url, model })
}

impl Real {
    /// Its model, as the settings name it.
    async fn model(&self) -> Arc<dyn ChatModel> {
        let folder = TempDir::new().unwrap();
        let home = Home::at(folder.path()).unwrap();
        let provider = Provider {
            kind: Some(ProviderKind::OpenAi),
            base_url: Some(self.url.clone()),
            ..Provider::default()
        };
        let named = vec![format!("real/{}", self.model)];
        let config = Config {
            providers: [("real".to_owned(), provider)].into(),
            models: TierModels { medium: named, ..TierModels::default() },
            ..Config::default()
        };
        let models = Models::find(&config, &home, &|_| None).await.unwrap().with_limits(PATIENT);
        models.candidates(Tier::Medium, None).unwrap().remove(0)
    }
}

fn user(text: &str, output_tokens_max: u32) -> ChatRequest {
    let messages = vec![Message::User { text: text.to_owned() }];
    ChatRequest { messages, tools: Vec::new(), output_tokens_max }
}

/// A request that the model answers with a call: it copies what the template shows.
fn with_tool() -> ChatRequest {
    let schema = json!({
        "type": "object",
        "required": ["path", "text"],
        "properties": {"path": {"type": "string"}, "text": {"type": "string"}},
    });
    let tool =
        ToolSpec { name: "write_file".to_owned(), description: "Write text to a file".to_owned(), schema };
    ChatRequest { tools: vec![tool], ..user("Write hello to hello.txt", 96) }
}

async fn call(model: &dyn ChatModel, request: &ChatRequest) -> (Result<Answer, CallError>, Vec<Delta>) {
    let mut heard = Vec::new();
    let answer = model.call(request, &mut |delta| heard.push(delta)).await;
    (answer, heard)
}

async fn answer(model: &dyn ChatModel, request: &ChatRequest) -> Answer {
    call(model, request).await.0.unwrap()
}

fn usage(answer: &Answer) -> Usage {
    answer.usage.unwrap() // llama.cpp counts tokens when it is asked to.
}

#[tokio::test]
async fn an_answer_is_heard_piece_by_piece() {
    let Some(real) = real() else { return };
    let model = real.model().await;
    let (answer, heard) = call(&*model, &user("Tell a story about a pony.", 24)).await;
    let answer = answer.unwrap();
    let pieces: Vec<&str> = heard
        .iter()
        .map(|delta| match delta {
            Delta::Text(text) => text.as_str(),
            Delta::Call => "",
            Delta::Thought(thought) => panic!("it does not think, and thought {thought}"),
        })
        .collect();
    assert!(pieces.len() > 1, "{pieces:?}");
    assert_eq!(pieces.concat(), answer.said.text);
    assert!(answer.said.calls.is_empty() && answer.said.thought.is_empty(), "{answer:?}");
    assert_eq!(answer.model, format!("real/{}", real.model));
    let usage = usage(&answer);
    // The template adds a system message and marks; a piece is a token or a part of one.
    assert!((10..100).contains(&usage.input_tokens), "{usage:?}");
    assert!((2..=24).contains(&usage.output_tokens), "{usage:?}");
    assert!(pieces.len() as u64 <= usage.output_tokens, "{usage:?} in {} pieces", pieces.len());
}

#[tokio::test]
async fn the_limit_of_an_answer_is_kept_and_told() {
    let Some(real) = real() else { return };
    let answer = answer(&*real.model().await, &user("Tell a long story.", 4)).await;
    assert_eq!((answer.finish, usage(&answer).output_tokens), (Finish::Length, 4));
}

#[tokio::test]
async fn a_call_has_an_id_a_name_and_arguments_and_its_result_is_sent_back() {
    let Some(real) = real() else { return };
    let model = real.model().await;
    let mut request = with_tool();
    let (first, heard) = call(&*model, &request).await;
    let first = first.unwrap();
    assert_eq!(first.finish, Finish::ToolCalls, "{first:?}");
    let is_words = |delta: &Delta| matches!(delta, Delta::Text(_) | Delta::Thought(_));
    assert!(heard.contains(&Delta::Call), "a call is heard: {heard:?}");
    assert!(
        !heard.iter().any(is_words) || !first.said.text.is_empty(),
        "a call is not heard as words: {heard:?}"
    );
    let called = first.said.calls[0].clone();
    assert!(!called.id.is_empty());
    assert_eq!(called.name, "write_file");
    assert!(called.arguments["path"].is_string() && called.arguments["text"].is_string(), "{called:?}");

    let result = |content: &str| Message::Tool {
        call_id: called.id.clone(),
        name: called.name.clone(),
        content: content.to_owned(),
    };
    request.messages.push(Message::Assistant(first.said.clone()));
    request.output_tokens_max = 4;
    let mut longer = request.clone();
    request.messages.push(result("done"));
    longer.messages.push(result("done: 写好了, 5 bytes are in hello.txt now"));
    let (short, long) = (answer(&*model, &request).await, answer(&*model, &longer).await);
    // The server read the call and the result.
    assert!(usage(&short).input_tokens > usage(&first).input_tokens, "{short:?}");
    assert!(usage(&long).input_tokens > usage(&short).input_tokens + 8, "{long:?}");
}

#[tokio::test]
async fn too_long_a_conversation_is_told_from_other_refusals() {
    let Some(real) = real() else { return };
    let request = user(&"word ".repeat(TOO_MANY_WORDS), 4);
    let (answer, heard) = call(&*real.model().await, &request).await;
    let error = answer.unwrap_err();
    assert_eq!((error.kind, heard), (CallErrorKind::ContextOverflow, Vec::new()), "{error}");
    assert!(error.message.contains("2048"), "it says how much fits: {error}");
}

#[tokio::test]
async fn a_call_that_is_dropped_frees_the_server() {
    /// With an empty context this model counts for ever.
    const ENDLESS: &str = "Count from 1 to 1000: 1, 2, 3, 4, 5,";
    const TOKENS_MAX: u32 = 1500;
    /// So many pieces are heard before the call is dropped.
    const PIECES: u32 = 8;

    let Some(real) = real() else { return };
    let model = real.model().await;
    let (request, mut pieces, mut first) = (user(ENDLESS, TOKENS_MAX), 0, None);
    let (enough, heard_enough) = oneshot::channel();
    let mut enough = Some(enough);
    let mut listener = |_: Delta| {
        let began = *first.get_or_insert_with(Instant::now);
        pieces += 1;
        if pieces == PIECES
            && let Some(enough) = enough.take()
        {
            enough.send(began.elapsed()).unwrap();
        }
    };
    let pace = tokio::select! {
        answer = model.call(&request, &mut listener) => panic!("it ended: {answer:?}"),
        pace = heard_enough => pace.unwrap() / (PIECES - 1),
    };
    let dropped = Instant::now();
    answer(&*model, &user("Say hello.", 2)).await;
    // To the end the server would need much longer.
    let to_the_end = pace * (TOKENS_MAX - PIECES);
    assert!(dropped.elapsed() < to_the_end / 2, "{:?} of {to_the_end:?}", dropped.elapsed());
}

#[tokio::test]
async fn a_wrong_address_is_no_model() {
    let Some(real) = real() else { return };
    let at = |base_url: String| ModelAt {
        name: format!("real/{}", real.model),
        kind: ProviderKind::OpenAi,
        base_url: base_url.parse().unwrap(),
        key: Key::NotNeeded,
        context_tokens: 128_000,
        price: Some(Price::default()),
        limits: PATIENT,
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/v1/", listener.local_addr().unwrap());
    drop(listener);
    for (base_url, kind) in
        [(nobody, CallErrorKind::Unreachable), (format!("{}wrong/", real.url), CallErrorKind::Rejected)]
    {
        let model = GenaiModel::new(at(base_url.clone()), web());
        let error = call(&model, &user("Say hello.", 2)).await.0.unwrap_err();
        assert_eq!(error.kind, kind, "{base_url}: {error}");
    }
}

#[tokio::test]
async fn a_server_is_found_at_its_port() {
    let Some(real) = real() else { return };
    let folder = TempDir::new().unwrap();
    let home = Home::at(folder.path()).unwrap();
    let port = real.url.strip_suffix("/v1/").and_then(|url| url.rsplit(':').next()).unwrap();
    let ports = |name: &str| (name == "PB_LOCAL_MODEL_PORTS").then(|| format!("llama-server:{port}"));
    let mut found = Vec::new();
    for _ in 0..LOOKS_MAX {
        let models = Models::find(&Config::default(), &home, &ports).await.unwrap();
        found = models.list().into_iter().map(|model| (model.name, model.price)).collect();
        if !found.is_empty() {
            break;
        }
    }
    assert_eq!(found, [(format!("llama-server/{}", real.model), Some(Price::default()))]);
}
