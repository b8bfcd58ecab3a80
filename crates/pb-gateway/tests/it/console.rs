//! The page for people, and how a browser gets in (`security.md` 3, 4, 9).

use std::fmt::Write as _;
use std::net::SocketAddr;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Client, Running, TestHome, another_user, dial, within};

/// What a browser says when a person opens a page.
const OPENED: (&str, &str) = ("Sec-Fetch-Site", "none");
/// What it says when a page of the same origin asks.
const OF_OUR_PAGE: (&str, &str) = ("Sec-Fetch-Site", "same-origin");
const SESSION: &str = "/console/session";

/// An answer.
struct Answer {
    status: u16,
    /// In small letters.
    head: String,
    body: String,
}

impl Answer {
    /// The value of a header.
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The cookie that it sets, as a browser sends it back.
    fn cookie(&self) -> String {
        self.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }
}

async fn ask(at: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask_on(TcpStream::connect(at).await.unwrap(), at, (method, path), headers).await
}

async fn ask_on(
    mut stream: TcpStream,
    at: SocketAddr,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        write!(text, "Host: {at}\r\n").unwrap();
    }
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    stream.write_all(format!("{text}\r\n").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    within("the answer", stream.read_to_end(&mut bytes)).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// An access token for a browser: its secret and its id.
async fn token(gateway: &Running, params: Value) -> (String, String) {
    let mut admin = Client::connect(gateway.address).await;
    let made = admin.call("token.create", params).await.unwrap();
    (made["secret"].as_str().unwrap().to_owned(), made["token"]["id"].as_str().unwrap().to_owned())
}

/// The cookie of a browser that came in.
async fn come_in(gateway: &Running, secret: &str) -> Answer {
    let bearer = format!("Bearer {secret}");
    ask(gateway.address, "POST", SESSION, &[OF_OUR_PAGE, ("Authorization", &bearer)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_03_a_browser_without_a_token_is_shown_the_files_and_nothing_else() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let address = gateway.address;
    for (path, kind) in [
        ("/", "text/html"),
        ("/app.js", "text/javascript"),
        ("/layout.js", "text/javascript"),
        ("/app.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
        ("/?gatewayUrl=ws://evil.test", "text/html"),
    ] {
        for site in [OPENED, OF_OUR_PAGE] {
            let shown = ask(address, "GET", path, &[site]).await;
            assert_eq!(shown.status, 200, "{path}");
            assert_eq!(shown.header("content-type"), Some(format!("{kind}; charset=utf-8").as_str()));
            assert!(!shown.body.is_empty() && !shown.body.contains(&at.token()));
            let tag = shown.header("etag").unwrap().to_owned();
            let again = ask(address, "GET", path, &[site, ("If-None-Match", &tag)]).await;
            assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
            let head = ask(address, "HEAD", path, &[site]).await;
            assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        }
        for (header, status) in [
            (("Sec-Fetch-Site", "cross-site"), 403),
            (("Sec-Fetch-Site", "same-site"), 403),
            (("Origin", "null"), 403),
            (("Host", "evil.test"), 403),
        ] {
            assert_eq!(ask(address, "GET", path, &[header]).await.status, status, "{path} {header:?}");
        }
        let posted = ask(address, "POST", path, &[OF_OUR_PAGE]).await;
        assert_eq!(posted.status, 401, "{path}");
    }
    for path in
        [SESSION, "/events", "/metrics", "/readyz", "/version", "/index.html", "/app.js/", "/../app.js"]
    {
        assert_eq!(ask(address, "GET", path, &[OPENED]).await.status, 401, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_09_the_page_loads_and_asks_nothing_of_anybody_else() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    for path in ["/", "/app.js", "/layout.js", "/app.css", "/icon.svg"] {
        let shown = ask(gateway.address, "GET", path, &[OPENED]).await;
        let policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";
        assert_eq!(shown.header("content-security-policy"), Some(policy), "{path}");
        assert_eq!(shown.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(shown.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(shown.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert_eq!(shown.header("set-cookie"), None, "{path}");
        assert!(!shown.head.contains("access-control-"), "{path}: {}", shown.head);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_04_a_token_becomes_a_cookie_that_no_script_reads_and_is_refused_in_a_url() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let (address, port) = (gateway.address, gateway.address.port());
    let (secret, _) = token(&gateway, json!({"name": "console", "permissions": ["write"]})).await;

    let refused = ask(address, "GET", &format!("/?token={secret}"), &[OPENED]).await;
    assert_eq!(refused.status, 400, "a token in a query");
    let came = come_in(&gateway, &secret).await;
    assert_eq!((came.status, came.body.as_str()), (204, ""));
    let cookie = format!("pb-console-{port}={secret}");
    let expected = format!("{cookie}; path=/; httponly; samesite=strict");
    assert_eq!(came.header("set-cookie"), Some(expected.as_str()));

    let with = [OF_OUR_PAGE, ("Cookie", cookie.as_str())];
    let seen = ask(address, "GET", SESSION, &with).await;
    assert_eq!(seen.status, 200);
    assert!(!seen.body.contains(&secret), "{}", seen.body);
    let seen: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(seen["permissions"], json!(["read", "write"]));
    let origin = format!("http://{address}");
    let mut page = dial(address, "/", &[("Origin", &origin), ("Cookie", &cookie)]).await.unwrap();
    assert_eq!(page.greeting["data"]["permissions"], json!(["read", "write"]));
    assert_eq!(page.call("system.ping", json!({})).await.unwrap()["pong"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_04_a_cookie_counts_only_for_a_page_of_our_own_origin() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let (address, port) = (gateway.address, gateway.address.port());
    let (secret, _) = token(&gateway, json!({"name": "console", "permissions": ["admin"]})).await;
    let cookie = come_in(&gateway, &secret).await.cookie();
    let localhost = format!("http://localhost:{port}");
    let other_port = format!("http://127.0.0.1:{}", port ^ 1);
    let ours = format!("http://{address}");
    for (headers, status) in [
        (vec![("Sec-Fetch-Site", "none")], 401),
        (vec![("Sec-Fetch-Site", "same-site")], 403),
        (vec![("Sec-Fetch-Site", "cross-site")], 403),
        (vec![("Origin", "null")], 403),
        (vec![("Origin", other_port.as_str())], 403),
        // It is our port by another of our names: not where the cookie is from.
        (vec![("Origin", localhost.as_str())], 401),
        (vec![("Origin", ours.as_str()), ("Sec-Fetch-Site", "none")], 401),
        (vec![("Origin", ours.as_str())], 200),
        (vec![("Origin", ours.as_str()), ("Sec-Fetch-Site", "same-origin")], 200),
    ] {
        let mut headers = headers;
        headers.push(("Cookie", cookie.as_str()));
        let answer = ask(address, "GET", SESSION, &headers).await;
        assert_eq!(answer.status, status, "{headers:?}");
        let upgraded = dial(address, "/", &headers).await.err().unwrap_or(200);
        assert_eq!(upgraded, status, "{headers:?}");
    }
    // A program that sends it is let in for its own sake, as ever, with what that gives.
    let program = ask(address, "GET", SESSION, &[("Cookie", &cookie)]).await;
    assert!(program.body.contains("local:"), "{}", program.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_04_a_cookie_of_ours_that_another_user_got_hold_of_lets_nobody_in() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let address = gateway.address;
    let (secret, _) = token(&gateway, json!({"name": "console", "permissions": ["admin"]})).await;
    let cookie = come_in(&gateway, &secret).await.cookie();
    let bearer = format!("Bearer {secret}");
    for (method, headers, status) in [
        ("GET", vec![OF_OUR_PAGE, ("Cookie", cookie.as_str())], 401),
        ("POST", vec![OF_OUR_PAGE, ("Authorization", bearer.as_str())], 403),
    ] {
        let Some(stream) = another_user(address) else { return };
        let answer = ask_on(stream, address, (method, SESSION), &headers).await;
        assert_eq!(answer.status, status, "{method}: {}", answer.body);
        assert_eq!(answer.header("set-cookie"), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_04_our_own_token_is_in_no_cookie() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let own = come_in(&gateway, &at.token()).await;
    assert_eq!((own.status, own.header("set-cookie")), (403, None), "{}", own.body);
    let cookie = format!("pb-console-{}={}", gateway.address.port(), at.token());
    let refused = ask(gateway.address, "GET", SESSION, &[OF_OUR_PAGE, ("Cookie", &cookie)]).await;
    assert_eq!(refused.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_05_a_cookie_that_is_wrong_counts_as_a_wrong_token_and_is_forgotten() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let cookie = format!("pb-console-{}=guessed", gateway.address.port());
    let mut statuses = Vec::new();
    for _ in 0..22 {
        let answer = ask(gateway.address, "GET", SESSION, &[OF_OUR_PAGE, ("Cookie", &cookie)]).await;
        if answer.status == 401 {
            assert!(answer.header("set-cookie").unwrap().contains("max-age=0"), "{}", answer.head);
        }
        statuses.push(answer.status);
    }
    assert_eq!((statuses[0], statuses[19], statuses[21]), (401, 401, 429), "{statuses:?}");
    let page = ask(gateway.address, "GET", "/", &[OPENED, ("Cookie", &cookie)]).await;
    assert_eq!(page.status, 200, "the files are shown all the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_07_a_browser_that_leaves_ends_its_token_and_every_page_of_it() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let address = gateway.address;
    let (secret, id) = token(&gateway, json!({"name": "console", "permissions": ["admin"]})).await;
    let cookie = come_in(&gateway, &secret).await.cookie();
    let origin = format!("http://{address}");
    let headers = [("Origin", origin.as_str()), ("Cookie", cookie.as_str())];
    let mut page = dial(address, "/", &headers).await.unwrap();
    let left = ask(address, "DELETE", SESSION, &headers).await;
    assert_eq!(left.status, 204);
    assert!(left.header("set-cookie").unwrap().contains("max-age=0"));
    assert_eq!(page.closed().await, Some((4003, "token_revoked".to_owned())));
    assert_eq!(ask(address, "GET", SESSION, &headers).await.status, 401);
    let mut admin = Client::connect(address).await;
    let listed = admin.call("token.list", json!({})).await.unwrap();
    let row = listed["tokens"].as_array().unwrap().iter().find(|row| row["id"] == id.as_str()).unwrap();
    assert_eq!((&row["name"], &row["status"]), (&json!("console"), &json!("revoked")));
}
