//! What may be asked of the gateway. One struct a method; [`METHODS`] is the list.

pub mod approval;
pub mod audit;
pub mod auth;
pub mod console;
pub mod conversation;
pub mod cost;
pub mod debug;
pub mod debug_overview;
pub mod debug_queries;
pub mod escalation;
pub mod events;
pub mod goal;
pub mod goal_at;
pub mod goal_check;
pub mod goal_control;
pub mod goal_diff;
pub mod goal_events;
pub mod goal_report;
pub mod log;
pub mod machine;
pub mod persona;
pub mod schedule;
pub mod system;
pub mod token;
pub mod workitem;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::error::RpcError;
use crate::permission::Permission;

/// A method: its name, what it takes and what it gives.
pub trait Method {
    /// Its name on the wire.
    const NAME: &'static str;
    /// One of these a session must have to call it, or `admin`; with none anybody may.
    const PERMISSIONS: &'static [Permission];
    /// One line for people.
    const DOC: &'static str;
    /// What it takes.
    type Params: Clone + Serialize + DeserializeOwned + schemars::JsonSchema + Send + Sync;
    /// What it gives.
    type Result: Serialize + DeserializeOwned + schemars::JsonSchema + Send;

    /// Sees to it that the call may be repeated: one that changes something gets an idempotency key, if it
    /// has none. Reads may be repeated as they are.
    fn make_repeatable(_params: &mut Self::Params, _fresh_key: impl FnOnce() -> String) {}
}

/// A row of the method table.
#[derive(Debug, Clone, Copy)]
pub struct MethodInfo {
    /// Its name on the wire.
    pub name: &'static str,
    /// One of these a session must have to call it, or `admin`; with none anybody may.
    pub permissions: &'static [Permission],
    /// One line for people.
    pub doc: &'static str,
}

/// What a method takes and gives; see [`signatures`].
#[derive(Debug, Clone)]
pub struct Signature {
    /// The method's name.
    pub method: &'static str,
    /// What it takes.
    pub params: Schema,
    /// What it gives.
    pub result: Schema,
}

/// Describes types as they are written, where a key that is always there is required.
pub fn as_written() -> SchemaGenerator {
    SchemaSettings::default().for_serialize().into_generator()
}

/// Describes types as they are read, where a key that has a default may be left out.
pub fn as_read() -> SchemaGenerator {
    SchemaSettings::default().into_generator()
}

