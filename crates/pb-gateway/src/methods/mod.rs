//! What may be asked, and who answers: one file a family, one line a method in [`dispatch`].

mod approval;
mod conversation;
pub(crate) mod cost;
mod debug;
mod escalation;
pub(crate) mod events;
pub(crate) mod goal;
pub(crate) mod goal_events;
mod persona;
mod schedule;
pub(crate) mod system;
mod token;
pub(crate) mod workitem;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

use pb_protocol::frame::Request;
use pb_protocol::methods::events::SubscribeResult;
use pb_protocol::methods::{self as wire, METHODS, Method};
use pb_protocol::{ErrorCode, Permission, Permissions, RpcError};
use serde_json::value::{RawValue, to_raw_value};

use goal_events::GoalChange;

use crate::access::Grant;
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
    subscriptions: AtomicU64,
}

impl Caller {
    pub(crate) fn new(hub: &Hub, admitted: Admitted) -> Self {
        let tail = hub.ids.number() & 0x00ff_ffff;
        Self {
            session_id: format!("local_{}_{tail:06x}", hub.clock.now_ms()),
            admitted,
            subscriptions: AtomicU64::new(0),
        }
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
    /// An answer, and what becomes of the goals that the session named.
    Goals(GoalChange, Box<RawValue>),
}

/// Answers a request.
pub(crate) async fn dispatch(hub: &Hub, caller: &Caller, request: &Request) -> Result<Outcome, RpcError> {
    let method = request.method.as_str();
    permitted(caller, method)?;
    match method {
        wire::system::Ping::NAME => {
            answer::<wire::system::Ping, _>(request, |_| std::future::ready(Ok(system::ping(hub)))).await
        }
        wire::system::Info::NAME => {
            answer::<wire::system::Info, _>(request, |_| std::future::ready(Ok(system::info(hub)))).await
        }
        wire::system::Status::NAME => {
            answer::<wire::system::Status, _>(request, |_| system::status(hub)).await
        }
        wire::system::Methods::NAME => {
            let methods = |_| std::future::ready(Ok(system::methods(caller)));
            answer::<wire::system::Methods, _>(request, methods).await
        }
        wire::system::Gc::NAME => answer::<wire::system::Gc, _>(request, |_| system::gc(hub, caller)).await,
        wire::goal::Submit::NAME => {
            let goal =
                goal::submit(hub, caller, wire::params::<wire::goal::Submit>(&request.params)?).await?;
            let result = to_raw_value(&goal).map_err(RpcError::internal)?;
            Ok(Outcome::Goals(GoalChange::AddToNamed(goal.id), result))
        }
        wire::goal::List::NAME => {
            answer::<wire::goal::List, _>(request, |params| goal::list(hub, params)).await
        }
        wire::goal::Status::NAME => {
            answer::<wire::goal::Status, _>(request, |params| goal::status(hub, params)).await
        }
        wire::goal::Cancel::NAME => {
            answer::<wire::goal::Cancel, _>(request, |params| goal::cancel(hub, caller, params)).await
        }
        wire::goal_report::Report::NAME => {
            answer::<wire::goal_report::Report, _>(request, |params| goal::report(hub, params)).await
        }
        wire::goal::Plan::NAME => {
            answer::<wire::goal::Plan, _>(request, |params| goal::plan(hub, params)).await
        }
        wire::goal::Steps::NAME => {
            answer::<wire::goal::Steps, _>(request, |params| goal::steps(hub, params)).await
        }
        wire::workitem::Get::NAME => {
            answer::<wire::workitem::Get, _>(request, |params| workitem::get(hub, params)).await
        }
        wire::workitem::List::NAME => {
            answer::<wire::workitem::List, _>(request, |params| workitem::list(hub, params)).await
        }
        wire::workitem::ByGoal::NAME => {
            answer::<wire::workitem::ByGoal, _>(request, |params| workitem::by_goal(hub, params)).await
        }
        wire::workitem::Runs::NAME => {
            answer::<wire::workitem::Runs, _>(request, |params| workitem::runs(hub, params)).await
        }
        wire::cost::Summary::NAME => {
            answer::<wire::cost::Summary, _>(request, |params| cost::summary(hub, params)).await
        }
        wire::goal_events::Subscribe::NAME => goal_events::subscribe(hub, request).await,
        wire::goal_events::Unsubscribe::NAME => goal_events::unsubscribe(hub, request).await,
        wire::events::Subscribe::NAME => events::subscribe(hub, caller, request).await,
        wire::events::Unsubscribe::NAME => events::unsubscribe(request),
        wire::debug::EventsSubscribe::NAME => debug::subscribe(hub, request).await,
        wire::debug::EventsUnsubscribe::NAME => debug::unsubscribe(request),
        _ => control(hub, caller, request).await,
    }
}

/// Answers what a person asks or says about a goal that runs or waits.
async fn control(hub: &Hub, caller: &Caller, request: &Request) -> Result<Outcome, RpcError> {
    match request.method.as_str() {
        wire::escalation::List::NAME => {
            answer::<wire::escalation::List, _>(request, |params| escalation::list(hub, params)).await
        }
        wire::escalation::Get::NAME => {
            answer::<wire::escalation::Get, _>(request, |params| escalation::get(hub, params)).await
        }
        wire::escalation::Pending::NAME => {
            answer::<wire::escalation::Pending, _>(request, |_| escalation::pending(hub)).await
        }
        wire::goal_control::Pause::NAME => {
            answer::<wire::goal_control::Pause, _>(request, |params| goal::pause(hub, caller, params)).await
        }
        wire::goal_control::Resume::NAME => {
            answer::<wire::goal_control::Resume, _>(request, |params| goal::resume(hub, caller, params)).await
        }
        wire::goal_control::Retry::NAME => {
            answer::<wire::goal_control::Retry, _>(request, |params| goal::retry(hub, caller, params)).await
        }
        wire::goal_control::Prioritize::NAME => {
            answer::<wire::goal_control::Prioritize, _>(request, |params| {
                goal::prioritize(hub, caller, params)
            })
            .await
        }
        wire::escalation::Respond::NAME => {
            answer::<wire::escalation::Respond, _>(request, |params| goal::respond(hub, caller, params)).await
        }
        wire::escalation::Resolve::NAME => {
            let respond = |params: wire::escalation::ResolveParams| goal::respond(hub, caller, params.into());
            answer::<wire::escalation::Resolve, _>(request, respond).await
        }
        method => approve(hub, caller, request, method).await,
    }
}

/// Answers what a person asks or says about what waits for a yes.
async fn approve(hub: &Hub, caller: &Caller, request: &Request, method: &str) -> Result<Outcome, RpcError> {
    let decide = |yes: bool| move |params| approval::decide(hub, caller, params, yes);
    match method {
        wire::approval::List::NAME => {
            answer::<wire::approval::List, _>(request, |params| approval::list(hub, params)).await
        }
        wire::approval::Get::NAME => {
            answer::<wire::approval::Get, _>(request, |params| approval::get(hub, params)).await
        }
        wire::approval::Pending::NAME => {
            answer::<wire::approval::Pending, _>(request, |_| approval::pending(hub)).await
        }
        wire::approval::Create::NAME => {
            answer::<wire::approval::Create, _>(request, |params| approval::create(hub, caller, params)).await
        }
        wire::approval::Grant::NAME => answer::<wire::approval::Grant, _>(request, decide(true)).await,
        wire::approval::Deny::NAME => answer::<wire::approval::Deny, _>(request, decide(false)).await,
        _ => schedules(hub, caller, request).await,
    }
}

/// Answers what is about schedules.
async fn schedules(hub: &Hub, caller: &Caller, request: &Request) -> Result<Outcome, RpcError> {
    use wire::schedule::{Add, Get, List, Pause, Remove, Resume, Run};
    match request.method.as_str() {
        Add::NAME => answer::<Add, _>(request, |params| schedule::add(hub, caller, params)).await,
        List::NAME => answer::<List, _>(request, |params| schedule::list(hub, params)).await,
        Get::NAME => answer::<Get, _>(request, |params| schedule::get(hub, params)).await,
        Run::NAME => answer::<Run, _>(request, |params| schedule::run(hub, caller, params)).await,
        Pause::NAME => {
            answer::<Pause, _>(request, |params| schedule::control(hub, caller, Pause::NAME, params)).await
        }
        Resume::NAME => {
            answer::<Resume, _>(request, |params| schedule::control(hub, caller, Resume::NAME, params)).await
        }
        Remove::NAME => {
            answer::<Remove, _>(request, |params| schedule::control(hub, caller, Remove::NAME, params)).await
        }
        _ => talk(hub, caller, request).await,
    }
}

/// Answers what is said in conversations, and in whose voice.
async fn talk(hub: &Hub, caller: &Caller, request: &Request) -> Result<Outcome, RpcError> {
    use wire::conversation::{End, History, List, Message, Status};
    use wire::persona;
    match request.method.as_str() {
        Message::NAME => {
            answer::<Message, _>(request, |params| conversation::message(hub, caller, params)).await
        }
        History::NAME => answer::<History, _>(request, |params| conversation::history(hub, params)).await,
        End::NAME => answer::<End, _>(request, |params| conversation::end(hub, caller, params)).await,
        Status::NAME => answer::<Status, _>(request, |params| conversation::status(hub, params)).await,
        List::NAME => answer::<List, _>(request, |params| conversation::list(hub, params)).await,
        persona::List::NAME => answer::<persona::List, _>(request, |_| self::persona::list(hub)).await,
        persona::Get::NAME => {
            answer::<persona::Get, _>(request, |params| self::persona::get(hub, params)).await
        }
        persona::Default::NAME => {
            answer::<persona::Default, _>(request, |_| std::future::ready(Ok(self::persona::default()))).await
        }
        _ => tokens(hub, caller, request).await,
    }
}

/// Answers what is about access tokens.
async fn tokens(hub: &Hub, caller: &Caller, request: &Request) -> Result<Outcome, RpcError> {
    use wire::token::{Create, List, Revoke};
    match request.method.as_str() {
        Create::NAME => answer::<Create, _>(request, |params| token::create(hub, caller, params)).await,
        List::NAME => answer::<List, _>(request, |_| token::list(hub)).await,
        Revoke::NAME => answer::<Revoke, _>(request, |params| token::revoke(hub, params)).await,
        method => Err(unknown(method)),
    }
}

fn permitted(caller: &Caller, method: &str) -> Result<(), RpcError> {
    let info = METHODS.iter().find(|info| info.name == method).ok_or_else(|| unknown(method))?;
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

async fn answer<M: Method, F>(
    request: &Request,
    handler: impl FnOnce(M::Params) -> F,
) -> Result<Outcome, RpcError>
where
    F: Future<Output = Result<M::Result, RpcError>>,
{
    let result = handler(wire::params::<M>(&request.params)?).await?;
    to_raw_value(&result).map(Outcome::Result).map_err(RpcError::internal)
}
