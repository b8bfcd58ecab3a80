//! A gate as it stands on the wire: flat, every key of its kind and no other.
//!
//! `serde` cannot refuse unknown keys where it flattens, and a misspelt key of a gate would silently weaken
//! what it proves. So the keys that all kinds share are taken out first, and the rest is read as one kind.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::gate::{Check, GateSpec};

/// The keys of a gate, before its kind is known.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct GateWire(Map<String, Value>);

impl TryFrom<GateWire> for GateSpec {
    type Error = String;

    fn try_from(GateWire(mut keys): GateWire) -> Result<Self, String> {
        Ok(Self {
            name: take(&mut keys, "name")?,
            required: take(&mut keys, "required")?.unwrap_or(true),
            judges: take(&mut keys, "judges")?.unwrap_or_default(),
            may_change: take(&mut keys, "may_change")?.unwrap_or(false),
            check: serde_json::from_value::<Check>(Value::Object(keys)).map_err(|error| error.to_string())?,
        })
    }
}

fn take<T: DeserializeOwned>(keys: &mut Map<String, Value>, key: &str) -> Result<Option<T>, String> {
    let value = keys.remove(key).unwrap_or_default();
    serde_json::from_value(value).map_err(|error| format!("`{key}`: {error}"))
}
