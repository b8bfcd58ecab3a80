//! What all goals together may spend in a day.

use jiff::tz::TimeZone;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// What all goals together may spend in a day, from midnight to midnight.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Most money, in US dollars; no limit if absent.
    #[serde(deserialize_with = "above_zero")]
    pub day_usd: Option<f64>,
    /// Most tokens; no limit if absent.
    pub day_tokens: Option<std::num::NonZeroU64>,
    /// Most answers of models; no limit if absent.
    pub day_turns: Option<std::num::NonZeroU32>,
    /// The time zone in which a day begins, such as `Europe/Berlin`; the machine's if absent.
    #[serde(deserialize_with = "zone")]
    timezone: Option<TimeZone>,
}

impl Budget {
    /// The time zone in which a day begins.
    pub fn zone(&self) -> TimeZone {
        self.timezone.clone().unwrap_or_else(TimeZone::system)
    }
}

fn above_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let usd = f64::deserialize(deserializer)?;
    if usd.is_finite() && usd > 0.0 {
        Ok(Some(usd))
    } else {
        Err(D::Error::custom("a budget is above zero; leave it out for no limit"))
    }
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TimeZone>, D::Error> {
    let name = String::deserialize(deserializer)?;
    TimeZone::get(&name).map(Some).map_err(|_| {
        D::Error::custom(format!("there is no time zone `{name}`; write one like \"Europe/Berlin\""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_a_budget_and_a_zone() {
        let read = |text: &str| toml::from_str::<Budget>(text).map_err(|error| error.message().to_owned());
        let budget = read("day_usd = 2\nday_tokens = 5\ntimezone = 'Asia/Shanghai'").unwrap();
        assert_eq!((budget.day_usd, budget.day_tokens.map(u64::from)), (Some(2.0), Some(5)));
        assert_eq!(budget.zone().iana_name(), Some("Asia/Shanghai"));
        let wrong =
            ["day_usd = 0", "day_usd = -1", "day_tokens = 0", "timezone = 'Mars/Olympus'", "week_usd = 1"];
        let told: Vec<String> = wrong.iter().map(|text| read(text).unwrap_err()).collect();
        assert_eq!(
            told,
            [
                "a budget is above zero; leave it out for no limit",
                "a budget is above zero; leave it out for no limit",
                "invalid value: integer `0`, expected a nonzero u64",
                "there is no time zone `Mars/Olympus`; write one like \"Europe/Berlin\"",
                "unknown field `week_usd`, expected one of `day_usd`, `day_tokens`, `day_turns`, `timezone`",
            ]
        );
    }
}
