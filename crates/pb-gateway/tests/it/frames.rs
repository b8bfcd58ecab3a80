//! What a client may send, and what becomes of it when it is wrong (`wire.md` §2.3).

use pb_protocol::frame::REQUEST_BYTES_MAX;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::{Client, TestHome};

/// Sends the text; gives the answer's id, code and message.
async fn refused(client: &mut Client, message: Message) -> (String, i64, String) {
    client.send(message).await;
    let answer = client.answer().await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&answer["id"]), answer["error"]["code"].as_i64().unwrap(), text(&answer["error"]["message"]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_is_no_request_is_answered_with_its_code_and_the_connection_goes_on() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let (mut client, mut other) =
        (Client::connect(gateway.address).await, Client::connect(gateway.address).await);
    let no_field = |name| format!("Request must have a non-empty string \"{name}\"");
    let no_type = "Missing or invalid \"type\" field".to_owned();
    for (text, problem) in [
        ("[]", "Message must be an object".to_owned()),
        ("null", "Message must be an object".to_owned()),
        ("7", "Message must be an object".to_owned()),
        ("{}", no_type.clone()),
        (r#"{"type":7,"id":"1","method":"system.ping"}"#, no_type.clone()),
        (r#"{"type":"","id":"1","method":"system.ping"}"#, no_type),
        (r#"{"type":"hello","id":"1"}"#, "Unknown frame type: hello".to_owned()),
        (r#"{"type":"event","event":"x","data":{}}"#, "Only request frames are accepted".to_owned()),
        (r#"{"type":"res","id":"1","result":1}"#, "Only request frames are accepted".to_owned()),
        (r#"{"type":"req","method":"system.ping"}"#, no_field("id")),
        (r#"{"type":"req","id":7,"method":"system.ping"}"#, no_field("id")),
        (r#"{"type":"req","id":"","method":"system.ping"}"#, no_field("id")),
        (r#"{"type":"req","id":"1"}"#, no_field("method")),
        (r#"{"type":"req","id":"1","method":["a"]}"#, no_field("method")),
    ] {
        let answer = refused(&mut client, Message::text(text)).await;
        assert_eq!(answer, (String::new(), -32600, format!("Invalid request: {problem}")), "{text}");
        client.ping().await;
    }
    other.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_not_json_is_a_parse_error_and_the_connection_goes_on() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for message in [
        Message::text(""),
        Message::text("帮"),
        Message::text("{\"type\":\"req\""),
        Message::text("{\"type\":\"req\"} {}"),
        Message::text("{\"type\":\"req\",\"id\":\"a\u{0}b\",\"method\":\"system.ping\"}"),
        Message::text(r#"{"type":"req","id":"\ud83d","method":"system.ping"}"#),
        Message::text(deep),
        Message::binary(&b"\xff\xfe\x00"[..]),
        Message::binary(&b"\0"[..]),
    ] {
        let answer = refused(&mut client, message).await;
        assert_eq!(answer, (String::new(), -32700, "Parse error: Invalid JSON".to_owned()));
        client.ping().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_binary_message_is_read_as_the_text_that_it_holds() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let request = r#"{"type":"req","id":"家","method":"system.info","params":null}"#;
    client.send(Message::binary(request.as_bytes())).await;
    let answer = client.answer().await;
    assert_eq!((&answer["id"], &answer["result"]["name"]), (&json!("家"), &json!("PonyBunny Gateway")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_cannot_be_served_is_refused_under_its_own_id() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    for (method, params, code, message) in [
        ("goal.explode", json!({}), -32601, "Method not found: goal.explode"),
        ("auth.nothing", json!({}), -32601, "Method not found: auth.nothing"),
        ("goal.status", json!({}), -32602, "Invalid params: missing field `goalId`"),
        (
            "goal.status",
            json!({"goalId": 7}),
            -32602,
            "Invalid params: goalId: invalid type: integer `7`, expected a string",
        ),
        ("goal.status", json!([]), -32602, "Invalid params: "),
        ("goal.list", json!({"limit": -1}), -32602, "Invalid params: limit: "),
        ("goal.list", json!({"status": "asleep"}), -32602, "Invalid params: status: "),
        ("goal.submit", json!({"title": "a\u{0}b", "description": "d"}), -32602, "Invalid params: title: "),
        ("goal.status", json!({"goalId": "none of ours"}), -32010, "goal not found: none of ours"),
        ("workitem.runs", json!({"workItemId": "x"}), -32011, "workitem not found: x"),
        ("events.subscribe", json!({"kinds": "goal.*"}), -32602, "Invalid params: kinds: "),
    ] {
        let error = client.call(method, params).await.unwrap_err();
        assert_eq!(error["code"], code, "{error}");
        let text = error["message"].as_str().unwrap();
        assert!(text.starts_with(message), "{text}");
        client.ping().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_long_closes_its_own_connection_with_the_reason() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut other = Client::connect(gateway.address).await;
    let title = |bytes: usize| {
        let frame = |title: &str| {
            json!({"type": "req", "id": "1", "method": "x", "params": {"t": title}}).to_string()
        };
        frame(&"x".repeat(bytes - frame("").len()))
    };
    let mut client = Client::connect(gateway.address).await;
    let longest = refused(&mut client, Message::text(title(REQUEST_BYTES_MAX))).await;
    assert_eq!(longest, ("1".to_owned(), -32601, "Method not found: x".to_owned()));

    client.send(Message::text(title(REQUEST_BYTES_MAX + 1))).await;
    assert_eq!(client.closed().await, Some((1009, "message too big".to_owned())));
    // In frames that are each short enough.
    let mut client = Client::connect(gateway.address).await;
    client.send_in_pieces(&title(REQUEST_BYTES_MAX + 1), REQUEST_BYTES_MAX / 2).await;
    assert_eq!(client.closed().await, Some((1009, "message too big".to_owned())));
    // While it is still being sent.
    let mut client = Client::connect(gateway.address).await;
    client.send_what_is_taken("x".repeat(16 * REQUEST_BYTES_MAX)).await;
    assert_eq!(client.closed().await, Some((1009, "message too big".to_owned())));
    other.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_is_not_utf8_closes_its_own_connection_with_the_reason() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let (mut client, mut other) =
        (Client::connect(gateway.address).await, Client::connect(gateway.address).await);
    let frame = Frame::message(&b"{\"type\":\"\xff\"}"[..], OpCode::Data(Data::Text), true);
    client.send(Message::Frame(frame)).await;
    assert_eq!(client.closed().await, Some((1007, "text is not UTF-8".to_owned())));
    other.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_gone_in_the_middle_of_a_message_harms_nobody() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut other = Client::connect(gateway.address).await;
    for _ in 0..20 {
        let mut client = Client::connect(gateway.address).await;
        let frame = Frame::message(&b"{\"type\":\"req\""[..], OpCode::Data(Data::Text), false);
        client.send(Message::Frame(frame)).await;
    }
    crate::support::eventually("the connections are gone", async || {
        let status = other.call("system.status", json!({})).await.unwrap();
        status["gateway"]["connections"]["total"] == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_sent_at_once_are_each_answered_once() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    for n in 0..200 {
        let request = json!({"type": "req", "id": format!("{n}"), "method": "goal.list"});
        client.send(Message::text(request.to_string())).await;
    }
    let mut answered = Vec::new();
    for _ in 0..200 {
        let answer = client.answer().await;
        assert_eq!(answer["result"], json!({"goals": [], "total": 0}));
        answered.push(answer["id"].as_str().unwrap().parse::<u32>().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, (0..200).collect::<Vec<_>>());
}
