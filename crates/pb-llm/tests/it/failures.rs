//! What comes of answers that are none.

use std::time::Duration;

use pb_llm::chat::ERROR_BYTES_MAX;
use pb_llm::{CallError, CallErrorKind, ChatModel, GenaiModel, Key, Limits, ModelAt};
use pb_runtime::config::ProviderKind;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{
    Events, IMPATIENT, KEY, KINDS, PATIENT, Server, Step, after, call, model_at, status, stream, web,
};

async fn failure(kind: ProviderKind, text: String) -> CallError {
    after(kind, vec![Step::Send(text)], PATIENT).await.unwrap_err()
}

#[tokio::test]
async fn refusals_have_their_kind() {
    use CallErrorKind::{ContextOverflow, Overloaded, QuotaExhausted, RateLimited, Rejected, Unauthorized};
    let body = |text: &str| json!({"error": {"type": "x", "message": text}}).to_string();
    for (line, headers, text, kind, wait) in [
        ("429 Too Many Requests", "retry-after: 7\r\n", "slow down", RateLimited, Some(7_000)),
        ("429 Too Many Requests", "retry-after-ms: 250\r\n", "slow down", RateLimited, Some(250)),
        ("429 Too Many Requests", "", "You have insufficient_quota", QuotaExhausted, None),
        ("402 Payment Required", "", "余额不足", QuotaExhausted, None),
        ("401 Unauthorized", "", "wrong key", Unauthorized, None),
        ("403 Forbidden", "", "not you", Unauthorized, None),
        ("500 Internal Server Error", "retry-after: 1\r\n", "oops", Overloaded, Some(1_000)),
        ("529 Overloaded", "", "overloaded", Overloaded, None),
        ("400 Bad Request", "", "maximum context length is 4096 tokens", ContextOverflow, None),
        ("413 Payload Too Large", "", "Request too large", ContextOverflow, None),
        ("400 Bad Request", "", "unknown field", Rejected, None),
        ("404 Not Found", "", "没有这个模型", Rejected, None),
        ("307 Temporary Redirect", "location: http://127.0.0.1:1/\r\n", "elsewhere", Rejected, None),
    ] {
        for wire in KINDS {
            let error = failure(wire, status(line, headers, &body(text))).await;
            assert_eq!(error.kind, kind, "{wire:?} {line}");
            assert_eq!(error.retry_after, wait.map(Duration::from_millis), "{wire:?} {line}");
            assert!(error.message.ends_with(text), "{wire:?} {}", error.message);
            assert_eq!(error.model, "test/m");
        }
    }
}

#[tokio::test]
async fn an_answer_without_its_end_is_cut() {
    for kind in KINDS {
        let events = Events(kind);
        let begun = [events.begin(), events.text("一半")].concat();
        let mut without_last = [begun.clone(), events.stop()].concat();
        without_last.pop();
        for (n, all) in [begun.clone(), without_last].into_iter().enumerate() {
            let error = failure(kind, stream(&all)).await;
            assert_eq!(error.kind, CallErrorKind::Cut, "{kind:?} {n}: {error}");
            assert!(error.kind.may_be_charged());
        }
        // The connection is torn in the middle of a chunk.
        let torn = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{}\r\nff\r\ndata",
            begun.concat().len(),
            begun.concat()
        );
        let error = failure(kind, torn).await;
        assert_eq!(error.kind, CallErrorKind::Cut, "{kind:?}: {error}");
        assert!(error.message.contains("error"), "{error}");
    }
}

