//! What a person asks for: a goal, when it runs, and what becomes of the slots that are missed.

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rhythm::Rhythm;
use crate::spec::Invalid;
use crate::{GoalSpec, Millis, plan};

/// Shortest interval, in milliseconds: what a cron expression can say, too.
pub const EVERY_MS_MIN: u64 = 60 * 1000;
/// Longest interval, in milliseconds: a leap year.
pub const EVERY_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1000;
/// So many failures in a row break a schedule, if nobody says how many.
pub const FAILURES_DEFAULT: u32 = 5;
/// Most that may be said.
pub const FAILURES_MAX: u32 = 1000;
/// Longest cron expression, in bytes.
const CRON_BYTES_MAX: usize = 256;
/// Fields of a cron expression.
const CRON_FIELDS: usize = 5;

/// A schedule as asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleSpec {
    /// What is run.
    pub goal: GoalSpec,
    /// When.
    pub timing: Timing,
    /// What becomes of slots that passed while nothing could run.
    #[serde(default)]
    pub missed: Missed,
    /// So many failures in a row break it; 5 if absent.
    #[serde(default = "failures_default")]
    pub failures_max: u32,
}

fn failures_default() -> u32 {
    FAILURES_DEFAULT
}

/// When slots are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Timing {
    /// By the clock on the wall of a place.
    Cron {
        /// Minute, hour, day of the month, month, day of the week.
        expression: String,
        /// The place: a name of the time zone database.
        zone: String,
    },
    /// At equal distances, whatever the clocks on walls do.
    Every {
        /// The distance, in milliseconds.
        interval_ms: u64,
        /// Slots are whole intervals after this, in milliseconds since 1970; when it was added if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        anchor_ms: Option<Millis>,
    },
}

/// What becomes of slots that passed while nothing could run: the machine was off, or the last goal still ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// They are left out.
    #[default]
    Skip,
    /// The latest of them is run, once.
    Once,
    /// Each is run, one after the other: the latest 24 of them.
    All,
}

impl Missed {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Skip, Self::Once, Self::All];

    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Once => "once",
            Self::All => "all",
        }
    }
}

/// The time zones that the machine knows.
#[derive(Debug, Clone, Copy)]
pub struct Zones {
    /// The one of a name.
    pub get: fn(&str) -> Option<TimeZone>,
    /// Every name.
    pub names: fn() -> Vec<String>,
}

impl ScheduleSpec {
    /// Checks everything, and says when its slots are. An interval begins at `now_ms` where nothing else is said.
    ///
    /// # Errors
    /// The first problem found.
    pub fn validate(&mut self, zones: Zones, now_ms: Millis) -> Result<Rhythm, Invalid> {
        self.goal.validate()?;
        if self.goal.deadline_ms.is_some() {
            let problem = "a goal that is run again and again cannot have one deadline";
            return Err(Invalid::new("deadline_ms", problem)
                .hint("bound each run with a budget of minutes: budget_time_minutes"));
        }
        if !(1..=FAILURES_MAX).contains(&self.failures_max) {
            let problem = format!("{} is not from 1 to {FAILURES_MAX}", self.failures_max);
            return Err(Invalid::new("failures_max", problem));
        }
        if let Timing::Every { anchor_ms, .. } = &mut self.timing {
            anchor_ms.get_or_insert(now_ms);
        }
        let rhythm = self.timing.rhythm(zones)?;
        if let (Timing::Cron { zone, .. }, Some(name)) = (&mut self.timing, rhythm.zone_name()) {
            name.clone_into(zone); // As the database spells it.
        }
        if rhythm.next_after(now_ms).is_none() {
            return Err(Invalid::new("timing", "this never comes").hint("is there such a day in that month?"));
        }
        Ok(rhythm)
    }
}

impl Timing {
    /// When the slots are.
    ///
    /// # Errors
    /// It says nothing that can be understood here.
    pub fn rhythm(&self, zones: Zones) -> Result<Rhythm, Invalid> {
        match self {
            Self::Cron { expression, zone } => {
                let crontab = crontab(expression)?;
                let zone = (zones.get)(zone).ok_or_else(|| unknown_zone(zone, zones))?;
                Ok(Rhythm::cron(crontab, zone))
            }
            Self::Every { interval_ms, .. } if !(EVERY_MS_MIN..=EVERY_MS_MAX).contains(interval_ms) => Err(
                Invalid::new("timing.interval_ms", "an interval is at least a minute, and at most 366 days"),
            ),
            Self::Every { interval_ms, anchor_ms } => {
                Ok(Rhythm::every(*interval_ms, anchor_ms.unwrap_or_default()))
            }
        }
    }
}

fn crontab(expression: &str) -> Result<cronexpr::Crontab, Invalid> {
    const PLACE: &str = "timing.expression";
    let help = "the fields are: minute hour day-of-month month day-of-week, such as `0 9 * * 1-5`";
    let fields = expression.split_whitespace().take(CRON_FIELDS + 1).count();
    if expression.len() > CRON_BYTES_MAX {
        return Err(Invalid::new(PLACE, format!("it is longer than {CRON_BYTES_MAX} bytes")).hint(help));
    }
    if fields != CRON_FIELDS {
        let found = if fields > CRON_FIELDS { "more" } else { "fewer" };
        return Err(Invalid::new(
            PLACE,
            format!("a cron expression has {CRON_FIELDS} fields; this has {found}"),
        )
        .hint(format!("{help}; the time zone is said apart")));
    }
    let mut options = cronexpr::ParseOptions::default();
    options.fallback_timezone_option = cronexpr::FallbackTimezoneOption::UTC;
    cronexpr::parse_crontab_with(expression, options).map_err(|error| {
        // Its first line says that it cannot be read; the rest shows where.
        let text = error.to_string();
        let shown = text.split_once('\n').map_or(text.as_str(), |(_, shown)| shown);
        Invalid::new(PLACE, format!("it cannot be read:\n{shown}")).hint(help)
    })
}

fn unknown_zone(zone: &str, zones: Zones) -> Invalid {
    let names = (zones.names)();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let is_city = |name: &&&str| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(zone));
    let near = names.iter().find(is_city).copied().or_else(|| plan::closest(zone, &names));
    let hint = near.map_or_else(
        || "write one like Europe/Berlin or Asia/Shanghai".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    let shown: String = zone.chars().take(80).collect();
    Invalid::new("timing.zone", format!("there is no time zone `{shown}`")).hint(hint)
}
