//! Clients that say a little, or nothing, and stay. The clock is moved on, so that nobody waits for its time-outs.

use std::time::Duration;

use serde_json::json;

use crate::support::{
    Client, Exposition, Raw, TestHome, answered_in_time, eventually, get, masked_frame, upgrade,
};

/// How long a request's head may take.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// Within how many seconds a socket that says nothing is closed: it is pinged after 30, and has as long to answer.
const SILENT_S: u32 = 62;
/// Connections in HTTP that there may be at once.
const HTTP_MAX: usize = 1024;

/// Moves the clock of the runtime on, at once.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn security_08_a_head_that_does_not_end_is_cut_off_in_time() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut healthy = Client::connect(gateway.address).await;
    let head = upgrade(gateway.address);
    let mut slow = Vec::new();
    // Nothing; a piece of a line; whole lines without an end; a head that grows for as long as it may.
    for start in [&b""[..], b"GET / HT", &head[..head.len() - 2], b"GET / HTTP/1.1\r\nX: "] {
        let mut raw = Raw::silent(gateway.address).await;
        assert!(raw.send(start).await);
        slow.push(raw);
    }
    for _ in 0..HEAD_MAX.as_secs() - 1 {
        pass(Duration::from_secs(1)).await;
        let last = slow.last_mut().unwrap();
        assert!(last.send(b"x").await, "it has time left");
        answered_in_time(&mut healthy).await;
    }
    pass(Duration::from_secs(2)).await;
    for (n, raw) in slow.iter_mut().enumerate() {
        let told = raw.http_head().await;
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 4"), "{n}: {told}");
    }
    answered_in_time(&mut healthy).await;
}

/// Who has been answered and asks nothing more is not kept, with credentials or without.
#[tokio::test]
async fn security_08_a_connection_that_asks_nothing_more_is_closed() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut healthy = Client::connect(gateway.address).await;
    let mut idle = Vec::new();
    for path in ["/livez", "/readyz", "/metrics", "/nowhere"] {
        let mut raw = Raw::silent(gateway.address).await;
        assert!(
            raw.send(format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", gateway.address).as_bytes()).await
        );
        assert!(raw.http_head().await.starts_with("HTTP/1.1 "), "{path}");
        idle.push(raw);
    }
    // A body that is announced and comes at a byte a second.
    let mut slow = Raw::silent(gateway.address).await;
    let post = format!("POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000000\r\n\r\n", gateway.address);
    assert!(slow.send(post.as_bytes()).await);
    for _ in 0..HEAD_MAX.as_secs() + 2 {
        pass(Duration::from_secs(1)).await;
        slow.send(b"x").await;
        answered_in_time(&mut healthy).await;
    }
    idle.push(slow);
    let open = async || {
        let page = get(gateway.address, "/metrics", &[]).await.body;
        Exposition::read(&page).value(r#"pb_connections{state="http"}"#)
    };
    eventually("they are closed", async || open().await < 1.5).await;
    drop(idle);
}

/// As many as there may be, and then some: who is in is served, and who knocks is let in once they are cut off.
#[tokio::test]
async fn security_08_a_thousand_idle_sockets_are_capped_and_closed_at_the_time_out() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut healthy = Client::connect(gateway.address).await;
    let before = pb_runtime::process::resident_memory_kib(std::process::id()).unwrap();
    let mut idle = Vec::new();
    for _ in 0..HTTP_MAX + 50 {
        idle.push(Raw::silent(gateway.address).await);
    }
    answered_in_time(&mut healthy).await;
    let grown = pb_runtime::process::resident_memory_kib(std::process::id()).unwrap().saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB for {} idle sockets", idle.len());
    // Those beyond wait in the kernel's queue; two time-outs later all have had their turn.
    for _ in 0..3 {
        pass(HEAD_MAX + Duration::from_secs(1)).await;
        answered_in_time(&mut healthy).await;
    }
    let mut late = Client::connect(gateway.address).await;
    answered_in_time(&mut late).await;
    for raw in &mut idle {
        raw.http_head().await;
    }
}

/// No end of them was ever told: neither a close nor a FIN.
#[tokio::test]
async fn who_is_half_gone_is_closed_by_the_heartbeat() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut healthy = Client::connect(gateway.address).await;
    let silent = Raw::upgraded(gateway.address).await;
    let mut in_a_frame = Raw::upgraded(gateway.address).await;
    let endless = masked_frame(0x81, &[b'x'; 4_000]);
    assert!(in_a_frame.send(&endless[..8]).await);
    let mut trickle = Raw::upgraded(gateway.address).await;
    assert!(trickle.send(&endless[..8]).await);
    for _ in 0..SILENT_S {
        pass(Duration::from_secs(1)).await;
        // A byte of a frame is no sign of life: only what is whole is.
        trickle.send(b"x").await;
        answered_in_time(&mut healthy).await;
    }
    for mut gone in [silent, in_a_frame, trickle] {
        assert_eq!(gone.closed().await, Some(1000));
    }
    answered_in_time(&mut healthy).await;
    let list = healthy.call("system.status", json!({})).await.unwrap();
    assert_eq!(list["gateway"]["connections"]["total"], 1);
}
