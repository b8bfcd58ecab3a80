//! What may be asked, and who answers: one file a family, one line a method in `answers.rs`.

mod answers;
mod approval;
mod audit;
mod auth;
mod console;
mod conversation;
pub(crate) mod cost;
mod debug;
mod debug_overview;
pub(crate) mod debug_queries;
mod escalation;
pub(crate) mod events;
pub(crate) mod goal;
pub(crate) mod goal_events;
mod log;
mod persona;
mod schedule;
mod status;
pub(crate) mod system;
mod token;
pub(crate) mod workitem;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pb_protocol::frame::Request;
use pb_protocol::methods::METHODS;
use pb_protocol::methods::events::SubscribeResult;
use pb_protocol::{ErrorCode, Permission, Permissions, RpcError};
use serde_json::value::RawValue;
use tracing::Instrument;

use goal_events::{GoalChange, Named};

use crate::access::{Challenge, Grant, Who};
use crate::admit::Admitted;
use crate::debug::Subscription as DebugSubscription;
use crate::hub::Hub;
use crate::subscription::Subscription;

/// The name of the first subscription of each connection.
pub(crate) const FIRST_SUBSCRIPTION: &str = "sub_1";

/// Who asks.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The connection's name.
    pub(crate) session_id: String,
    admitted: Admitted,
    /// The goals that it named with `goal.subscribe`.
    pub(crate) named: Named,
    subscriptions: AtomicU64,
    /// What it was given to sign last.
    challenge: Mutex<Option<Challenge>>,
}

impl Caller {
    pub(crate) fn new(hub: &Hub, admitted: Admitted) -> Self {
        let tail = hub.ids.number() & 0x00ff_ffff;
        Self {
            session_id: format!("local_{}_{tail:06x}", hub.clock.now_ms()),
            admitted,
            named: Named::default(),
            subscriptions: AtomicU64::new(0),
            challenge: Mutex::default(),
        }
    }

    /// The same connection once it has proved to be somebody. What it may do is not made less by that: where it might
    /// do more before, it goes on as who it was.
    pub(crate) fn proved(&self, session_id: String, proved: Admitted) -> Self {
        let is_more = proved.permissions.cover(self.admitted.permissions);
        Self {
            session_id,
            admitted: if is_more { proved } else { self.admitted.clone() },
            named: self.named.clone(),
            subscriptions: AtomicU64::new(self.subscriptions.load(Ordering::Relaxed)),
            challenge: Mutex::default(),
        }
    }

    /// Whether it has not said yet who it is.
    pub(crate) fn is_pending(&self) -> bool {
        self.admitted.is_pending
    }

    /// Where it comes from.
    pub(crate) fn who(&self) -> Who {
        self.admitted.who
    }

    fn set_challenge(&self, challenge: Challenge) {
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
    }

    fn take_challenge(&self) -> Option<Challenge> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn permissions(&self) -> Permissions {
        self.admitted.permissions
    }

    /// The access token that they came in by.
    pub(crate) fn grant(&self) -> Option<Grant> {
        self.admitted.grant.clone()
    }

    /// Their name in commands.
    pub(crate) fn actor(&self) -> &str {
        &self.admitted.actor
    }

    /// A fresh name for a subscription of this connection.
    fn subscription_id(&self) -> String {
        format!("sub_{}", self.subscriptions.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// What helps who may not do something.
    fn denied_hint(&self) -> &'static str {
        match self.admitted.grant {
            Some(_) => "this access token does not allow it; `pb gateway pair --permissions` makes another",
            None => "connect with the token in $PB_HOME/token: the kernel here cannot tell you from a tool",
        }
    }
}

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An answer.
    Result(Box<RawValue>),
    /// A subscription for the session to serve once it has answered.
    Subscribe(Box<Subscription>, Box<SubscribeResult>),
    /// The session is to end this subscription.
    Unsubscribe(String),
    /// The session is to serve these debug events, or none, once it has given this answer.
    Debug(Option<Box<DebugSubscription>>, Box<RawValue>),
    /// The connection has proved to be this one, and has another name from this answer on.
    Authenticated { session_id: String, admitted: Box<Admitted>, result: Box<RawValue> },
    /// An answer, and what becomes of the goals that the session named.
    Goals(GoalChange, Box<RawValue>),
}

/// Answers a request. Every line of the log that is written meanwhile has its id and the connection's name.
pub(crate) async fn dispatch(hub: &Hub, caller: &Caller, request: &Request) -> Result<Outcome, RpcError> {
    let around = tracing::error_span!("request", request = request.logged_id(), session = caller.session_id);
    let answering = async {
        let outcome = answer(hub, caller, request).await;
        let error = || outcome.as_ref().err().map(ToString::to_string);
        tracing::debug!(method = request.method, error = error(), "a request is answered");
        outcome
    };
    answering.instrument(around).await
}

async fn answer(hub: &Hub, caller: &Caller, request: &Request) -> Result<Outcome, RpcError> {
    let method = request.method.as_str();
    permitted(caller, method)?;
    let handler = answers::handler(method).ok_or_else(|| unknown(method))?;
    handler(hub, caller, &request.params).await
}

fn permitted(caller: &Caller, method: &str) -> Result<(), RpcError> {
    let info = METHODS.iter().find(|info| info.name == method);
    let is_public = method.starts_with("auth.") || info.is_some_and(|info| info.permissions.is_empty());
    if caller.is_pending() && !is_public {
        let error = RpcError::new(ErrorCode::AuthRequired, "Authentication required");
        return Err(error.hint("send auth.hello or auth.pair first"));
    }
    let info = info.ok_or_else(|| unknown(method))?;
    if caller.permissions().allow(info.permissions) {
        return Ok(());
    }
    let needed = Permission::listed(info.permissions).unwrap_or_default();
    let message = format!("Permission denied: requires '{needed}'");
    Err(RpcError::new(ErrorCode::PermissionDenied, message).hint(caller.denied_hint()))
}

/// A connection asks for more than it may have of something.
pub(crate) fn too_many(most: usize, of_what: &str) -> RpcError {
    RpcError::new(ErrorCode::RateLimited, format!("a connection has at most {most} {of_what}"))
}

fn unknown(method: &str) -> RpcError {
    RpcError::new(ErrorCode::MethodNotFound, format!("Method not found: {method}"))
}
