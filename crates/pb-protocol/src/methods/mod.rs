//! What may be asked of the gateway. One struct a method; [`METHODS`] is the list.

pub mod debug;
pub mod events;
pub mod goal;
pub mod system;
pub mod workitem;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::error::RpcError;

/// A method: its name, what it takes and what it gives.
pub trait Method {
    /// Its name on the wire.
    const NAME: &'static str;
    /// What a session must have to call it; `None` for public methods.
    const PERMISSION: Option<Permission>;
    /// One line for people.
    const DOC: &'static str;
    /// What it takes.
    type Params: Serialize + DeserializeOwned + schemars::JsonSchema + Send;
    /// What it gives.
    type Result: Serialize + DeserializeOwned + schemars::JsonSchema + Send;
}

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Look.
    Read,
    /// Submit and cancel.
    Write,
    /// Everything.
    Admin,
}

impl Permission {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// A row of the method table.
#[derive(Debug, Clone, Copy)]
pub struct MethodInfo {
    /// Its name on the wire.
    pub name: &'static str,
    /// What a session must have to call it.
    pub permission: Option<Permission>,
    /// One line for people.
    pub doc: &'static str,
}

macro_rules! methods {
    ($($method:ty),* $(,)?) => {
        /// Every method, in the order in which they are listed to people.
        pub const METHODS: &[MethodInfo] = &[
            $(MethodInfo {
                name: <$method as Method>::NAME,
                permission: <$method as Method>::PERMISSION,
                doc: <$method as Method>::DOC,
            },)*
        ];

        /// The schema of every method's parameters and result, by name.
        pub fn schemas() -> serde_json::Map<String, serde_json::Value> {
            let mut all = serde_json::Map::new();
            $(all.insert(<$method as Method>::NAME.to_owned(), serde_json::json!({
                "doc": <$method as Method>::DOC,
                "permission": <$method as Method>::PERMISSION.map(Permission::as_str),
                "params": schemars::schema_for!(<$method as Method>::Params),
                "result": schemars::schema_for!(<$method as Method>::Result),
            }));)*
            all
        }
    };
}

methods![
    system::Ping,
    system::Info,
    system::Status,
    system::Gc,
    goal::Submit,
    goal::List,
    goal::Status,
    goal::Cancel,
    goal::Plan,
    goal::Steps,
    workitem::ByGoal,
    workitem::Runs,
    events::Subscribe,
    events::Unsubscribe,
    debug::EventsSubscribe,
    debug::EventsUnsubscribe,
];

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
