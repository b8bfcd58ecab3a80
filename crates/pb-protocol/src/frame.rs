//! WebSocket frames (`wire.md` §2.3): one JSON object a message.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{ErrorCode, RpcError};

/// Longest message that a client may send, in bytes.
pub const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// How much of a request's id stands in the log, in bytes. An id that is longer may be a key, for all that is known.
pub const LOGGED_ID_BYTES_MAX: usize = 36;

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

/// A frame that the server sends. Deserialized by hand: serde buffers what it reads for a tagged
/// enum, and raw JSON does not survive that.
#[derive(Debug, Serialize)]
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
    /// What the reader did not get of the ephemeral lane, because it reads too slowly.
    Lag {
        /// At most how many deltas it would have been shown; some may have been of other goals.
        dropped: u64,
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
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EventFrame {
    /// Its name, such as `goal.completed`.
    pub event: String,
    /// What is told about it.
    #[schemars(with = "serde_json::Value")]
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
    /// Whether it is in no log, and may be lost: token deltas and the output of tools.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ephemeral: bool,
    /// Whether it is of a scheduler that keeps no log: it is told once, live, and to every connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub legacy: bool,
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
    /// Its id, as it stands in the log: the beginning of one that is long.
    pub fn logged_id(&self) -> &str {
        self.id.get(..self.id.floor_char_boundary(LOGGED_ID_BYTES_MAX)).unwrap_or_default()
    }

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

impl<'de> Deserialize<'de> for ServerFrame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let any = AnyFrame::deserialize(deserializer)?;
        match any.r#type.as_str() {
            "res" => Ok(Self::Res(Response {
                id: any.id.ok_or_else(|| D::Error::missing_field("id"))?,
                result: any.result,
                error: any.error,
            })),
            "event" => Ok(Self::Event(EventFrame {
                event: any.event.ok_or_else(|| D::Error::missing_field("event"))?,
                data: any.data.ok_or_else(|| D::Error::missing_field("data"))?,
                cursor: any.cursor,
                seq: any.seq,
                generation: any.generation,
                at: any.at,
                subscription_id: any.subscription_id,
                ephemeral: any.ephemeral,
                legacy: any.legacy,
            })),
            "cursor" => Ok(Self::Cursor {
                cursor: any.cursor.ok_or_else(|| D::Error::missing_field("cursor"))?,
                subscription_id: any.subscription_id,
            }),
            "lag" => {
                Ok(Self::Lag { dropped: any.dropped.ok_or_else(|| D::Error::missing_field("dropped"))? })
            }
            other => Err(D::Error::unknown_variant(other, &["res", "event", "cursor", "lag"])),
        }
    }
}

/// The keys of every frame.
#[derive(Deserialize)]
struct AnyFrame {
    r#type: String,
    id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    result: Option<Box<RawValue>>,
    error: Option<RpcError>,
    event: Option<String>,
    #[serde(default, deserialize_with = "present")]
    data: Option<Box<RawValue>>,
    cursor: Option<String>,
    seq: Option<u64>,
    #[serde(rename = "gen")]
    generation: Option<u64>,
    at: Option<u64>,
    #[serde(rename = "subscriptionId")]
    subscription_id: Option<String>,
    #[serde(default)]
    ephemeral: bool,
    #[serde(default)]
    legacy: bool,
    dropped: Option<u64>,
}

/// A key that is there is `Some`, `null` included.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(deserializer).map(Some)
}

impl EventFrame {
    /// An event that is in no log: without a cursor, a number or a subscription.
    pub fn outside_log(event: &str, data: Box<RawValue>) -> Self {
        Self {
            event: event.to_owned(),
            data,
            cursor: None,
            seq: None,
            generation: None,
            at: None,
            subscription_id: None,
            ephemeral: false,
            legacy: false,
        }
    }
}

impl Response {
    /// A successful answer.
    pub fn ok(id: String, result: Box<RawValue>) -> Self {
        Self { id, result: Some(result), error: None }
    }

    /// A refusal.
    pub fn error(id: String, error: RpcError) -> Self {
        Self { id, result: None, error: Some(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_of_the_server_comes_back_as_it_was() {
        for text in [
            r#"{"type":"res","id":"1","result":{"b":1,"a":[1.50]}}"#,
            r#"{"type":"res","id":"1","result":null}"#,
            r#"{"type":"res","id":"","error":{"code":-32700,"message":"x"}}"#,
            r#"{"type":"event","event":"goal.created","data":{"title":"春"},"cursor":"c1.x","seq":1,"gen":2,"at":3,"subscriptionId":"s1"}"#,
            r#"{"type":"event","event":"connection.authenticated","data":{}}"#,
            r#"{"type":"event","event":"tool.output","data":{"chunk":"春"},"ephemeral":true}"#,
            r#"{"type":"event","event":"goal.started","data":{"goalId":"g"},"legacy":true}"#,
            r#"{"type":"cursor","cursor":"c1.x","subscriptionId":"s1"}"#,
            r#"{"type":"lag","dropped":7}"#,
        ] {
            let frame: ServerFrame = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&frame).unwrap(), text);
        }
        for unknown in [r#"{"type":"lag"}"#, r#"{"type":"later"}"#] {
            assert!(serde_json::from_str::<ServerFrame>(unknown).is_err());
        }
    }
}
