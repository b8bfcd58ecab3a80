//! What every answer tells a browser, and what it never does.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Running, TestHome, within};

/// What stands in every head, in small letters.
const ALWAYS: [&str; 5] = [
    "content-security-policy: default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options: nosniff",
    "referrer-policy: no-referrer",
    "cross-origin-resource-policy: same-origin",
    "cache-control: no-store",
];
/// What would let the page of another origin read an answer, or keep something.
const NEVER: [&str; 2] = ["access-control-", "set-cookie"];

/// The head of the answer, in small letters.
async fn head(gateway: &Running, request: &str, headers: &str) -> String {
    let address = gateway.address;
    let host = if headers.starts_with("Host:") { String::new() } else { format!("Host: {address}\r\n") };
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = format!("{request} HTTP/1.1\r\n{host}{headers}\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("the head", stream.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_09_every_answer_tells_a_browser_to_run_and_share_nothing_of_it() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let bearer = format!("Authorization: Bearer {}\r\n", at.token());
    for (request, headers, status) in [
        ("GET /livez", "", 200),
        ("GET /livez", "Host: evil.test\r\n", 200),
        ("GET /readyz", "", 200),
        ("GET /metrics", "", 200),
        ("GET /version", "", 200),
        ("GET /events", "", 200),
        ("GET /events?after=nonsense", "", 400),
        ("GET /events?deltas=perhaps", "", 400),
        ("POST /events", "Content-Length: 0\r\n", 405),
        ("GET /", "", 426),
        ("GET /any/path?at=all", "", 426),
        ("OPTIONS /", "Origin: http://evil.test\r\nAccess-Control-Request-Method: POST\r\n", 403),
        ("GET /", upgrade, 101),
        ("GET /", "Host: evil.test\r\n", 403),
        ("GET /metrics", "Sec-Fetch-Site: cross-site\r\n", 403),
        ("GET /events", "Sec-Fetch-Site: same-site\r\n", 403),
        ("GET /metrics", "Sec-Fetch-Site: none\r\n", 401),
        ("GET /events", "Origin: null\r\n", 403),
        ("GET /events", "Authorization: Bearer wrong\r\n", 401),
        ("GET /events?token=wrong", "", 400),
        ("GET /metrics", &bearer, 200),
    ] {
        let head = head(&gateway, request, headers).await;
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{request} {headers}: {head}");
        for line in ALWAYS {
            let times = head.lines().filter(|one| *one == line).count();
            assert_eq!(times, 1, "{request} {headers}: {line} in {head}");
        }
        for name in NEVER {
            assert!(!head.lines().any(|line| line.starts_with(name)), "{request} {headers}: {head}");
        }
    }
}
