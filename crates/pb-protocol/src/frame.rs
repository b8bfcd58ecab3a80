//! WebSocket frames (`wire.md` §2.3): one JSON object a message.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{ErrorCode, RpcError};

/// Longest message that a client may send, in bytes.
pub const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// A request, as parsed by [`Request::parse`].
#[derive(Debug, Clone)]
pub struct Request {
    /// Chosen by the client; the response carries it.
    pub id: String,
    /// The method's name.
    pub method: String,
    /// The parameters, unparsed; `{}` when absent or null.
    pub params: Box<RawValue>,
}

/// A frame that the server sends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ServerFrame {
    /// The answer to a request.
    Res(Response),
    /// Something that happened.
    Event(EventFrame),
    /// Where the reader is, when a filter has hidden everything for a while.
    Cursor {
        /// The cursor to resume from.
        cursor: String,
        /// The subscription that it belongs to.
        #[serde(rename = "subscriptionId", default, skip_serializing_if = "Option::is_none")]
        subscription_id: Option<String>,
    },
}

/// The answer to a request: a result or an error.
#[derive(Debug, Serialize, Deserialize)]
pub struct Response {
    /// The request's id; empty when the error cannot be tied to one.
    pub id: String,
    /// The result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
    /// The error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RpcError>,
}

/// Something that happened. The keys after `data` are ours; old clients ignore them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventFrame {
    /// Its name, such as `goal.completed`.
    pub event: String,
    /// What is told about it.
    pub data: Box<RawValue>,
    /// Where to resume after it. Absent in events that are in no log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Its number in its goal, without gaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The log's generation.
    #[serde(default, rename = "gen", skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// When it happened, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// The subscription that it belongs to.
    #[serde(default, rename = "subscriptionId", skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<String>,
}

/// A request to send.
#[derive(Debug, Serialize)]
pub struct OutgoingRequest<'a, P> {
    /// Always `req`.
    pub r#type: &'static str,
    /// Chosen by the sender.
    pub id: &'a str,
    /// The method's name.
    pub method: &'a str,
    /// Its parameters.
    pub params: P,
}

impl Request {
    /// Parses a client's message.
    ///
    /// # Errors
    /// What is wrong, in the words of `wire.md` §2.3; the response to it carries an empty id.
    pub fn parse(text: &str) -> Result<Self, RpcError> {
        let invalid =
            |what: String| RpcError::new(ErrorCode::InvalidRequest, format!("Invalid request: {what}"));
        let value: Value = serde_json::from_str(text)
            .map_err(|_| RpcError::new(ErrorCode::ParseError, "Parse error: Invalid JSON"))?;
        let Value::Object(object) = value else {
            return Err(invalid("Message must be an object".to_owned()));
        };
        match object.get("type").and_then(Value::as_str) {
            None | Some("") => return Err(invalid("Missing or invalid \"type\" field".to_owned())),
            Some("req") => {}
            Some("res" | "event") => return Err(invalid("Only request frames are accepted".to_owned())),
            Some(other) => return Err(invalid(format!("Unknown frame type: {other}"))),
        }
        let field = |name: &str| {
            object
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .ok_or_else(|| invalid(format!("Request must have a non-empty string \"{name}\"")))
        };
        let (id, method) = (field("id")?, field("method")?);
        let params = match object.get("params") {
            None | Some(Value::Null) => Value::Object(serde_json::Map::new()),
            Some(params) => params.clone(),
        };
        let params = serde_json::value::to_raw_value(&params).map_err(RpcError::internal)?;
        Ok(Self { id, method, params })
    }
}

impl Response {
    /// A successful answer.
    pub fn ok(id: String, result: Box<RawValue>) -> Self {
        Self {
            id,
            result: Some(result),
            error: None,
        }
    }

    /// A refusal.
    pub fn error(id: String, error: RpcError) -> Self {
        Self {
            id,
            result: None,
            error: Some(error),
        }
    }
}
