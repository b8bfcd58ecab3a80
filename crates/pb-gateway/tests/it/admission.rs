//! Who comes in, over real requests (`security.md`, "The gateway").

use std::os::unix::fs::PermissionsExt;

use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Client, Running, TestHome, dial, get, goal_params};

/// The status of a plain request, of an event stream and of an upgrade with these headers.
async fn statuses(gateway: &Running, query: &str, headers: &[(&str, &str)]) -> [u16; 4] {
    let at = gateway.address;
    let upgrade = async |path: String| dial(at, &path, headers).await.err().unwrap_or(101);
    [
        get(at, &format!("/{query}"), headers).await.status,
        get(at, &format!("/events{query}"), headers).await.status,
        upgrade(format!("/{query}")).await,
        upgrade(format!("/events{query}")).await,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_01_a_foreign_origin_or_host_is_refused_on_every_route_even_with_the_token() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let port = gateway.address.port();
    let bearer = format!("Bearer {}", at.token());
    let ours = format!("127.0.0.1:{port}");
    for (name, value) in [
        ("Origin", "null"),
        ("Origin", "https://evil.example"),
        ("Origin", "http://localhost"),
        ("Origin", "http://127.0.0.1:1"),
        ("Host", "evil.example"),
        ("Host", "127.0.0.1:1"),
        ("Host", "127.0.0.1.evil.example"),
    ] {
        let headers = [(name, value), ("Authorization", bearer.as_str())];
        assert_eq!(statuses(&gateway, "", &headers).await, [403; 4], "{name}: {value}");
    }
    let refused = get(gateway.address, "/events", &[("Host", &ours), ("Host", &ours)]).await;
    assert_eq!(refused.status, 403, "two hosts");
    let refused = get(gateway.address, "/nowhere/at/all", &[("Host", "evil.example")]).await;
    assert_eq!(refused.status, 403, "any path");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_refused_though_none_would_do() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let token = at.token();
    let cut = token.get(1..).unwrap();
    for wrong in ["Bearer cafe", "Bearer ", &format!("Bearer {cut}"), &format!("Basic {token}"), &token] {
        assert_eq!(statuses(&gateway, "", &[("Authorization", wrong)]).await, [401; 4], "{wrong}");
    }
    let bearer = format!("Bearer {token}");
    let client = dial(gateway.address, "/", &[("Authorization", &bearer)]).await.unwrap();
    assert_eq!(client.greeting["data"]["permissions"], json!(["read", "write", "admin"]));
    let mode = std::fs::metadata(at.home.token()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_04_a_token_in_a_url_is_refused_right_or_wrong() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let token = at.token();
    for query in ["?token=cafe", &format!("?token={token}"), &format!("?a=b&x={token}"), "?access_token=1"] {
        assert_eq!(statuses(&gateway, query, &[]).await, [400; 4], "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_02_a_page_of_our_own_needs_the_token_and_a_program_of_our_own_user_does_not() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let origin = format!("http://localhost:{}", gateway.address.port());
    let bearer = format!("Bearer {}", at.token());
    assert_eq!(statuses(&gateway, "", &[("Origin", &origin)]).await, [401; 4]);
    let page = [("Origin", origin.as_str()), ("Authorization", bearer.as_str())];
    assert!(dial(gateway.address, "/", &page).await.is_ok());
    let mut program = Client::connect(gateway.address).await;
    assert_eq!(program.greeting["event"], "connection.authenticated");
    assert!(program.call("goal.submit", goal_params("mine")).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_02_where_tools_are_not_confined_only_the_token_may_write() {
    let at = TestHome::new();
    let mut config = at.config();
    config.tools_are_confined = false;
    let gateway = Running::start(config).await.unwrap();
    let mut looker = Client::connect(gateway.address).await;
    assert_eq!(looker.greeting["data"]["permissions"], json!(["read"]));
    let id = json!({"goalId": "goal_00000000000000000000000000000001"});
    for (method, params) in [("goal.submit", goal_params("not mine")), ("goal.cancel", id)] {
        let error = looker.call(method, params).await.unwrap_err();
        assert_eq!(error["code"], -32004, "{method}");
        assert_eq!(error["message"], "Permission denied: requires 'write'", "{method}");
    }
    let list = looker.call("goal.list", json!({})).await.unwrap();
    assert_eq!(list, json!({"goals": [], "total": 0}), "it may look, and nothing was kept");
    looker.subscribe(json!({})).await;

    let bearer = format!("Bearer {}", at.token());
    let mut writer = dial(gateway.address, "/", &[("Authorization", &bearer)]).await.unwrap();
    let goal = writer.call("goal.submit", goal_params("mine")).await.unwrap();
    let list = looker.call("goal.list", json!({})).await.unwrap();
    assert_eq!(list["goals"], json!([goal]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_upgrade_nothing_but_life_and_events_is_told() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let plain = get(gateway.address, "/", &[]).await;
    assert_eq!(plain.status, 426, "{}", plain.body);
    let alive = get(gateway.address, "/livez", &[("Host", "anybody")]).await;
    assert_eq!((alive.status, alive.body.as_str()), (200, "ok\n"));
    let foreign = get(gateway.address, "/", &[("Host", "evil.example")]).await;
    assert!(!foreign.body.contains(&at.token()), "{}", foreign.body);
}
