//! Identifiers: UUID v7 (RFC 9562) behind a printed prefix, so that an id says what it names.
//!
//! The generator lives outside (ids are arguments here), so that tests and replays can seed it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A string that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id such as `{expected}_0198c0ffee…` (32 hex digits), got `{got}`")]
pub struct ParseIdError {
    expected: &'static str,
    got: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// The printed prefix, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The bare UUID.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|rest| Uuid::try_parse(rest).ok())
                    .map(Self)
                    .ok_or_else(|| ParseIdError { expected: $prefix, got: text.chars().take(80).collect() })
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, ParseIdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

id!(
    /// A goal: what a person asked for.
    GoalId, "goal"
);
id!(
    /// A work item: one node of a goal's plan.
    ItemId, "item"
);
id!(
    /// A run: one attempt at a work item.
    RunId, "run"
);
id!(
    /// An escalation: a question to a human, with everything needed to answer it.
    EscalationId, "esc"
);
id!(
    /// An artifact: a file that a goal delivered.
    ArtifactId, "art"
);
id!(
    /// A schedule: a goal that is run again and again.
    ScheduleId, "sched"
);
id!(
    /// A session: a conversation of a person with the worker.
    SessionId, "sess"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_their_kind_and_parse_back() {
        let id = GoalId::from(Uuid::from_u128(0x0198_c0ff_ee00_7000_8000_0000_0000_0001));
        assert_eq!(id.to_string(), "goal_0198c0ffee0070008000000000000001");
        assert_eq!(id.to_string().parse(), Ok(id));
        let wrong = id.to_string().parse::<RunId>().unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "expected an id such as `run_0198c0ffee…` (32 hex digits), got `goal_0198c0ffee0070008000000000000001`"
        );
    }
}
