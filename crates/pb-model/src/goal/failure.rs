//! What went wrong, and whether trying again may help.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of failure it is: it alone decides whether another attempt is made by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// It may pass: a command or gate failed, something took too long.
    Transient,
    /// It stays: trying again does the same.
    #[default]
    Permanent,
    /// The model did not do its work; another attempt may go better.
    Model,
    /// The machine or the daemon failed: the work itself was not tried, or not to its end.
    Host,
    /// A limit or a rule stopped it, or a person did: only a person goes past that.
    Policy,
}

impl ErrorClass {
    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Model => "model",
            Self::Host => "host",
            Self::Policy => "policy",
        }
    }

    /// Whether another attempt is made, while the item has one left.
    pub fn is_retried(self) -> bool {
        match self {
            Self::Transient | Self::Model | Self::Host => true,
            Self::Permanent | Self::Policy => false,
        }
    }
}

/// What went wrong: a code for programs, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable upper-case code.
    pub code: String,
    /// What kind of failure it is.
    #[serde(default)]
    pub class: ErrorClass,
    /// A lower-case fragment that completes "failed: …".
    pub message: String,
}

impl Failure {
    /// A failure of this class.
    pub fn new(class: ErrorClass, code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), class, message: message.into() }
    }
}
