//! Places in the order of a list whose rows may move: where a page ended, and the next one begins.

use std::fmt;
use std::str::FromStr;

use pb_model::SessionId;

/// The place of a goal: by priority, then by when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoalPlace {
    /// Its priority then.
    pub priority: u8,
    /// When it was asked for, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// Its id.
    pub id: String,
}

/// The place of a session: by when something was said in it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPlace {
    /// When that was, in milliseconds since 1970.
    pub updated_at_ms: u64,
    /// Its id.
    pub id: SessionId,
}

/// A text that is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place in a list")]
pub struct BadPlace;

impl fmt::Display for GoalPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.priority, self.created_at_ms, self.id)
    }
}

impl FromStr for GoalPlace {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let (priority, rest) = text.split_once('.').ok_or(BadPlace)?;
        let (at, id) = rest.split_once('.').ok_or(BadPlace)?;
        Ok(Self { priority: part(priority)?, created_at_ms: part(at)?, id: id.to_owned() })
    }
}

impl fmt::Display for SessionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.updated_at_ms, self.id)
    }
}

impl FromStr for SessionPlace {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let (at, id) = text.split_once('.').ok_or(BadPlace)?;
        Ok(Self { updated_at_ms: part(at)?, id: part(id)? })
    }
}

fn part<T: FromStr>(text: &str) -> Result<T, BadPlace> {
    text.parse().map_err(|_| BadPlace)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is() {
        let uuid = Uuid::from_u128(7);
        let goal = GoalPlace { priority: 50, created_at_ms: 9, id: "goal_7".to_owned() };
        let session = SessionPlace { updated_at_ms: 9, id: uuid.into() };
        assert_eq!(goal.to_string().parse(), Ok(goal));
        assert_eq!(session.to_string().parse(), Ok(session));
        for text in ["", ".", "..", "1.2", "256.9.goal_1", "50..goal_1", "一.二.三"] {
            assert_eq!(text.parse::<GoalPlace>(), Err(BadPlace), "{text}");
            assert_eq!(text.parse::<SessionPlace>(), Err(BadPlace), "{text}");
        }
    }
}