/// The method table. Gives every method, in the order in which they are listed to people, to a macro: what is
/// made of the table (dispatch, permissions, schemas, TypeScript, `docs/RPC.md`) cannot leave one out.
#[macro_export]
macro_rules! for_each_method {
    ($then:ident) => {
        $then! {
            $crate::methods::system::Ping,
            $crate::methods::system::Info,
            $crate::methods::system::Status,
            $crate::methods::system::Stats,
            $crate::methods::system::Methods,
            $crate::methods::system::Gc,
            $crate::methods::log::LevelsOf,
            $crate::methods::log::SetLevels,
            $crate::methods::auth::Hello,
            $crate::methods::auth::Pair,
            $crate::methods::auth::Verify,
            $crate::methods::auth::Token,
            $crate::methods::goal::Submit,
            $crate::methods::goal::List,
            $crate::methods::goal::Status,
            $crate::methods::goal::Cancel,
            $crate::methods::goal_control::Pause,
            $crate::methods::goal_control::Resume,
            $crate::methods::goal_control::Retry,
            $crate::methods::goal_control::Prioritize,
            $crate::methods::escalation::List,
            $crate::methods::escalation::Get,
            $crate::methods::escalation::Pending,
            $crate::methods::escalation::Respond,
            $crate::methods::escalation::Resolve,
            $crate::methods::approval::List,
            $crate::methods::approval::Get,
            $crate::methods::approval::Pending,
            $crate::methods::approval::Create,
            $crate::methods::approval::Grant,
            $crate::methods::approval::Deny,
            $crate::methods::goal_report::Report,
            $crate::methods::goal_at::At,
            $crate::methods::goal::Plan,
            $crate::methods::goal_check::Check,
            $crate::methods::goal_diff::Diff,
            $crate::methods::goal::Steps,
            $crate::methods::schedule::Add,
            $crate::methods::schedule::List,
            $crate::methods::schedule::Get,
            $crate::methods::schedule::Run,
            $crate::methods::schedule::Pause,
            $crate::methods::schedule::Resume,
            $crate::methods::schedule::Remove,
            $crate::methods::conversation::Message,
            $crate::methods::conversation::History,
            $crate::methods::conversation::End,
            $crate::methods::conversation::Status,
            $crate::methods::conversation::List,
            $crate::methods::persona::List,
            $crate::methods::persona::Get,
            $crate::methods::persona::Default,
            $crate::methods::console::Invite,
            $crate::methods::token::Create,
            $crate::methods::token::List,
            $crate::methods::token::Revoke,
            $crate::methods::goal_events::Subscribe,
            $crate::methods::goal_events::Unsubscribe,
            $crate::methods::workitem::Get,
            $crate::methods::workitem::List,
            $crate::methods::workitem::ByGoal,
            $crate::methods::workitem::Runs,
            $crate::methods::cost::Summary,
            $crate::methods::audit::List,
            $crate::methods::audit::ByGoal,
            $crate::methods::audit::ByEntity,
            $crate::methods::audit::ByAction,
            $crate::methods::audit::ByTimeRange,
            $crate::methods::audit::ByActor,
            $crate::methods::audit::Stats,
            $crate::methods::audit::Prune,
            $crate::methods::events::Subscribe,
            $crate::methods::events::Unsubscribe,
            $crate::methods::debug_overview::Snapshot,
            $crate::methods::debug_overview::Scheduler,
            $crate::methods::debug_overview::Gateway,
            $crate::methods::debug_queries::Lanes,
            $crate::methods::debug_queries::Goals,
            $crate::methods::debug_queries::OneGoal,
            $crate::methods::debug_queries::WorkItems,
            $crate::methods::debug_queries::Runs,
            $crate::methods::debug_queries::Events,
            $crate::methods::debug::EventsSubscribe,
            $crate::methods::debug::EventsUnsubscribe,
        }
    };
}

macro_rules! describe {
    ($($method:ty),* $(,)?) => {
        /// Every method, in the order in which they are listed to people.
        pub const METHODS: &[MethodInfo] = &[
            $(MethodInfo {
                name: <$method as Method>::NAME,
                permissions: <$method as Method>::PERMISSIONS,
                doc: <$method as Method>::DOC,
            },)*
        ];

        /// What every method takes and gives. Named types go into the definitions of `generator`, whose contract
        /// says whether they are described as they are read or as they are written.
        pub fn signatures(generator: &mut SchemaGenerator) -> Vec<Signature> {
            vec![$(Signature {
                method: <$method as Method>::NAME,
                params: generator.subschema_for::<<$method as Method>::Params>(),
                result: generator.subschema_for::<<$method as Method>::Result>(),
            },)*]
        }

        /// The schema of every method's parameters, as they are read, and of its result, as it is written, by name.
        pub fn schemas() -> serde_json::Map<String, serde_json::Value> {
            let mut all = serde_json::Map::new();
            $(all.insert(<$method as Method>::NAME.to_owned(), serde_json::json!({
                "doc": <$method as Method>::DOC,
                "permission": Permission::listed(<$method as Method>::PERMISSIONS),
                "params": schemars::schema_for!(<$method as Method>::Params),
                "result": as_written().into_root_schema_for::<<$method as Method>::Result>(),
            }));)*
            all
        }
    };
}

for_each_method!(describe);

/// Other names, by which clients of the first implementation call methods (`wire.md` §2.6), and ours.
pub const ALIASES: &[(&str, &str)] = &[
    ("ping", system::Ping::NAME),
    ("goal.get", goal::Status::NAME),
    ("subscribe", goal_events::Subscribe::NAME),
    ("unsubscribe", goal_events::Unsubscribe::NAME),
    ("approval.approve", approval::Grant::NAME),
    ("approval.reject", approval::Deny::NAME),
];

