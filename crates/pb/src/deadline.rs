//! When a goal is to be done, as people say it.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A deadline in milliseconds since 1970: so long from now, or a time, in the machine's time zone if it
/// names none.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    at(text.trim(), &Zoned::now())
}

/// A moment, past or not, in milliseconds since 1970: a time, in the machine's time zone if it names none, or that very
/// number.
pub(crate) fn moment(text: &str) -> Result<u64, String> {
    let text = text.trim();
    if let Ok(at_ms) = text.parse() {
        return Ok(at_ms);
    }
    let at = text.parse::<Timestamp>().ok().or_else(|| local(text, Zoned::now().time_zone()));
    let at = at.and_then(|at| u64::try_from(at.as_millisecond()).ok());
    at.ok_or_else(|| format!("`{text}` is no time; write it like 2026-12-24T18:00"))
}

fn at(text: &str, now: &Zoned) -> Result<u64, String> {
    let help = "write it like 30m, 4h, 2d, or 2026-12-24T18:00";
    let at = match from_now(text) {
        Some(seconds) => {
            now.timestamp().as_second().checked_add(seconds).and_then(|at| Timestamp::from_second(at).ok())
        }
        None => text.parse::<Timestamp>().ok().or_else(|| local(text, now.time_zone())),
    };
    let at = at.ok_or_else(|| format!("`{text}` is no time; {help}"))?;
    if at <= now.timestamp() {
        return Err(format!("{text} is over; {help}"));
    }
    u64::try_from(at.as_millisecond()).map_err(|_| help.to_owned())
}

/// A length of time, in seconds.
pub(crate) fn length_s(text: &str) -> Result<u64, String> {
    let seconds = from_now(text.trim()).and_then(|seconds| u64::try_from(seconds).ok());
    seconds.ok_or_else(|| format!("`{text}` is no length of time; write it like 30m, 4h or 2d"))
}

/// `30m`, `4h`, `2d`, in seconds.
fn from_now(text: &str) -> Option<i64> {
    let units = [("m", 60), ("h", 3_600), ("d", 86_400)];
    let (digits, seconds) = units.iter().find_map(|(unit, s)| Some((text.strip_suffix(unit)?, *s)))?;
    digits.parse::<i64>().ok().filter(|n| *n > 0)?.checked_mul(seconds)
}

fn local(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let at: DateTime = text.parse().ok()?;
    Some(zone.to_ambiguous_zoned(at).compatible().ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_so_long_from_now_or_a_time() {
        let now: Zoned = "2026-11-27T10:00:00+08:00[Asia/Shanghai]".parse().unwrap();
        let told = |text: &str| match at(text, &now) {
            Ok(ms) => Timestamp::from_millisecond(ms.try_into().unwrap()).unwrap().to_string(),
            Err(why) => why,
        };
        let written = [
            "30m",
            "4h",
            "2d",
            "2026-11-27T18:00",
            "2026-11-28 09:30",
            "2026-11-27T18:00:00Z",
            "2026-11-27T09:00",
            "0h",
            "tomorrow",
            "9999999999999999999d",
            "",
        ];
        let lines: Vec<String> = written.iter().map(|text| format!("{text:?}: {}", told(text))).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        "30m": 2026-11-27T02:30:00Z
        "4h": 2026-11-27T06:00:00Z
        "2d": 2026-11-29T02:00:00Z
        "2026-11-27T18:00": 2026-11-27T10:00:00Z
        "2026-11-28 09:30": 2026-11-28T01:30:00Z
        "2026-11-27T18:00:00Z": 2026-11-27T18:00:00Z
        "2026-11-27T09:00": 2026-11-27T09:00 is over; write it like 30m, 4h, 2d, or 2026-12-24T18:00
        "0h": `0h` is no time; write it like 30m, 4h, 2d, or 2026-12-24T18:00
        "tomorrow": `tomorrow` is no time; write it like 30m, 4h, 2d, or 2026-12-24T18:00
        "9999999999999999999d": `9999999999999999999d` is no time; write it like 30m, 4h, 2d, or 2026-12-24T18:00
        "": `` is no time; write it like 30m, 4h, 2d, or 2026-12-24T18:00
        "#);
    }
}
