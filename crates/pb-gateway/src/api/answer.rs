//! How it is said that something cannot be answered.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pb_protocol::{ErrorCode, RpcError};
use serde_json::json;

use crate::replay::FoldError;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Refused {
    /// It asks for what there is not.
    NotFound(String),
    /// It asks in a way that is not understood.
    Wrong(String),
    /// What is asked for was there, and was compacted.
    Gone(String),
    /// Who asks may not see it.
    Denied,
    /// It took too long.
    Busy,
    /// It cannot be read.
    Broken,
}

impl Refused {
    /// Something failed that is not the asker's fault.
    pub(super) fn broken(error: impl std::fmt::Display) -> Self {
        tracing::warn!(%error, "a question to /api cannot be answered");
        Self::Broken
    }
}

impl From<RpcError> for Refused {
    fn from(error: RpcError) -> Self {
        if error.is(ErrorCode::GoalNotFound) {
            Self::NotFound("Goal not found".to_owned())
        } else if error.is(ErrorCode::InvalidParams) {
            Self::Wrong(error.message)
        } else {
            Self::broken(error)
        }
    }
}

impl From<pb_store::Error> for Refused {
    fn from(error: pb_store::Error) -> Self {
        Self::broken(error)
    }
}

impl From<FoldError> for Refused {
    fn from(error: FoldError) -> Self {
        match error {
            FoldError::Compacted { .. } => Self::Gone(error.to_string()),
            FoldError::Store(_) | FoldError::NoEvent { .. } => Self::broken(error),
        }
    }
}

impl From<QueryRejection> for Refused {
    fn from(error: QueryRejection) -> Self {
        Self::Wrong(error.body_text())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::NotFound(what) => (StatusCode::NOT_FOUND, what),
            Self::Wrong(why) => (StatusCode::BAD_REQUEST, why),
            Self::Gone(why) => (StatusCode::GONE, why),
            Self::Denied => (StatusCode::FORBIDDEN, "Permission denied: requires 'admin'".to_owned()),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "It took too long; ask for less".to_owned()),
            Self::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "Internal server error".to_owned()),
        };
        (status, Json(json!({"error": error}))).into_response()
    }
}
