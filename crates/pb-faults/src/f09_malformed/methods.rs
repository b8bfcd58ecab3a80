//! Every method of the table, with wrong parameters, by sessions of every permission: refused or answered, each
//! call once, and the connection goes on.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use pb_protocol::ErrorCode;
use pb_protocol::Permissions;
use pb_protocol::frame::Request;
use pb_protocol::methods::{METHODS, MethodInfo, schemas};
use pb_runtime::{Home, ProcessLock};
use pb_store::{Location, Log};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::websocket::{self, Came, Socket};
use super::{generate, parameters};
use crate::gateway_process::GatewayProcess;
use crate::healthy::Healthy;
use crate::{Run, Tally};

/// What tokens allow, besides what all may: look.
const ROLES: [&str; 5] = ["read", "write", "approve", "write,approve", "admin"];
/// One event is committed each so many calls, for those who behave.
const CALLS_PER_EVENT: u64 = 20;
/// Frames that may come before an answer: a session is sent the events of all goals.
const FRAMES_BEFORE_ANSWER_MAX: usize = 10_000;
/// Set apart from the other cases.
const SEED_OF_METHODS: u64 = 0x006d_e740;

/// Calls each method so often by each session.
pub(super) fn run(run: &Run, each: u64) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let home = Home::at(&run.folder.join("f9m"))?;
    home.prepare()?;
    let gateway = GatewayProcess::start(&run.exe, &home)?;
    let lock = ProcessLock::acquire(&home.scheduler_lock(), 1)?;
    let runtime = Runtime::new()?;
    let log = runtime.block_on(Log::open(Location::File(home.state_db()), "f9m".to_owned(), None))?;
    let healthy = Healthy::start(&runtime, gateway.address());
    let schemas = schemas();
    let mut sessions =
        ROLES.iter().map(|role| Session::begin(gateway.address(), role)).collect::<Result<Vec<_>, _>>()?;

    let (mut case, mut events) = (0, 0);
    for _ in 0..each {
        for info in METHODS {
            let schema = &schemas[info.name]["params"];
            for session in &mut sessions {
                if case % CALLS_PER_EVENT == 0 {
                    runtime.block_on(crate::healthy::commit(&log, events))?;
                    events += 1;
                }
                let mut rng = generate::source(run.seed ^ SEED_OF_METHODS, case);
                let params = parameters::of(schema, &mut rng);
                if let Err(error) = session.call(info, &params, &mut tally) {
                    let shown: String = params.chars().take(200).collect();
                    tally.fail(format_args!(
                        "call {case}, {} by {}: {error:#}: {shown}",
                        info.name, session.role
                    ));
                    *session = Session::begin(gateway.address(), session.role)?;
                }
                case += 1;
            }
        }
    }
    tally.cases += case;
    healthy.finish(&runtime, events, &mut tally);
    tally.count("peak KiB of calls", gateway.peak_kib()?);
    gateway.end(&mut tally)?;
    drop((log, lock));
    Ok(tally)
}

/// A connection that came by a token.
struct Session {
    role: &'static str,
    permissions: Permissions,
    socket: Socket,
    asked: u64,
}

impl Session {
    /// Has a token made, and comes in by it.
    fn begin(address: SocketAddr, role: &'static str) -> anyhow::Result<Self> {
        let mut own = Socket::connect(address)?;
        let words: Vec<&str> = role.split(',').collect();
        // The same key gives the same token, so those who come again need no other.
        let params = json!({"name": role, "permissions": words, "idempotencyKey": role});
        let made = ask(&mut own, &request("1", "token.create", &params.to_string()))?;
        let secret = made["result"]["secret"].as_str().with_context(|| format!("no token: {made}"))?;
        let socket = Socket::connect_by(address, Some(secret))?;
        let permissions = Permissions::parse(&format!("read,{role}"))?;
        Ok(Self { role, permissions, socket, asked: 0 })
    }

    fn call(&mut self, info: &MethodInfo, params: &str, tally: &mut Tally) -> anyhow::Result<()> {
        self.asked += 1;
        let id = format!("call-{}", self.asked);
        let text = request(&id, info.name, params);
        let answer = ask(&mut self.socket, &text)?;
        let code = answer["error"]["code"].as_i64();
        let denied = i64::from(ErrorCode::PermissionDenied.number());
        let (expected_id, outcome) = match Request::parse(&text) {
            Err(error) if code == Some(i64::from(error.code)) => ("", "unreadable"),
            Err(error) => bail!("refused with {code:?} instead of {}", error.code),
            Ok(_) if !self.permissions.allow(info.permissions) => {
                if code != Some(denied) {
                    bail!("it was not denied: {answer}");
                }
                (id.as_str(), "denied")
            }
            Ok(_) if code == Some(denied) => bail!("it was denied"),
            Ok(_) if code == Some(i64::from(ErrorCode::InternalError.number())) => {
                bail!("it failed: {answer}")
            }
            Ok(_) if code.is_some() => (id.as_str(), "refused"),
            Ok(_) => (id.as_str(), "answered"),
        };
        if answer["id"] != expected_id {
            bail!("the answer is to {}", answer["id"]);
        }
        tally.count(outcome, 1);
        // What it made of the session goes with it: at most 16 subscriptions are served at once.
        if info.name.ends_with("subscribe") && outcome == "answered" {
            let id = answer["result"]["subscriptionId"].as_str().unwrap_or_default();
            let params = json!({"subscriptionId": id}).to_string();
            ask(&mut self.socket, &request("end", "events.unsubscribe", &params))?;
        }
        Ok(())
    }
}

fn request(id: &str, method: &str, params: &str) -> String {
    format!(r#"{{"type":"req","id":"{id}","method":"{method}","params":{params}}}"#)
}

/// Asks, and waits for the answer.
fn ask(socket: &mut Socket, text: &str) -> anyhow::Result<Value> {
    socket.send(&websocket::frame(0x81, text.as_bytes()), usize::MAX)?;
    for _ in 0..FRAMES_BEFORE_ANSWER_MAX {
        match socket.next()? {
            Came::Text(text) if text.starts_with(r#"{"type":"res""#) => {
                return Ok(serde_json::from_str(&text)?);
            }
            Came::Text(_) => {}
            other => bail!("{other:?} came instead of an answer"),
        }
    }
    bail!("no answer")
}
