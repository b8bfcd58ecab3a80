//! Closing, as the protocol does not have it.

use crate::support::{Beside, Raw, TestHome, masked_frame as frame};

const CLOSE: u8 = 0x88;
const TEXT: u8 = 0x81;
const REQUEST: &[u8] = br#"{"type":"req","id":"1","method":"system.ping"}"#;

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(CLOSE, &[&code.to_be_bytes(), reason].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_to_close_is_an_end() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let beside = Beside::start(gateway.address).await;
    for (what, bytes, codes) in [
        ("in order", close(1000, b""), &[1000][..]),
        ("without a code", frame(CLOSE, b""), &[1000]),
        ("with the longest reason", close(1000, &[b'r'; 123]), &[1000]),
        ("with a code of our own", close(4999, b"mine"), &[4999]),
        ("half a code", frame(CLOSE, &[3]), &[1002]),
        ("a code that is never sent", close(1005, b""), &[1000, 1002]),
        ("a code of nobody", close(1, b""), &[1000, 1002]),
        ("a reason that is no text", close(1000, b"\xff\xfe"), &[1002, 1007]),
        ("a reason that is too long", close(1000, &[b'r'; 124]), &[1002]),
        ("in pieces", frame(0x08, &1000_u16.to_be_bytes()), &[1002]),
        ("twice", close(1000, b"").repeat(2), &[1000]),
        ("a hundred times", close(1001, b"").repeat(100), &[1001]),
        ("and on with it", [close(1000, b""), frame(TEXT, REQUEST)].concat(), &[1000]),
        ("in the middle of a message", [frame(0x01, b"{"), close(1000, b"")].concat(), &[1000]),
    ] {
        let mut client = Raw::upgraded(gateway.address).await;
        assert!(client.send(&bytes).await, "{what}");
        let code = client.closed().await.unwrap_or_else(|| panic!("{what}: no close frame"));
        assert!(codes.contains(&code), "{what}: {code}");
    }
    beside.finish().await;
}

/// What was asked before the goodbye may be answered or not; what is asked after it is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_after_goodbye_is_not_answered() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let beside = Beside::start(gateway.address).await;
    for _ in 0..50 {
        let mut client = Raw::upgraded(gateway.address).await;
        let asks = [close(1000, b""), frame(TEXT, REQUEST).repeat(100)].concat();
        client.send(&asks).await;
        while let Some((opcode, payload)) = client.frame().await {
            let text = String::from_utf8_lossy(&payload);
            assert!(opcode != 1 || !text.contains("\"res\""), "{text}");
        }
    }
    beside.finish().await;
}

/// Who says goodbye and then stays is let go of after a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_goodbye_and_goes_on_sending_is_let_go_of() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let beside = Beside::start(gateway.address).await;
    let mut client = Raw::upgraded(gateway.address).await;
    let began = std::time::Instant::now();
    client.send(&close(1000, b"")).await;
    while client.send(&frame(TEXT, REQUEST)).await {
        assert!(began.elapsed() < 3 * std::time::Duration::from_secs(2), "it is still listened to");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await; // wait: the pace of one who goes on
    }
    beside.finish().await;
}
