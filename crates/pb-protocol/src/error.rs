//! Error codes of the gateway (`wire.md` §2.4).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The codes, with their numbers on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[expect(missing_docs, reason = "the names of `wire.md` §2.4 say it")]
pub enum ErrorCode {
    ParseError = -32700,
    InvalidRequest = -32600,
    MethodNotFound = -32601,
    InvalidParams = -32602,
    InternalError = -32603,
    AuthRequired = -32001,
    AuthFailed = -32002,
    PermissionDenied = -32004,
    RateLimited = -32005,
    ConnectionLimit = -32006,
    /// New: the disk has too little room for new goals.
    LowDisk = -32007,
    GoalNotFound = -32010,
    WorkItemNotFound = -32011,
    EscalationNotFound = -32012,
    RunNotFound = -32013,
    GoalAlreadyCancelled = -32020,
    InvalidStateTransition = -32022,
}

impl ErrorCode {
    /// The number on the wire.
    pub fn number(self) -> i32 {
        self as i32
    }
}

/// An error as it stands in a response frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct RpcError {
    /// One of [`ErrorCode`]'s numbers.
    pub code: i32,
    /// What failed, for people.
    pub message: String,
    /// More: `hint` for people, ids for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl RpcError {
    /// An error without data.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code: code.number(), message: message.into(), data: None }
    }

    /// The same error with a hint for people.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        let mut data = match self.data.take() {
            Some(Value::Object(map)) => map,
            _ => serde_json::Map::new(),
        };
        data.insert("hint".to_owned(), Value::String(hint.into()));
        self.data = Some(Value::Object(data));
        self
    }

    /// The hint that came with it.
    pub fn hint_text(&self) -> Option<&str> {
        self.data.as_ref()?.get("hint")?.as_str()
    }

    /// Whether it has this code.
    pub fn is(&self, code: ErrorCode) -> bool {
        self.code == code.number()
    }

    /// `Invalid params: …`.
    pub fn invalid_params(detail: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::InvalidParams, format!("Invalid params: {detail}"))
    }

    /// `goal not found: …`.
    pub fn goal_not_found(id: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::GoalNotFound, format!("goal not found: {id}"))
    }

    /// `Internal error: …`.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::InternalError, format!("Internal error: {detail}"))
    }
}
