//! When a provider says to try again.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use serde_json::Value;

/// Longest wait that is believed.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// From `retry-after-ms` (milliseconds), `retry-after` (seconds, or a date), or Gemini's
/// `retryDelay` in the body; `now_ms` counts for a date only when the answer has none of its own.
pub(super) fn retry_after(headers: &HeaderMap, body: &str, now_ms: u64) -> Option<Duration> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let in_ms = text(&HeaderName::from_static("retry-after-ms")).and_then(seconds).map(|wait| wait / 1_000);
    let in_seconds = || text(&RETRY_AFTER).and_then(seconds);
    let at_date = || {
        let until = date_ms(text(&RETRY_AFTER)?)?;
        let now = text(&DATE).and_then(date_ms).or_else(|| i64::try_from(now_ms).ok())?;
        Some(Duration::from_millis(u64::try_from(until - now).unwrap_or(0)))
    };
    let wait = in_ms.or_else(in_seconds).or_else(at_date).or_else(|| in_body(body))?;
    Some(wait.min(RETRY_AFTER_MAX))
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// Dates of HTTP are of the form that mails have.
fn date_ms(text: &str) -> Option<i64> {
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(date.as_millisecond())
}

fn in_body(body: &str) -> Option<Duration> {
    let body: Value = serde_json::from_str(body).ok()?;
    let body = body.get(0).unwrap_or(&body);
    let details = body.pointer("/error/details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay"))?.as_str()?;
    seconds(delay.strip_suffix('s')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let now_ms = 1_445_412_470_000; // 2015-10-21 07:27:50 UTC
        let check = |headers: &[(&'static str, &'static str)], body: &str| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().unwrap());
            }
            retry_after(&map, body, now_ms).map(|wait| wait.as_secs_f64())
        };
        let date = "Wed, 21 Oct 2015 07:28:00 GMT";
        for (headers, body, expect) in [
            (&[][..], "", None),
            (&[("retry-after", "7")], "", Some(7.0)),
            (&[("retry-after", "1.5")], "", Some(1.5)),
            (&[("retry-after", "2"), ("retry-after-ms", "250")], "", Some(0.25)),
            (&[("retry-after", date)], "", Some(10.0)),
            (&[("retry-after", date), ("date", "Wed, 21 Oct 2015 07:27:00 GMT")], "", Some(60.0)),
            (&[("retry-after", date), ("date", "Wed, 21 Oct 2015 07:29:00 GMT")], "", Some(0.0)),
            (&[("retry-after", "-3")], "", None),
            (&[("retry-after", "soon")], "", None),
            (&[("retry-after", "1e300")], "", None),
            (&[("retry-after", "99999999")], "", Some(86_400.0)),
            (&[], r#"{"error":{"details":[{"@type":"x"},{"retryDelay":"34.5s"}]}}"#, Some(34.5)),
            (&[], r#"[{"error":{"details":[{"retryDelay":"3s"}]}}]"#, Some(3.0)),
            (&[], r#"{"error":{"details":[{"retryDelay":"soon"}]}}"#, None),
        ] {
            assert_eq!(check(headers, body), expect, "{headers:?} {body}");
        }
    }
}
