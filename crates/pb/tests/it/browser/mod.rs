//! A real browser with pages that want to get in (`security.md`, "The gateway"): whatever a page does, and wherever
//! it is from, it has nothing of the gateway, and the gateway has no session and no goal of it.

mod server;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Map, Value};

use crate::env::{TestEnv, wait_until};
use crate::machine::files_with;
use crate::tools;

/// What a page from here can do that a person's browser would not let it do anyway, is let alone: as root there is
/// no sandbox, and nothing is asked of anybody outside of this machine.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-popup-blocking",
];
/// Where a name that is bound anew leads at first.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Tries of a page against one address, at least.
const TRIES_MIN: usize = 40;

/// A browser that shows a page; gone when it is dropped.
struct Browser(Child);

impl Browser {
    #[expect(clippy::disallowed_methods, reason = "the test is the person who has a browser")]
    fn show(env: &TestEnv, chromium: &Path, evil: IpAddr, url: &str) -> Self {
        let child = Command::new(chromium)
            .args(FLAGS)
            .arg(format!("--host-resolver-rules=MAP evil.test {evil}"))
            .arg(format!("--user-data-dir={}", env.file("browser").display()))
            .arg(url)
            .env("HOME", env.user())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(env.file("browser.log")).unwrap())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It asked nobody to stay; its own processes end with it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A gateway, and a page of `host` that tries to get in at the gateway's port of each of `targets`.
struct Attack<'a> {
    host: &'a str,
    targets: &'a [&'a str],
    /// The page is in a sandbox, so its origin is `null`.
    is_sandboxed: bool,
    /// The page is from the gateway's own port, by a name that leads to the gateway once the page is there.
    is_rebound: bool,
    /// The reason for which it is refused.
    reason: &'static str,
}

impl Attack<'_> {
    fn check(&self) {
        let Some(chromium) = tools::chromium() else { return };
        let env = TestEnv::new();
        env.start_daemon("gateway");
        let gateway: SocketAddr = env.address().parse().unwrap();
        let (at, heard) = server::serve(SocketAddr::new(gateway.ip(), 0), None);
        let (port, evil) = if self.is_rebound {
            let (rebound, _) = server::serve(SocketAddr::new(ELSEWHERE, gateway.port()), Some(gateway));
            (rebound.port(), ELSEWHERE)
        } else {
            (at.port(), gateway.ip())
        };
        let targets: Vec<String> =
            self.targets.iter().map(|host| format!("http://{host}:{}", gateway.port())).collect();
        let sandboxed = if self.is_sandboxed { "&sandboxed=yes" } else { "" };
        let url = format!(
            "http://{}:{port}/page.html?report=http://{at}/report&targets={}{sandboxed}",
            self.host,
            targets.join(",")
        );
        let browser = Browser::show(&env, &chromium, evil, &url);
        let report: Map<String, Value> = wait_until("the page tells what it came to", || {
            Some(heard.try_recv().ok()?.as_object().unwrap().clone())
        });
        drop(browser);

        for (what, outcome) in &report {
            let outcome = outcome.as_str().unwrap();
            assert!(["refused", "refused 403"].contains(&outcome), "{what}: {outcome} in {report:#?}");
        }
        assert!(report.len() >= TRIES_MIN * targets.len(), "{report:#?}");
        self.look_at_the_gateway(&env, gateway);
    }

    /// What the gateway says of it.
    fn look_at_the_gateway(&self, env: &TestEnv, gateway: SocketAddr) {
        let metrics = get(gateway, "/metrics");
        let refused = format!("pb_admissions_refused_total{{reason=\"{}\"}} ", self.reason);
        let refused = value(&metrics, &refused).unwrap();
        assert!(refused >= TRIES_MIN, "it was tried: {refused} were refused");
        assert_eq!(value(&metrics, "pb_sessions "), Some(0), "{metrics}");
        assert_eq!(value(&metrics, "pb_frames_sent_total "), Some(0), "no session ever was\n{metrics}");
        assert!(!metrics.contains("pb_requests_total{"), "{metrics}");
        let log = std::fs::read_to_string(env.home().join("logs/gateway.log")).unwrap();
        assert_eq!(log.matches("a connection is refused").count(), refused, "each is in the log");
        assert_eq!(env.json(["goal", "list", "--json"])["total"], 0);
    }
}

/// The number behind the name, if the page has it.
fn value(metrics: &str, name: &str) -> Option<usize> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.parse().ok())
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn security_01_a_page_of_another_port_of_this_machine_gets_nothing() {
    Attack {
        host: "127.0.0.1",
        targets: &["127.0.0.1", "localhost", "[::1]"],
        is_sandboxed: false,
        is_rebound: false,
        reason: "foreign_origin",
    }
    .check();
}

#[test]
fn security_01_a_page_of_another_host_gets_nothing_by_our_names() {
    Attack {
        host: "evil.test",
        targets: &["127.0.0.1", "localhost"],
        is_sandboxed: false,
        is_rebound: false,
        reason: "foreign_origin",
    }
    .check();
}

#[test]
fn security_01_a_name_that_leads_to_this_machine_gets_nothing() {
    Attack {
        host: "evil.test",
        targets: &["evil.test"],
        is_sandboxed: false,
        is_rebound: false,
        reason: "foreign_host",
    }
    .check();
}

/// For the browser the gateway is the very origin of the page: the page reads the answers, and each is a no.
#[test]
fn security_01_a_page_whose_name_is_bound_anew_to_our_own_port_gets_nothing() {
    Attack {
        host: "evil.test",
        targets: &["evil.test"],
        is_sandboxed: false,
        is_rebound: true,
        reason: "foreign_host",
    }
    .check();
}

#[test]
fn security_01_a_page_in_a_sandbox_gets_nothing() {
    Attack {
        host: "localhost",
        targets: &["127.0.0.1", "localhost"],
        is_sandboxed: true,
        is_rebound: false,
        reason: "foreign_origin",
    }
    .check();
}

#[test]
fn security_04_a_token_in_a_url_is_refused_and_stands_in_no_log() {
    let env = TestEnv::new();
    env.start_daemon("gateway");
    let gateway: SocketAddr = env.address().parse().unwrap();
    let token = std::fs::read_to_string(env.home().join("token")).unwrap();
    let token = token.trim();
    for path in [
        format!("/events?token={token}"),
        format!("/?after=start&x={token}"),
        format!("/metrics?access_token={token}"),
        "/events?token=guessed".to_owned(),
    ] {
        let answer = get(gateway, &path);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{path}: {answer}");
        assert!(!answer.contains(token), "{path}: {answer}");
    }
    assert_eq!(files_with(&env.home(), token), [env.home().join("token").display().to_string()]);
}
