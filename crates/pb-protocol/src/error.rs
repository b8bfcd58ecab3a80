//! Error codes of the gateway (`wire.md` §2.4).

use serde::{Deserialize, Serialize};
use serde_json::Value;

macro_rules! error_codes {
    ($($code:ident = $number:literal, $meaning:literal;)*) => {
        /// The codes, with their numbers on the wire.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(i32)]
        pub enum ErrorCode {
            $(#[doc = $meaning] $code = $number,)*
        }

        impl ErrorCode {
            /// Every code, as they are listed to people.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// What it means, in a line.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$code => $meaning,)*
                }
            }
        }
    };
}

error_codes! {
    ParseError = -32700, "the message is not JSON";
    InvalidRequest = -32600, "the message is not a request; the answer's `id` is empty";
    MethodNotFound = -32601, "there is no such method";
    InvalidParams = -32602, "the parameters are wrong; the message names the key";
    InternalError = -32603, "the gateway could not do it; nothing was accepted";
    AuthRequired = -32001, "a session is needed";
    AuthFailed = -32002, "who asks could not be found out";
    AuthExpired = -32003, "the session has ended";
    PermissionDenied = -32004, "the session may not do this";
    RateLimited = -32005, "too much of something at once; `data.hint` says of what";
    ConnectionLimit = -32006, "too many connections";
    InvalidToken = -32007, "the pairing token is not valid";
    ChallengeExpired = -32008, "the time for the challenge is over: begin again";
    SignatureInvalid = -32009, "the signature is not of this key and challenge";
    GoalNotFound = -32010, "there is no such goal";
    WorkItemNotFound = -32011, "there is no such work item";
    EscalationNotFound = -32012, "there is no such escalation";
    RunNotFound = -32013, "there is no such run";
    GoalAlreadyCancelled = -32020, "the goal is cancelled already";
    EscalationAlreadyResolved = -32021, "somebody answered first; the message says who and what";
    InvalidStateTransition = -32022, "what is asked does not fit how things stand, such as cancelling what is over";
    LowDisk = -32050, "the disk has too little room for new goals; new in this implementation";
    ScheduleNotFound = -32051, "there is no such schedule; new in this implementation";
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

    /// `escalation not found: …`.
    pub fn escalation_not_found(id: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::EscalationNotFound, format!("escalation not found: {id}"))
    }

    /// `schedule not found: …`.
    pub fn schedule_not_found(id: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::ScheduleNotFound, format!("schedule not found: {id}"))
    }

    /// `Internal error: …`.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::InternalError, format!("Internal error: {detail}"))
    }
}
