//! Which function answers which method. The method table asks for one of each: a method that is missing here
//! does not compile.

use std::future::{Future, ready};
use std::pin::Pin;

use pb_protocol::methods::{self as wire, Method};
use pb_protocol::{RpcError, for_each_method};
use serde_json::value::{RawValue, to_raw_value};

use super::{
    Caller, Outcome, approval, audit, auth, console, conversation, cost, debug, debug_overview,
    debug_queries, escalation, events, goal, goal_events, log, persona, schedule, status, system, token,
    workitem,
};
use crate::hub::Hub;

type Answering<'a> = Pin<Box<dyn Future<Output = Result<Outcome, RpcError>> + Send + 'a>>;
/// Reads the parameters and answers.
pub(super) type Handler = for<'a> fn(&'a Hub, &'a Caller, &'a RawValue) -> Answering<'a>;

/// A method that this gateway answers.
trait Answer: Method {
    fn answer<'a>(hub: &'a Hub, caller: &'a Caller, params: Self::Params) -> Answering<'a>;
}

/// What answers the method of this name.
pub(super) fn handler(name: &str) -> Option<Handler> {
    macro_rules! of_name {
        ($($method:ty),* $(,)?) => {
            match name {
                $(<$method as Method>::NAME => Some(read_and_answer::<$method>),)*
                _ => None,
            }
        };
    }
    for_each_method!(of_name)
}

fn read_and_answer<'a, M: Answer>(hub: &'a Hub, caller: &'a Caller, params: &'a RawValue) -> Answering<'a> {
    match wire::params::<M>(params) {
        Ok(params) => M::answer(hub, caller, params),
        Err(error) => Box::pin(ready(Err(error))),
    }
}

/// Most bytes of an answer: what every client has to take (`docs/RPC.md`), with room for the frame around it.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024 - 1024;

/// The answer, if it is one that every client takes.
fn within_limit(result: Box<RawValue>) -> Result<Outcome, RpcError> {
    let bytes = result.get().len();
    if bytes <= ANSWER_BYTES_MAX {
        return Ok(Outcome::Result(result));
    }
    let problem = format!("the answer has {bytes} bytes, and at most {ANSWER_BYTES_MAX} are sent");
    Err(RpcError::invalid_params(problem).hint("ask for fewer: `limit`, then `cursor`"))
}

/// A method, and the future of its result.
macro_rules! answers {
    ($($method:ty => |$hub:pat_param, $caller:pat_param, $params:pat_param| $result:expr;)*) => {$(
        impl Answer for $method {
            fn answer<'a>($hub: &'a Hub, $caller: &'a Caller, $params: Self::Params) -> Answering<'a> {
                Box::pin(async move {
                    let result: Self::Result = $result.await?;
                    within_limit(to_raw_value(&result).map_err(RpcError::internal)?)
                })
            }
        }
    )*};
}

/// A method, and the future of what the session is to do about it.
macro_rules! outcomes {
    ($($method:ty => |$hub:pat_param, $caller:pat_param, $params:pat_param| $outcome:expr;)*) => {$(
        impl Answer for $method {
            fn answer<'a>($hub: &'a Hub, $caller: &'a Caller, $params: Self::Params) -> Answering<'a> {
                Box::pin($outcome)
            }
        }
    )*};
}

outcomes! {
    wire::auth::Verify => |hub, caller, params| auth::verify(hub, caller, params);
    wire::auth::Token => |hub, caller, params| ready(auth::token(hub, caller, &params));
    wire::goal_events::Subscribe => |hub, _, params| goal_events::subscribe(hub, params);
    wire::goal_events::Unsubscribe => |hub, _, params| goal_events::unsubscribe(hub, params);
    wire::events::Subscribe => |hub, caller, params| events::subscribe(hub, caller, params);
    wire::events::Unsubscribe => |_, _, params| ready(Ok(Outcome::Unsubscribe(params.subscription_id)));
    wire::debug::EventsSubscribe => |hub, _, params| debug::subscribe(hub, params);
    wire::debug::EventsUnsubscribe => |_, _, _| ready(debug::unsubscribe());
}

