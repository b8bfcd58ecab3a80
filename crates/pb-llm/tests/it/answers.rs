//! What comes of whole answers.

use pb_llm::{Delta, Finish, Said, ToolCall, Usage};
use pb_runtime::config::ProviderKind;
use serde_json::{Value, json};

use crate::support::{Events, IMPATIENT, KINDS, PATIENT, Server, Step, after, call, model_at, stream};

#[tokio::test]
async fn words_come_as_they_are_said() {
    for kind in KINDS {
        let events = Events(kind);
        let all =
            [events.begin(), events.thought("嗯"), events.text("你"), events.text("好 👋"), events.stop()];
        let server = Server::sends(stream(&all.concat())).await;
        let (answer, heard) = call(&model_at(kind, &server.url(), PATIENT)).await;
        let answer = answer.unwrap();
        assert_eq!(
            heard,
            [Delta::Thought("嗯".to_owned()), Delta::Text("你".to_owned()), Delta::Text("好 👋".to_owned())],
            "{kind:?}"
        );
        let said = Said { text: "你好 👋".to_owned(), thought: "嗯".to_owned(), calls: vec![] };
        assert_eq!(answer.said, said, "{kind:?}");
        assert_eq!(answer.finish, Finish::Stop);
        assert_eq!(answer.usage, Some(Usage { input_tokens: 12, output_tokens: 7 }), "{kind:?}");
        assert_eq!(answer.model, "test/m");
    }
}

#[tokio::test]
async fn calls_are_put_together() {
    for kind in KINDS {
        let events = Events(kind);
        let all = [
            events.begin(),
            events.call(0, "read", r#"{"path":"文件/a.txt"}"#),
            events.call(1, "read", "{}"),
            events.call(2, "read", "{}"),
            events.stop_for_calls(),
        ];
        let answer = after(kind, vec![Step::Send(stream(&all.concat()))], PATIENT).await.unwrap();
        let (ids, signatures) = match kind {
            ProviderKind::OpenAi | ProviderKind::Anthropic => {
                (["call_read_0", "call_read_1", "call_read_2"], [None; 3])
            }
            ProviderKind::Gemini => (
                ["call#read#0", "call#read#1", "call#read#2"],
                [Some("gemini:sig0"), Some("gemini:sig1"), Some("gemini:sig2")],
            ),
        };
        let expect = |n: usize, arguments: Value| ToolCall {
            id: ids[n].to_owned(),
            name: "read".to_owned(),
            arguments,
            signatures: signatures[n].map(str::to_owned).into_iter().collect(),
        };
        assert_eq!(
            answer.said.calls,
            [expect(0, json!({"path": "文件/a.txt"})), expect(1, json!({})), expect(2, json!({}))],
            "{kind:?}"
        );
        assert_eq!(answer.finish, Finish::ToolCalls, "{kind:?}");
    }
}

#[tokio::test]
async fn arguments_that_are_no_json_stay_text() {
    for kind in [ProviderKind::OpenAi, ProviderKind::Anthropic] {
        let events = Events(kind);
        let arguments = |text: &'static str| async move {
            let all = [events.begin(), events.call(0, "read", text), events.stop_for_calls()];
            let answer = after(kind, vec![Step::Send(stream(&all.concat()))], PATIENT).await.unwrap();
            answer.said.calls[0].arguments.clone()
        };
        assert_eq!(arguments(r#"{"path": "未完"#).await, json!(r#"{"path": "未完"#), "{kind:?}");
        assert_eq!(arguments("").await, json!({}), "{kind:?}");
        assert_eq!(arguments("[1]").await, json!([1]), "{kind:?}");
        assert_eq!(arguments(r#""{\"path\":\"a\"}""#).await, json!({"path": "a"}), "{kind:?}");
    }
}

#[tokio::test]
async fn calls_without_an_id_or_with_a_gap_get_one_id_each() {
    let delta =
        |call: Value| format!("data: {}\n\n", json!({"choices": [{"delta": {"tool_calls": [call]}}]}));
    let all = [
        // An index that leaves a gap makes copies in `genai`.
        delta(json!({"index": 1, "id": "a", "function": {"name": "read", "arguments": "{\"path\":"}})),
        delta(json!({"index": 1, "function": {"arguments": "\"x\"}"}})),
        delta(json!({"index": 2, "id": "", "function": {"name": "read", "arguments": ""}})),
        delta(json!({"index": 3, "id": "", "function": {"name": "read", "arguments": ""}})),
    ];
    let all = [all.to_vec(), Events(ProviderKind::OpenAi).stop_for_calls()].concat();
    let answer = after(ProviderKind::OpenAi, vec![Step::Send(stream(&all))], PATIENT).await.unwrap();
    let shown: Vec<_> = answer.said.calls.iter().map(|call| (call.id.as_str(), &call.arguments)).collect();
    assert_eq!(
        shown,
        [("a", &json!({"path": "x"})), ("call#read#0", &json!({})), ("call#read#1", &json!({}))]
    );
}

#[tokio::test]
async fn reasons_to_stop() {
    use Finish::{Length, Other, Refused, Stop};
    for (kind, reason, finish) in [
        (ProviderKind::OpenAi, "length", Length),
        (ProviderKind::OpenAi, "content_filter", Refused),
        (ProviderKind::OpenAi, "insufficient_system_resource", Other),
        (ProviderKind::Anthropic, "max_tokens", Length),
        (ProviderKind::Anthropic, "stop_sequence", Stop),
        (ProviderKind::Anthropic, "refusal", Refused),
        (ProviderKind::Anthropic, "pause_turn", Other),
        (ProviderKind::Gemini, "MAX_TOKENS", Length),
        (ProviderKind::Gemini, "SAFETY", Refused),
    ] {
        let events = Events(kind);
        let all = [events.begin(), events.text("a"), events.end(reason)];
        let answer = after(kind, vec![Step::Send(stream(&all.concat()))], PATIENT).await.unwrap();
        assert_eq!(answer.finish, finish, "{kind:?} {reason}");
    }
}

#[tokio::test]
async fn an_answer_may_be_withheld_whole() {
    let blocked = "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n".to_owned();
    let answer = after(ProviderKind::Gemini, vec![Step::Send(stream(&[blocked]))], PATIENT).await.unwrap();
    assert_eq!((answer.finish, answer.said, answer.usage), (Finish::Refused, Said::default(), None));
}

#[tokio::test]
async fn usage_that_nobody_reports_is_unknown() {
    let all = [
        Events(ProviderKind::OpenAi).text("a"),
        vec![
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n".to_owned(),
        ],
    ];
    let answer = after(ProviderKind::OpenAi, vec![Step::Send(stream(&all.concat()))], PATIENT).await.unwrap();
    assert_eq!(answer.usage, None);
    let last =
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\n\n";
    let answer = after(ProviderKind::Gemini, vec![Step::Send(stream(&[last.to_owned()]))], PATIENT).await;
    assert_eq!(answer.unwrap().usage, None);
}

#[tokio::test]
async fn a_heartbeat_is_a_sign_of_life() {
    for (kind, beat) in [
        (ProviderKind::OpenAi, ": still at it\n\n"),
        (ProviderKind::Anthropic, "event: ping\ndata: {\"type\":\"ping\"}\n\n"),
    ] {
        let events = Events(kind);
        let steps = vec![
            Step::Send(stream(&events.begin())),
            Step::Repeat(beat.to_owned()),
            Step::Send([events.text("好"), events.stop()].concat().concat()),
        ];
        assert_eq!(after(kind, steps, IMPATIENT).await.unwrap().said.text, "好", "{kind:?}");
    }
}
