//! The debug server: another port of the same process, behind the same door, that answers as `wire.md` §3.4 says.

use std::net::SocketAddr;

use pb_gateway::Config;
use pb_runtime::Endpoint;
use pb_store::{Trace, TraceEvent};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::support::{Client, Running, Scheduler, TestHome, another_user, get, get_on, goal_params};

/// Every route, with ids that there are not.
const ROUTES: [&str; 11] = [
    "/api/health",
    "/api/events",
    "/api/goals",
    "/api/goals/goal_00000000000000000000000000000001",
    "/api/workitems",
    "/api/runs",
    "/api/metrics",
    "/api/replay/goal_00000000000000000000000000000001/timeline",
    "/api/replay/goal_00000000000000000000000000000001/events",
    "/api/replay/goal_00000000000000000000000000000001/state/1",
    "/api/replay/goal_00000000000000000000000000000001/diff/1",
];

/// More items than one page of `workitem.list` has.
const MANY: usize = 600;

fn config(at: &TestHome) -> Config {
    Config { debug_port: Some(0), ..at.config() }
}

pub(crate) async fn start(at: &TestHome) -> (Running, SocketAddr) {
    let gateway = Running::start(config(at)).await.unwrap();
    let debug = Endpoint::read(&at.home.gateway_json()).unwrap().debug_address.unwrap();
    (gateway, debug)
}

