//! How many items of all goals run at once in each lane.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Fewest items that run at once in a lane.
pub const LANE_MIN: usize = 1;
/// Most items that run at once in a lane: each may be a process, or a call of a model.
pub const LANE_MAX: usize = 64;

/// How many items of all goals run at once in each lane; what is usual where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lanes {
    /// Ordinary work.
    #[serde(deserialize_with = "limit")]
    pub main: Option<usize>,
    /// Work delegated by other work.
    #[serde(deserialize_with = "limit")]
    pub subagent: Option<usize>,
    /// Scheduled work.
    #[serde(deserialize_with = "limit")]
    pub cron: Option<usize>,
    /// Interactive or long-running work.
    #[serde(deserialize_with = "limit")]
    pub session: Option<usize>,
}

fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let limit = i64::deserialize(deserializer)?;
    usize::try_from(limit)
        .ok()
        .filter(|limit| (LANE_MIN..=LANE_MAX).contains(limit))
        .map(Some)
        .ok_or_else(|| D::Error::custom(format!("a lane takes {LANE_MIN} to {LANE_MAX} items at once")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_takes_1_to_64() {
        let read = |text: &str| toml::from_str::<Lanes>(text).map_err(|error| error.message().to_owned());
        let lanes = Lanes { main: Some(1), session: Some(64), ..Lanes::default() };
        assert_eq!(read("main = 1\nsession = 64"), Ok(lanes));
        assert_eq!(read(""), Ok(Lanes::default()));
        for wrong in ["main = 0", "cron = 65", "subagent = -1"] {
            assert_eq!(read(wrong).unwrap_err(), "a lane takes 1 to 64 items at once", "{wrong}");
        }
        assert!(read("other = 1").unwrap_err().contains("unknown field"));
    }
}
