//! Frames that no client may send, and messages in many pieces.

use serde_json::json;

use crate::support::{Beside, Raw, TestHome, header, masked_frame as frame};

const TEXT: u8 = 0x01;
const FIN: u8 = 0x80;
const PING: u8 = 0x89;
const CLOSE: u8 = 0x88;
/// The bit that says that a message is compressed, where that was agreed on. It never is here.
const COMPRESSED: u8 = 0x40;

const REQUEST: &[u8] = br#"{"type":"req","id":"1","method":"system.ping"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_may_not_be_closes_its_own_connection_with_the_code_that_says_why() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let beside = Beside::start(gateway.address).await;
    let unmasked = [&[FIN | TEXT, u8::try_from(REQUEST.len()).unwrap()], REQUEST].concat();
    let text_in_text = [frame(TEXT, b"{"), frame(FIN | TEXT, REQUEST)].concat();
    let half_a_letter = [frame(TEXT, b"\"\xe5"), frame(FIN, b"\x28\"")].concat();
    for (what, bytes, code) in [
        ("compressed, which nobody agreed on", frame(FIN | COMPRESSED | TEXT, REQUEST), 1002),
        ("the second reserved bit", frame(FIN | 0x20 | TEXT, REQUEST), 1002),
        ("the third reserved bit", frame(FIN | 0x10 | TEXT, REQUEST), 1002),
        ("an opcode of the future", frame(FIN | 0x03, REQUEST), 1002),
        ("a control opcode of the future", frame(FIN | 0x0b, b""), 1002),
        ("not masked", unmasked, 1002),
        ("the rest of nothing", frame(FIN, REQUEST), 1002),
        ("a text within a text", text_in_text, 1002),
        ("a ping in pieces", frame(0x09, b"a"), 1002),
        ("a ping that is too long", frame(PING, &[b'p'; 126]), 1002),
        ("2^63 bytes", header(FIN | TEXT, 1 << 63), 1009),
        ("2^63 - 1 bytes", header(FIN | TEXT, (1 << 63) - 1), 1009),
        ("2^32 bytes of a piece", header(TEXT, 1 << 32), 1009),
        ("no text", frame(FIN | TEXT, b"{\"type\":\"\xff\"}"), 1007),
        ("a letter that is cut off", frame(FIN | TEXT, b"\"\xe5\xae"), 1007),
        ("a letter in two pieces that do not fit", half_a_letter, 1007),
        ("a surrogate", frame(FIN | TEXT, b"\"\xed\xa0\xbd\""), 1007),
    ] {
        for step in [1, bytes.len()] {
            let mut client = Raw::upgraded(gateway.address).await;
            for piece in bytes.chunks(step) {
                client.send(piece).await; // It may be closed in the middle.
            }
            assert_eq!(client.closed().await, Some(code), "{what}, {step} at once");
        }
    }
    beside.finish().await;
}

/// What is announced and not sent costs nothing: neither time nor memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_length_is_not_believed() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let beside = Beside::start(gateway.address).await;
    let before = pb_runtime::process::resident_memory_kib(std::process::id()).unwrap();
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut client = Raw::upgraded(gateway.address).await;
        // The longest that is allowed, of which nothing follows.
        assert!(client.send(&header(FIN | TEXT, 1024 * 1024)).await);
        clients.push(client);
    }
    beside.finish().await;
    let grown = pb_runtime::process::resident_memory_kib(std::process::id()).unwrap().saturating_sub(before);
    assert!(grown < 64 * 1024, "200 promises of 1 MiB cost {grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_in_many_pieces_with_pings_between_is_understood() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let beside = Beside::start(gateway.address).await;
    let mut client = Raw::upgraded(gateway.address).await;
    let request =
        json!({"type": "req", "id": "家", "method": "system.ping", "params": {"x": "春".repeat(2000)}});
    let text = request.to_string().into_bytes();
    let mut bytes = Vec::new();
    for (n, byte) in text.iter().enumerate() {
        let first = if n == 0 { TEXT } else { 0 };
        let last = if n + 1 == text.len() { FIN } else { 0 };
        bytes.extend(frame(first | last, &[*byte]));
        if n % 3 == 0 {
            bytes.extend(frame(if last == 0 { 0 } else { PING }, b""));
        }
        if n % 100 == 0 {
            bytes.extend(frame(PING, n.to_string().as_bytes()));
        }
    }
    assert!(client.send(&bytes).await);
    let answer = client.answer().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("家"), &json!(null)), "{answer}");
    beside.finish().await;
}

/// Pieces without anything in them, on and on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_never_ends_holds_up_nobody() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let beside = Beside::start(gateway.address).await;
    let empty = frame(0, b"").repeat(10_000);
    for _ in 0..4 {
        let mut client = Raw::upgraded(gateway.address).await;
        client.send(&frame(TEXT, b"{")).await;
        for _ in 0..30 {
            assert!(client.send(&empty).await, "nothing is wrong with it yet");
        }
        client.send(&frame(FIN, b"}")).await;
        assert_eq!(client.answer().await["error"]["code"], -32600);
        assert!(client.send(&frame(CLOSE, &1000_u16.to_be_bytes())).await);
        assert_eq!(client.closed().await, Some(1000));
    }
    beside.finish().await;
}