#[tokio::test]
async fn an_end_without_a_reason_is_no_end() {
    for (kind, end) in [
        (ProviderKind::OpenAi, "data: [DONE]\n\n"),
        (ProviderKind::Anthropic, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
    ] {
        let events = Events(kind);
        let all = [events.begin(), events.text("a"), vec![end.to_owned()]].concat();
        assert_eq!(failure(kind, stream(&all)).await.kind, CallErrorKind::Cut, "{kind:?}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_cut() {
    let openai = Events(ProviderKind::OpenAi);
    let gemini = Events(ProviderKind::Gemini);
    let junk = "data: {\"choices\": [\n\n".to_owned();
    for (kind, all) in [
        (ProviderKind::OpenAi, [openai.text("a"), vec![junk]].concat()),
        // It says that it calls tools, and calls none that can be read.
        (ProviderKind::OpenAi, [openai.text("a"), openai.stop_for_calls()].concat()),
        (ProviderKind::Gemini, [gemini.text("a"), gemini.end("MALFORMED_FUNCTION_CALL")].concat()),
    ] {
        let error = failure(kind, stream(&all)).await;
        assert_eq!(error.kind, CallErrorKind::Cut, "{error}");
        assert!(error.message.contains("made no sense"), "{error}");
    }
}

#[tokio::test]
async fn errors_in_the_stream() {
    let overloaded = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n".to_owned();
    let limited = "data: {\"error\":{\"code\":429,\"message\":\"slow\"}}\n\n".to_owned();
    let quota = "data: {\"error\":{\"type\":\"insufficient_quota\",\"message\":\"pay\"}}\n\n".to_owned();
    let begun = Events(ProviderKind::Anthropic).begin();
    for (kind, all, expect) in [
        (ProviderKind::Anthropic, vec![overloaded.clone()], CallErrorKind::Overloaded),
        (ProviderKind::Anthropic, [begun, vec![overloaded]].concat(), CallErrorKind::Cut),
        (ProviderKind::OpenAi, vec![limited.clone()], CallErrorKind::RateLimited),
        (ProviderKind::Gemini, vec![limited], CallErrorKind::RateLimited),
        (ProviderKind::OpenAi, vec![quota], CallErrorKind::QuotaExhausted),
    ] {
        let error = failure(kind, stream(&all)).await;
        assert_eq!(error.kind, expect, "{kind:?} {error}");
    }
}

#[tokio::test]
async fn silence_before_and_after_the_beginning() {
    for kind in KINDS {
        let events = Events(kind);
        let begun = stream(&[events.begin(), events.text("a")].concat());
        for (steps, expect) in [
            (vec![Step::Hang], CallErrorKind::Unreachable),
            (vec![Step::Send(stream(&[])), Step::Hang], CallErrorKind::Unreachable),
            (vec![Step::Send(begun), Step::Hang], CallErrorKind::Silent),
        ] {
            let error = after(kind, steps, IMPATIENT).await.unwrap_err();
            assert_eq!(error.kind, expect, "{kind:?}");
            assert!(error.message.contains("0.4 s"), "{error}");
        }
    }
}

#[tokio::test]
async fn nobody_is_there() {
    let port = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let model = model_at(ProviderKind::OpenAi, &format!("http://127.0.0.1:{port}"), PATIENT);
    let error = call(&model).await.0.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreachable);
    assert!(error.message.contains("refused"), "{error}");

    for kind in KINDS {
        // It hangs up; it is a web page; it has only said that it is at work.
        let page = status("200 OK", "content-type: text/html\r\n", "<html>欢迎</html>");
        for answer in [String::new(), page, stream(&[": at work\n\n".to_owned()])] {
            let error = failure(kind, answer).await;
            assert_eq!(error.kind, CallErrorKind::Unreachable, "{kind:?} {error:?}");
        }
    }
}

#[tokio::test]
async fn no_key_is_shown() {
    let quoted = format!(
        "Incorrect API key provided: {KEY}. Or is it sk-proj-abcdefghijklmnop?\n{}",
        "错".repeat(9_999)
    );
    for kind in KINDS {
        let events = Events(kind);
        let in_stream = format!("event: error\ndata: {{\"error\":{{\"message\":\"bad {KEY}\"}}}}\n\n");
        for (answer, scrubbed) in [
            (status("401 Unauthorized", "", &quoted), true),
            (stream(&[events.begin(), vec![in_stream]].concat()), true),
            (stream(&events.text(KEY)), false),
        ] {
            let error = failure(kind, answer).await;
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(KEY) && !shown.contains("sk-proj"), "{shown}");
            assert_eq!(shown.contains("[key]"), scrubbed, "{shown}");
            assert!(error.message.len() <= ERROR_BYTES_MAX);
        }
        assert!(!format!("{:?}", model_at(kind, "http://127.0.0.1:1", PATIENT)).contains(KEY));
    }
}

#[tokio::test]
async fn a_missing_key_is_said_without_a_call() {
    let server = Server::sends("").await;
    let at = ModelAt {
        name: "anthropic/claude".to_owned(),
        kind: ProviderKind::Anthropic,
        base_url: server.url().parse().unwrap(),
        key: Key::Missing("there is no key: set ANTHROPIC_API_KEY".to_owned()),
        context_tokens: 128_000,
        price: None,
        limits: PATIENT,
    };
    let model = GenaiModel::new(at, web());
    let error = call(&model).await.0.unwrap_err();
    assert_eq!(error.to_string(), "anthropic/claude: there is no key: set ANTHROPIC_API_KEY");
    assert_eq!((error.kind, model.price()), (CallErrorKind::Unauthorized, None));
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn endless_answers_end() {
    let events = Events(ProviderKind::OpenAi);
    let piece = Step::Send(events.text(&"x".repeat(4_000)).concat());
    let steps = [vec![Step::Send(stream(&[]))], vec![piece; 30], vec![Step::Hang]].concat();
    let limits = Limits { stream_bytes: 100_000, ..PATIENT };
    let error = after(ProviderKind::OpenAi, steps, limits).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Cut);
    assert_eq!(error.message, "the answer is longer than 100000 bytes");
}