pub(crate) async fn read(address: SocketAddr, path: &str) -> Value {
    let answer = get(address, path, &[]).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

async fn status(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> u16 {
    get(address, path, headers).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_03_every_route_of_the_debug_server_is_behind_the_door_of_both_ports() {
    let at = TestHome::new();
    let (gateway, debug) = start(&at).await;
    let bearer = format!("Bearer {}", at.token());
    for port in [gateway.address, debug] {
        let origin = format!("http://{port}");
        for route in ROUTES {
            let known = if route.contains("/replay/") { 404 } else { 200 };
            assert_eq!(status(port, route, &[]).await, known, "{route}: our own user");
            assert_eq!(status(port, route, &[("Origin", &origin)]).await, 401, "{route}: a browser");
            let foreign = [("Origin", "http://evil.example"), ("Authorization", bearer.as_str())];
            assert_eq!(status(port, route, &foreign).await, 403, "{route}: a page of another origin");
            let rebound = [("Host", "evil.example"), ("Authorization", bearer.as_str())];
            assert_eq!(status(port, route, &rebound).await, 403, "{route}: another name");
            assert_eq!(status(port, &format!("{route}?token=x"), &[]).await, 400, "{route}: in the URL");
            if let Some(stream) = another_user(port) {
                assert_eq!(get_on(stream, port, route, &[]).await.status, 401, "{route}: another user");
            }
        }
    }
    assert_eq!(status(debug, "/api/health", &[("Authorization", "Bearer x")]).await, 401, "a wrong token");
    // The port of one is none of the other: a page there is of another origin, and a name with it is not ours.
    let other = [("Origin", format!("http://{}", gateway.address)), ("Authorization", bearer.clone())];
    let other = other.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(status(debug, "/api/health", &other).await, 403);
    let host = gateway.address.to_string();
    assert_eq!(status(debug, "/api/health", &[("Host", &host)]).await, 403);
    for path in ["/", "/metrics", "/events", "/readyz", "/api/nowhere"] {
        assert_eq!(status(debug, path, &[]).await, 404, "{path}");
    }
    assert_eq!(status(debug, "/livez", &[]).await, 200);
    let head = get(debug, "/api/health", &[]).await.head;
    assert!(!head.contains("access-control"), "{head}");
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_02_who_may_only_look_at_goals_does_not_see_what_was_said_to_models() {
    let at = TestHome::new();
    let gateway = Running::start(Config { tools_are_confined: false, ..config(&at) }).await.unwrap();
    let debug = Endpoint::read(&at.home.gateway_json()).unwrap().debug_address.unwrap();
    let bearer = format!("Bearer {}", at.token());
    for port in [gateway.address, debug] {
        assert_eq!(status(port, "/api/events", &[]).await, 403);
        assert_eq!(status(port, "/api/events", &[("Authorization", &bearer)]).await, 200);
    }
    for (headers, refused) in [(vec![], Some(403)), (vec![("Authorization", bearer.as_str())], None)] {
        let stream = TcpStream::connect(debug).await.unwrap();
        assert_eq!(Client::unknown(stream, debug, "/ws", &headers).await.err(), refused);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_is_told_with_its_holder_and_the_gateway_goes_on() {
    let (at, other) = (TestHome::new(), TestHome::new());
    let (_gateway, debug) = start(&at).await;
    let gateway = Running::start(Config { debug_port: Some(debug.port()), ..other.config() }).await.unwrap();
    let told = Endpoint::read(&other.home.gateway_json()).unwrap();
    let problem = format!("{debug} is taken by the process {}", std::process::id());
    assert_eq!((told.debug_address, told.debug_problem), (None, Some(problem)));
    Client::connect(gateway.address).await.ping().await;
    assert_eq!(status(gateway.address, "/api/health", &[]).await, 200, "beside everything else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_anything_there_is_nothing_and_no_error() {
    let at = TestHome::new();
    let (_gateway, debug) = start(&at).await;
    let health = read(debug, "/api/health").await;
    assert_eq!((&health["status"], &health["gatewayConnected"]), (&json!("ok"), &json!(false)));
    assert_eq!(health["eventCount"], 0);
    assert_eq!(read(debug, "/api/events").await, json!({"events": [], "total": 0}));
    assert_eq!(read(debug, "/api/goals").await, json!({"goals": [], "total": 0}));
    assert_eq!(read(debug, "/api/goals/nowhere").await, json!({"error": "Goal not found"}));
    assert_eq!(read(debug, "/api/workitems?goalId=nowhere").await, json!({"workItems": [], "total": 0}));
    assert_eq!(read(debug, "/api/runs?workItemId=nowhere").await, json!({"runs": [], "total": 0}));
    assert_eq!(read(debug, "/api/metrics").await["metrics"], json!([]));
    for (wrong, status_is) in [
        ("/api/goals?status=nowhere", 400),
        ("/api/goals?limit=many", 400),
        ("/api/events?cursor=c1.x", 200),
        ("/api/replay/nowhere/timeline", 404),
    ] {
        assert_eq!(status(debug, wrong, &[]).await, status_is, "{wrong}");
    }
}

pub(crate) fn event(n: u64) -> TraceEvent {
    let pair = usize::try_from(n % 2).unwrap();
    TraceEvent {
        id: format!("event-{n}"),
        at_ms: 1_000_000 + n,
        kind: ["llm.response", "tool.invoke"][pair].to_owned(),
        source: ["llm-provider", "tool-registry"][pair].to_owned(),
        goal: Some("goal_x".to_owned()),
        item: Some(format!("item_{}", n % 3)),
        run: Some("run_x".to_owned()),
        step: None,
        span: Some("0123456789abcdef".to_owned()),
        parent: None,
        data: json!({"n": n, "durationMs": 7, "text": "写报告"}).to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_those_of_the_trace_filtered_and_in_pages() {
    let at = TestHome::new();
    let (_gateway, debug) = start(&at).await;
    let trace = Trace::open(at.home.trace_db(), "trace".to_owned(), "boot".to_owned()).await.unwrap();
    trace.append((1..=3_000).map(event).collect()).await.unwrap();
    let newest = read(debug, "/api/events?limit=2").await;
    assert_eq!((newest["total"].as_u64(), newest["events"].as_array().unwrap().len()), (Some(3_000), 2));
    assert_eq!(
        newest["events"][0],
        json!({
            "id": "event-3000", "timestamp": 1_003_000, "type": "llm.response", "source": "llm-provider",
            "data": {"n": 3000, "durationMs": 7, "text": "写报告"}, "goalId": "goal_x", "workItemId": "item_0",
            "runId": "run_x", "spanId": "0123456789abcdef", "duration": 7,
            "cursor": trace.identity().cursor(3_000).to_string(),
        })
    );
    let ids = async |query: &str| {
        let page = read(debug, &format!("/api/events?{query}")).await;
        let events = page["events"].as_array().unwrap().iter().map(|one| one["data"]["n"].as_u64().unwrap());
        (events.collect::<Vec<_>>(), page["nextCursor"].as_str().map(str::to_owned))
    };
    assert_eq!(ids("type=tool.*&limit=2&offset=1").await.0, [2_997, 2_995]);
    assert_eq!(ids("type=tool&limit=2").await.0, Vec::<u64>::new(), "the exact name");
    assert_eq!(ids("workItemId=item_1&source=llm-provider&limit=2").await.0, [2_998, 2_992]);
    assert_eq!(ids("runId=run_y").await.0, Vec::<u64>::new());
    assert_eq!(ids("goalId=goal_x&startTime=1000001&endTime=1000003").await.0, [3, 2, 1]);
    assert_eq!(ids("limit=100000").await.0.len(), 1_000, "no page is longer");
    // Words of any script, in the index and not; URLs carry them encoded.
    for _ in 0..2 {
        assert_eq!(ids("q=%E6%8A%A5%E5%91%8A%20tool.inv&limit=2").await.0, [2_999, 2_997]);
        assert_eq!(ids("q=nowhere").await.0, Vec::<u64>::new());
        while trace.index().await.unwrap() > 0 {}
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (page, next) = ids(&format!("limit=700&{cursor}")).await;
        seen.extend(page);
        let Some(next) = next else { break };
        cursor = format!("cursor={next}");
    }
    assert_eq!(seen, (1..=3_000).rev().collect::<Vec<_>>());
    let wrong = get(debug, "/api/events?cursor=c1.x", &[]).await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    let metrics = read(debug, "/api/metrics").await;
    let window = &metrics["metrics"][0];
    assert_eq!((&window["windowStart"], &window["windowEnd"]), (&json!(900_000), &json!(1_200_000)));
    let counts = json!({"llm": 1500, "llm.response": 1500, "tool": 1500, "tool.invoke": 1500});
    assert_eq!((&window["data"]["eventCounts"], &window["data"]["toolInvocations"]), (&counts, &json!(1500)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goal_that_was_compacted_has_no_past_and_says_so() {
    let at = TestHome::new();
    let (gateway, debug) = start(&at).await;
    let mut scheduler = Scheduler::connected(&at).await;
    let mut client = Client::connect(gateway.address).await;
    let (goal, told) = tokio::join!(client.call("goal.submit", goal_params("写报告")), async {
        scheduler.bell().await;
        scheduler.execute().await
    });
    let goal = goal.unwrap()["id"].as_str().unwrap().to_owned();
    let timeline = read(debug, &format!("/api/replay/{goal}/timeline")).await;
    assert_eq!(timeline["totalEvents"], told.len());
    scheduler.cancel_and_compact(goal.parse().unwrap()).await;
    for path in ["timeline", "events", "state/1", "diff/end"] {
        let answer = get(debug, &format!("/api/replay/{goal}/{path}"), &[]).await;
        assert_eq!(answer.status, 410, "{path}: {}", answer.body);
        assert!(answer.body.contains("was compacted"), "{}", answer.body);
    }
    let now = read(debug, &format!("/api/replay/{goal}/state/99999999999999")).await;
    assert_eq!(now["state"]["goal"]["status"], "cancelled", "how it stands is still known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_items_has_as_many_as_one_of_anything_else() {
    let at = TestHome::new();
    let (gateway, debug) = start(&at).await;
    let mut scheduler = Scheduler::connected(&at).await;
    let mut client = Client::connect(gateway.address).await;
    let work = json!({"kind": "command", "argv": ["true"]});
    let mut params = goal_params("许多");
    params["items"] = (0..200).map(|n| json!({"id": format!("item-{n}"), "work": work})).collect();
    for _ in 0..MANY / 200 {
        let (goal, _) = tokio::join!(client.call("goal.submit", params.clone()), async {
            scheduler.bell().await;
            scheduler.execute().await
        });
        scheduler.plan(goal.unwrap()["id"].as_str().unwrap().parse().unwrap()).await;
    }
    let page = read(debug, "/api/workitems?limit=1000").await;
    assert_eq!((page["workItems"].as_array().unwrap().len(), &page["total"]), (MANY, &json!(MANY)));
    let last = read(debug, &format!("/api/workitems?offset={}", MANY - 1)).await;
    assert_eq!(last["workItems"], json!([page["workItems"][MANY - 1]]));
}