answers! {
    wire::system::Ping => |hub, _, _| ready(Ok(system::ping(hub)));
    wire::system::Info => |hub, _, _| ready(Ok(system::info(hub)));
    wire::system::Status => |hub, caller, params| status::status(hub, caller, params);
    wire::system::Stats => |hub, _, _| ready(Ok(system::stats(hub)));
    wire::system::Methods => |_, caller, _| ready(Ok(system::methods(caller)));
    wire::system::Gc => |hub, caller, params| system::gc(hub, caller, params);

    wire::log::LevelsOf => |hub, _, _| log::levels(hub);
    wire::log::SetLevels => |hub, caller, params| log::set_levels(hub, caller, params);

    wire::auth::Hello => |hub, caller, params| ready(auth::hello(hub, caller, &params));
    wire::auth::Pair => |hub, caller, params| ready(auth::pair(hub, caller, &params));

    wire::goal::Submit => |hub, caller, params| goal::submit(hub, caller, params);
    wire::goal::List => |hub, _, params| goal::list(hub, params);
    wire::goal::Status => |hub, _, params| goal::status(hub, params);
    wire::goal::Cancel => |hub, caller, params| goal::cancel(hub, caller, params);
    wire::goal::Plan => |hub, _, params| goal::plan(hub, params);
    wire::goal_diff::Diff => |hub, _, params| goal::diff(hub, params);
    wire::goal_check::Check => |hub, _, params| ready(goal::check(hub, &params));
    wire::goal::Steps => |hub, _, params| goal::steps(hub, params);
    wire::goal_at::At => |hub, _, params| goal::at(hub, params);
    wire::goal_report::Report => |hub, _, params| goal::report(hub, params);
    wire::goal_control::Pause => |hub, caller, params| goal::pause(hub, caller, params);
    wire::goal_control::Resume => |hub, caller, params| goal::resume(hub, caller, params);
    wire::goal_control::Retry => |hub, caller, params| goal::retry(hub, caller, params);
    wire::goal_control::Prioritize => |hub, caller, params| goal::prioritize(hub, caller, params);
    wire::cost::Summary => |hub, _, params| cost::summary(hub, params);

    wire::workitem::Get => |hub, _, params| workitem::get(hub, params);
    wire::workitem::List => |hub, _, params| workitem::list(hub, params);
    wire::workitem::ByGoal => |hub, _, params| workitem::by_goal(hub, params);
    wire::workitem::Runs => |hub, _, params| workitem::runs(hub, params);

    wire::escalation::List => |hub, _, params| escalation::list(hub, params);
    wire::escalation::Get => |hub, _, params| escalation::get(hub, params);
    wire::escalation::Pending => |hub, _, _| escalation::pending(hub);
    wire::escalation::Respond => |hub, caller, params| goal::respond(hub, caller, params);
    wire::escalation::Resolve => |hub, caller, params| goal::respond(hub, caller, params.into());

    wire::approval::List => |hub, _, params| approval::list(hub, params);
    wire::approval::Get => |hub, _, params| approval::get(hub, params);
    wire::approval::Pending => |hub, _, _| approval::pending(hub);
    wire::approval::Create => |hub, caller, params| approval::create(hub, caller, params);
    wire::approval::Grant => |hub, caller, params| approval::decide(hub, caller, params, true);
    wire::approval::Deny => |hub, caller, params| approval::decide(hub, caller, params, false);

    wire::audit::List => |hub, _, params| audit::list(hub, params);
    wire::audit::ByGoal => |hub, _, params| audit::by_goal(hub, params);
    wire::audit::ByEntity => |hub, _, params| audit::by_entity(hub, params);
    wire::audit::ByAction => |hub, _, params| audit::by_action(hub, params);
    wire::audit::ByTimeRange => |hub, _, params| audit::by_time_range(hub, params);
    wire::audit::ByActor => |hub, _, params| audit::by_actor(hub, params);
    wire::audit::Stats => |hub, _, _| audit::stats(hub);
    wire::audit::Prune => |hub, caller, params| audit::prune(hub, caller, params);

    wire::debug_overview::Snapshot => |hub, _, _| debug_overview::snapshot(hub);
    wire::debug_overview::Scheduler => |hub, _, _| debug_overview::scheduler(hub);
    wire::debug_overview::Gateway => |hub, _, _| ready(Ok(debug_overview::gateway(hub)));
    wire::debug_queries::Lanes => |hub, _, _| debug_queries::lanes(hub);
    wire::debug_queries::Goals => |hub, _, params| debug_queries::goals(hub, params);
    wire::debug_queries::OneGoal => |hub, _, params| debug_queries::goal(hub, params);
    wire::debug_queries::WorkItems => |hub, _, params| workitem::list(hub, params);
    wire::debug_queries::Runs => |hub, _, params| debug_queries::runs(hub, params);
    wire::debug_queries::Events => |hub, _, params| debug_queries::events(hub, params);

    wire::schedule::Add => |hub, caller, params| schedule::add(hub, caller, params);
    wire::schedule::List => |hub, _, params| schedule::list(hub, params);
    wire::schedule::Get => |hub, _, params| schedule::get(hub, params);
    wire::schedule::Run => |hub, caller, params| schedule::run(hub, caller, params);
    wire::schedule::Pause => |hub, caller, params| schedule::control(hub, caller, Self::NAME, params);
    wire::schedule::Resume => |hub, caller, params| schedule::control(hub, caller, Self::NAME, params);
    wire::schedule::Remove => |hub, caller, params| schedule::control(hub, caller, Self::NAME, params);

    wire::conversation::Message => |hub, caller, params| conversation::message(hub, caller, params);
    wire::conversation::History => |hub, _, params| conversation::history(hub, params);
    wire::conversation::End => |hub, caller, params| conversation::end(hub, caller, params);
    wire::conversation::Status => |hub, _, params| conversation::status(hub, params);
    wire::conversation::List => |hub, _, params| conversation::list(hub, params);
    wire::persona::List => |hub, _, _| persona::list(hub);
    wire::persona::Get => |hub, _, params| persona::get(hub, params);
    wire::persona::Default => |_, _, _| ready(Ok(persona::default()));

    wire::console::Invite => |hub, caller, params| ready(console::invite(hub, caller, params));
    wire::token::Create => |hub, caller, params| token::create(hub, caller, params);
    wire::token::List => |hub, _, _| token::list(hub);
    wire::token::Revoke => |hub, _, params| token::revoke(hub, params);
}
