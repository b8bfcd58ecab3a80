//! `/livez`, `/readyz`, `/version` and `/metrics`: what they say, and to whom.

use std::process::{Command, Stdio};

use pb_protocol::methods::METHODS;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    Client, Exposition, Running, Scheduler, Sse, TestHome, dial, eventually, get, goal, goal_params, within,
};

/// Everything that is answered without an upgrade, but for `/livez`.
const ROUTES: [&str; 5] = ["/", "/events", "/readyz", "/metrics", "/version"];

async fn metrics(gateway: &Running) -> Exposition {
    let answer = get(gateway.address, "/metrics", &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Exposition::read(&answer.body)
}

/// Sends `method path` and gives the whole answer as it came.
async fn raw(gateway: &Running, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        gateway.address
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_03_every_route_but_livez_wants_credentials() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let origin = format!("http://localhost:{}", gateway.address.port());
    for (headers, expected) in [
        (vec![("Origin", origin.as_str())], 401),
        (vec![("Authorization", "Bearer cafe")], 401),
        (vec![("Host", "evil.example")], 403),
        (vec![("Origin", "null")], 403),
    ] {
        for route in ROUTES {
            let refused = get(gateway.address, route, &headers).await;
            assert_eq!(refused.status, expected, "{route} {headers:?}");
            assert!(
                !refused.body.contains("pb_") && !refused.body.contains("components"),
                "{}",
                refused.body
            );
        }
        let alive = get(gateway.address, "/livez", &headers).await;
        assert_eq!((alive.status, alive.body.as_str()), (200, "ok\n"));
    }
    let bearer = format!("Bearer {}", at.token());
    for route in ["/readyz", "/metrics", "/version"] {
        assert_eq!(get(gateway.address, route, &[("Authorization", &bearer)]).await.status, 200, "{route}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn these_routes_know_get_and_head_only() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    for route in ["/livez", "/readyz", "/metrics", "/version", "/events"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            let answer = raw(&gateway, method, route).await;
            assert!(answer.starts_with("HTTP/1.1 405 "), "{method} {route}: {answer}");
        }
        if route == "/events" {
            continue; // Its head comes, and then a stream without an end.
        }
        let answer = raw(&gateway, "HEAD", route).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{route}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_means_that_clients_can_be_served_with_or_without_a_scheduler() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let ready = async || {
        let answer = get(gateway.address, "/readyz", &[]).await;
        (answer.status, serde_json::from_str::<Value>(&answer.body).unwrap())
    };
    let mut client = Client::connect(gateway.address).await;
    client.call("goal.submit", goal_params("waits")).await.unwrap();
    let (status, body) = ready().await;
    insta::assert_snapshot!(format!("{status} {body}"), @r#"200 {"ready":true,"components":{"gateway":{"ok":true,"required":true},"inbox":{"ok":true,"required":true},"log":{"ok":true,"required":true},"link":{"ok":false,"required":false,"problem":"no scheduler is connected; what is asked for waits in the inbox"},"disk":{"ok":true,"required":false}}}"#);

    let scheduler = Scheduler::connected(&at).await;
    eventually("the scheduler is seen", async || {
        ready().await.1["components"]["link"] == json!({"ok": true, "required": false})
    })
    .await;
    drop(scheduler);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_read_makes_it_not_ready_and_a_new_one_makes_it_ready_again() {
    let at = TestHome::new();
    std::fs::create_dir_all(at.home.state_db().parent().unwrap()).unwrap();
    let gateway = at.gateway().await;
    std::fs::create_dir(at.home.state_db()).unwrap();
    let ready = async || get(gateway.address, "/readyz", &[]).await;
    eventually("it is not ready", async || ready().await.status == 503).await;
    let body: Value = serde_json::from_str(&ready().await.body).unwrap();
    assert_eq!((&body["ready"], &body["components"]["log"]["ok"]), (&json!(false), &json!(false)), "{body}");
    assert!(body["components"]["log"]["problem"].is_string(), "{body}");
    assert_eq!(body["components"]["inbox"]["ok"], true, "{body}");
    std::fs::remove_dir(at.home.state_db()).unwrap();
    eventually("it is ready again", async || ready().await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_names_build_and_protocol() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let answer = get(gateway.address, "/version", &[]).await;
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let version = pb_runtime::VERSION;
    let expected = json!({"name": "PonyBunny Gateway", "version": version, "build": build, "protocol": "1"});
    assert_eq!(body, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_counted() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let mut client = Client::connect(gateway.address).await;
    client.subscribe(json!({})).await;
    let mut stream = Sse::open(gateway.address, "/events", &[]).await;
    stream.next().await.unwrap();
    scheduler.tell(goal(1), 30).await;
    client.events(30).await;
    stream.take(30).await;
    client.ping().await;
    client.call("goal.status", json!({"goalId": "x"})).await.unwrap_err();
    client.call("no.such \"method\"\n", json!({})).await.unwrap_err();
    client.send("this is no request").await;
    client.answer().await;
    get(gateway.address, "/events", &[("Authorization", "Bearer cafe")]).await;
    get(gateway.address, "/events", &[("Host", "evil.example")]).await;
    let mut wrong = Client::connect(gateway.address).await;
    wrong.send("x".repeat(2 * 1024 * 1024)).await;
    wrong.closed().await;
    drop(wrong);
    eventually("it is gone", async || {
        metrics(&gateway).await.value(r#"pb_connections{state="websocket"}"#) < 1.5
    })
    .await;

    let page = metrics(&gateway).await;
    for (series, expected) in [
        (r#"pb_events_delivered_total{transport="websocket"}"#, "30"),
        (r#"pb_events_delivered_total{transport="event_stream"}"#, "30"),
        (r#"pb_requests_total{method="events.subscribe",outcome="ok"}"#, "1"),
        (r#"pb_requests_total{method="system.ping",outcome="ok"}"#, "1"),
        (r#"pb_requests_total{method="goal.status",outcome="refused"}"#, "1"),
        (r#"pb_requests_total{method="unknown",outcome="refused"}"#, "2"),
        (r#"pb_request_duration_seconds_count{method="system.ping"}"#, "1"),
        (r#"pb_admissions_refused_total{reason="wrong_token"}"#, "1"),
        (r#"pb_admissions_refused_total{reason="foreign_host"}"#, "1"),
        (r#"pb_closes_total{code="1009",reason="too_big"}"#, "1"),
        (r#"pb_connections{state="websocket"}"#, "1"),
        (r#"pb_connections{state="event_stream"}"#, "1"),
        ("pb_messages_received_total", "5"),
        ("pb_link_connected", "1"),
        ("pb_log_position", "30"),
        ("pb_log_lag_events", "0"),
        ("pb_inbox_waiting_commands", "0"),
        ("pb_slow_consumer_closes_total", "0"),
    ] {
        assert_eq!(page.text(series), expected, "{series}");
    }
    assert!(page.value(r#"pb_connections{state="http"}"#) >= 1.0, "who asks for the page");
    // The greeting, of each of two; five answers; the events.
    assert!(page.value("pb_frames_sent_total") >= 37.0);
    assert!(page.value("pb_sent_bytes_total") > page.value("pb_received_bytes_total"));
    for name in ["pb_resident_memory_bytes", "pb_open_fds"] {
        assert!(page.value(name) > 10.0, "{name}");
    }
    drop(stream);
    eventually("the stream is gone", async || {
        metrics(&gateway).await.value(r#"pb_connections{state="event_stream"}"#) < 0.5
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_may_name_makes_no_new_series() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    for n in 0..100 {
        client.call(&format!("method.{n}"), json!({})).await.unwrap_err();
    }
    for info in METHODS {
        // Their parameters are wrong, or they are answered: both are counted under their names.
        let _ = client.call(info.name, json!({"goalId": 7, "name": 7})).await;
    }
    let page = metrics(&gateway).await;
    let methods = page.of("pb_request_duration_seconds_count").count();
    assert_eq!(methods, METHODS.len() + 1, "each of the table, and `unknown`");
    assert_eq!(page.text(r#"pb_requests_total{method="unknown",outcome="refused"}"#), "100");
    assert_eq!(page.of("pb_requests_total").filter(|series| series.contains("failed")).count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_token_reads_metrics_until_it_is_revoked() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut admin = Client::connect(gateway.address).await;
    let made = admin.call("token.create", json!({"name": "scraper", "permissions": []})).await.unwrap();
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());
    let page = get(gateway.address, "/metrics", &[("Authorization", &bearer)]).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains(made["secret"].as_str().unwrap()));
    admin.call("token.revoke", json!({"tokenId": made["token"]["id"]})).await.unwrap();
    assert_eq!(get(gateway.address, "/metrics", &[("Authorization", &bearer)]).await.status, 401);
    assert!(dial(gateway.address, "/", &[]).await.is_ok());
}

/// The page of metrics, once everything has been counted that there is.
async fn full_page(at: &TestHome, gateway: &Running) -> String {
    let mut scheduler = Scheduler::connected(at).await;
    let mut client = Client::connect(gateway.address).await;
    let submitted = client.call("goal.submit", goal_params("counted"));
    let (_, events) = tokio::join!(submitted, async {
        eventually("the goal is in the inbox", async || !scheduler.inbox().await.is_empty()).await;
        scheduler.execute().await
    });
    assert!(!events.is_empty());
    get(gateway.address, "/", &[("Host", "evil.example")]).await;
    let mut gone = Client::connect(gateway.address).await;
    gone.send("x".repeat(2 * 1024 * 1024)).await;
    gone.closed().await;
    get(gateway.address, "/metrics", &[]).await.body
}

/// The page in docs/RPC.md names every family that there is, and no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_metric_is_documented() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let page = Exposition::read(&full_page(&at, &gateway).await);
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/RPC.md")).unwrap();
    let mut named: Vec<&str> = docs
        .lines()
        .filter_map(|line| line.strip_prefix("| `pb_")?.split_once('`'))
        .map(|(rest, _)| rest.split('{').next().unwrap())
        .collect();
    named.sort_unstable();
    let families: Vec<&str> =
        page.families.keys().map(|name| name.strip_prefix("pb_").expect("the prefix")).collect();
    assert_eq!(named, families);
}

/// What the makers of the format take for a page of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_the_page() {
    let Some(python) = python() else { return };
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let text = full_page(&at, &gateway).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metrics");
    std::fs::write(&file, &text).unwrap();
    let script = "import sys\nfrom prometheus_client.parser import text_string_to_metric_families as read\n\
                  for family in read(open(sys.argv[1]).read()):\n    print(family.type, family.name, len(family.samples))";
    let read = command(&python).args(["-c", script]).arg(&file).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let read = String::from_utf8(read.stdout).unwrap();
    assert_eq!(read.lines().count(), Exposition::read(&text).families.len(), "{read}");
    assert!(!read.contains("unknown"), "{read}");
    let samples: usize =
        read.lines().map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum();
    assert_eq!(samples, text.lines().filter(|line| !line.starts_with('#')).count());
}

#[expect(clippy::disallowed_methods, reason = "the test's own reader, which is no tool")]
fn command(program: &std::path::Path) -> Command {
    Command::new(program)
}

/// Python with the package `prometheus_client`; without it the test is skipped and says so.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn python() -> Option<std::path::PathBuf> {
    let python = pb_runtime::environment::path("PB_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let trial = command(&python).args(["-c", "import prometheus_client"]).stderr(Stdio::null()).status();
    if trial.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    eprintln!("skipped: there is no Python with prometheus_client; `cargo xtask test` installs it");
    None
}