/// The method that this is another name of, if it is one.
pub fn of_alias(name: &str) -> Option<&'static str> {
    ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, ours)| *ours)
}

/// Reads a method's parameters.
///
/// # Errors
/// `Invalid params: …` with the path of the offending key.
pub fn params<M: Method>(raw: &RawValue) -> Result<M::Params, RpcError> {
    let mut reader = serde_json::Deserializer::from_str(raw.get());
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if path == "." {
            RpcError::invalid_params(inner)
        } else {
            RpcError::invalid_params(format!("{path}: {inner}"))
        }
    })
}

/// No parameters; any object is accepted.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct NoParams {}

#[cfg(test)]
mod tests {
    use super::*;

    /// What changes nothing that outlives a connection. Everything else can be repeated by its key.
    const READS: &[&str] = &[
        system::Ping::NAME,
        system::Info::NAME,
        system::Status::NAME,
        system::Stats::NAME,
        system::Methods::NAME,
        log::LevelsOf::NAME,
        auth::Hello::NAME,
        auth::Pair::NAME,
        auth::Verify::NAME,
        auth::Token::NAME,
        goal::List::NAME,
        goal::Status::NAME,
        goal::Plan::NAME,
        goal_check::Check::NAME,
        goal_diff::Diff::NAME,
        goal::Steps::NAME,
        goal_at::At::NAME,
        goal_report::Report::NAME,
        goal_events::Subscribe::NAME,
        goal_events::Unsubscribe::NAME,
        workitem::Get::NAME,
        workitem::List::NAME,
        workitem::ByGoal::NAME,
        workitem::Runs::NAME,
        escalation::List::NAME,
        escalation::Get::NAME,
        escalation::Pending::NAME,
        approval::List::NAME,
        approval::Get::NAME,
        approval::Pending::NAME,
        schedule::List::NAME,
        schedule::Get::NAME,
        conversation::History::NAME,
        conversation::Status::NAME,
        conversation::List::NAME,
        persona::List::NAME,
        persona::Get::NAME,
        persona::Default::NAME,
        token::List::NAME,
        cost::Summary::NAME,
        audit::List::NAME,
        audit::ByGoal::NAME,
        audit::ByEntity::NAME,
        audit::ByAction::NAME,
        audit::ByTimeRange::NAME,
        audit::ByActor::NAME,
        audit::Stats::NAME,
        events::Subscribe::NAME,
        events::Unsubscribe::NAME,
        debug_overview::Snapshot::NAME,
        debug_overview::Scheduler::NAME,
        debug_overview::Gateway::NAME,
        debug_queries::Lanes::NAME,
        debug_queries::Goals::NAME,
        debug_queries::OneGoal::NAME,
        debug_queries::WorkItems::NAME,
        debug_queries::Runs::NAME,
        debug_queries::Events::NAME,
        debug::EventsSubscribe::NAME,
        debug::EventsUnsubscribe::NAME,
    ];

    #[test]
    fn what_changes_something_has_an_idempotency_key() {
        for (name, method) in schemas() {
            let changes = !READS.contains(&name.as_str());
            let has_key = method["params"]["properties"].get("idempotencyKey").is_some();
            assert_eq!(changes, has_key, "{name}");
        }
    }

    #[test]
    fn a_key_is_made_where_there_is_none_and_kept_where_there_is_one() {
        let params = |key: Option<&str>| goal::CancelParams {
            goal_id: "goal".to_owned(),
            reason: None,
            idempotency_key: key.map(str::to_owned),
        };
        for (given, expect) in [(None, "fresh"), (Some("ours"), "ours")] {
            let mut params = params(given);
            goal::Cancel::make_repeatable(&mut params, || "fresh".to_owned());
            assert_eq!(params.idempotency_key.as_deref(), Some(expect));
        }
    }
}
