//! A line of a log.

use pb_protocol::frame::LOGGED_ID_BYTES_MAX;
use serde_json::{Map, Value};

use super::Level;
use crate::format;
use crate::output::{BAD, DIM, WARN, styled};

/// Keys of a line that are shown in places of their own, or are of no use to people.
const PLACED: [&str; 4] = ["timestamp", "level", "message", "target"];

/// A line of a log, and whose it is.
#[derive(Debug)]
pub(super) struct Line {
    process: &'static str,
    text: String,
    fields: Map<String, Value>,
}

impl Line {
    /// A line as it stands in the file. One that is no JSON, such as one of an earlier version, is all message.
    pub(super) fn new(process: &'static str, text: String) -> Self {
        let fields = serde_json::from_str(&text)
            .unwrap_or_else(|_| Map::from_iter([("message".to_owned(), Value::String(text.clone()))]));
        Self { process, text, fields }
    }

    /// It as it stands in the file.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// When it was told: a moment in UTC, such that texts compare as the moments do. Empty where it is not known.
    pub(super) fn at(&self) -> &str {
        self.word("timestamp")
    }

    /// How grave it is; as a notice where it is not known.
    pub(super) fn level(&self) -> Level {
        match self.word("level") {
            "ERROR" => Level::Error,
            "WARN" => Level::Warn,
            "DEBUG" => Level::Debug,
            "TRACE" => Level::Trace,
            _ => Level::Info,
        }
    }

    /// Whether it is about the request of this id, or of one that this is a part of. Of a long id only the beginning
    /// stands in the log.
    pub(super) fn is_about_request(&self, id: &str) -> bool {
        let shown = self.word("request");
        let is_cut = shown.len() + char::MAX.len_utf8() > LOGGED_ID_BYTES_MAX;
        !shown.is_empty() && (shown.contains(id) || (is_cut && id.starts_with(shown)))
    }

    /// As JSON, with whose it is.
    pub(super) fn json(&self) -> String {
        let mut fields = self.fields.clone();
        fields.insert("process".to_owned(), self.process.into());
        Value::Object(fields).to_string()
    }

    /// `2026-11-27 23:53:58 WARN  scheduler  the disk is full  goal=goal_… path=/…`.
    pub(super) fn for_people(&self, with_process: bool) -> String {
        let at: Option<jiff::Timestamp> = self.at().parse().ok();
        let at = at.and_then(|at| u64::try_from(at.as_millisecond()).ok()).map(format::moment_ms);
        let level = self.word("level");
        let level = match self.level() {
            Level::Error => styled(BAD, format_args!("{level:5}")),
            Level::Warn => styled(WARN, format_args!("{level:5}")),
            Level::Info => format!("{level:5}"),
            Level::Debug | Level::Trace => styled(DIM, format_args!("{level:5}")),
        };
        let mut parts = vec![at.unwrap_or_default(), level];
        parts.extend(with_process.then(|| format!("{:9}", self.process)));
        parts.push(format::line(self.word("message")));
        let more = self.fields.iter().filter(|(key, _)| !PLACED.contains(&key.as_str()));
        parts.extend(more.map(|(key, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), format::line);
            styled(DIM, format_args!("{key}={value}"))
        }));
        parts.join(" ").trim().to_owned()
    }

    fn word(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_request_are_found_by_its_id_also_by_one_that_is_long() {
        let long = "7f3a".repeat(16);
        let text = format!(r#"{{"message":"x","request":"{}"}}"#, &long[..LOGGED_ID_BYTES_MAX]);
        let line = Line::new("gateway", text);
        assert!(line.is_about_request(&long) && line.is_about_request("3a7f"));
        assert!(!line.is_about_request("x") && !line.is_about_request(&"7f3b".repeat(16)));
        let short = Line::new("gateway", r#"{"message":"7","request":"17"}"#.to_owned());
        assert!(short.is_about_request("17") && !short.is_about_request("171"));
        assert!(!Line::new("gateway", r#"{"message":"17"}"#.to_owned()).is_about_request("17"));
    }

    #[test]
    fn a_line_is_shown_for_people_whole_and_harmless() {
        let text = r#"{"timestamp":"2026-11-27T23:53:58.123456Z","level":"WARN","message":"一行\u001b[2J","goal":"goal_1","n":3,"target":"pb_gateway"}"#;
        let line = Line::new("gateway", text.to_owned());
        assert_eq!((line.level(), line.at()), (Level::Warn, "2026-11-27T23:53:58.123456Z"));
        let shown = anstream::adapter::strip_str(&line.for_people(true)).to_string();
        let (_, shown) = shown.split_once("WARN ").unwrap();
        assert!(shown.starts_with(" gateway   一行") && shown.ends_with("goal=goal_1 n=3"), "{shown:?}");
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        let told: Value = serde_json::from_str(&line.json()).unwrap();
        assert_eq!((&told["process"], &told["n"]), (&"gateway".into(), &3.into()));
        let old = Line::new("gateway", "plain text".to_owned());
        assert_eq!(
            (old.level(), old.at(), old.for_people(false)),
            (Level::Info, "", "plain text".to_owned())
        );
    }
}
