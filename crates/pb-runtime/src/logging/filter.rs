//! What is to be told, in a person's words: `scheduler=debug`, `info,store=trace`.

use std::fmt;
use std::str::FromStr;

use tracing_subscriber::filter::LevelFilter;

/// Longest text of a filter, in bytes.
pub const FILTER_BYTES_MAX: usize = 1024;
/// Short words for parts of ours.
const PARTS: [(&str, &str); 8] = [
    ("gateway", "pb_gateway"),
    ("scheduler", "pb_scheduler"),
    ("store", "pb_store"),
    ("exec", "pb_exec"),
    ("llm", "pb_llm"),
    ("tools", "pb_tools"),
    ("protocol", "pb_protocol"),
    ("runtime", "pb_runtime"),
];
/// Its lines quote providers' answers, which may quote a key.
pub(super) const SILENT: &str = "genai";

/// What of which part is told, checked. Where no part is named in front of a level, it is for all that are not named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(Vec<(Option<String>, LevelFilter)>);

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// It says nothing.
    #[error("a filter says which levels are told, and this one is empty")]
    Empty,
    /// It is too long.
    #[error("a filter has at most {FILTER_BYTES_MAX} bytes")]
    TooLong,
    /// A word where a level has to stand.
    #[error("`{0}` is no level")]
    NotALevel(String),
    /// A word that no part of a program can have for a name.
    #[error("`{0}` is the name of no part")]
    NotAPart(String),
    /// It is about what is never told.
    #[error("what `{0}` tells is never written: it may quote a key")]
    Silent(String),
}

impl FilterError {
    /// What a filter looks like.
    pub fn hint(&self) -> String {
        let parts: Vec<&str> = PARTS.iter().map(|(word, _)| *word).collect();
        let example = match self {
            Self::NotALevel(word) if PARTS.iter().any(|(part, _)| part == word) => format!("{word}=debug"),
            _ => "scheduler=debug,store=trace".to_owned(),
        };
        format!(
            "such as {example}; levels are off, error, warn, info, debug, trace; parts are {} and names of crates",
            parts.join(", ")
        )
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(FilterError::TooLong);
        }
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let parts: Vec<_> = parts.map(part).collect::<Result<_, _>>()?;
        if parts.is_empty() { Err(FilterError::Empty) } else { Ok(Self(parts)) }
    }
}

fn part(text: &str) -> Result<(Option<String>, LevelFilter), FilterError> {
    let Some((name, word)) = text.split_once('=') else {
        return Ok((None, level(text)?));
    };
    let (name, word) = (name.trim(), word.trim());
    let target = PARTS.iter().find(|(short, _)| *short == name).map_or(name, |(_, target)| *target);
    let is_path = target
        .split("::")
        .all(|piece| !piece.is_empty() && piece.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    if !is_path {
        return Err(FilterError::NotAPart(name.to_owned()));
    }
    if is_silent(target) {
        return Err(FilterError::Silent(name.to_owned()));
    }
    Ok((Some(target.to_owned()), level(word)?))
}

fn level(word: &str) -> Result<LevelFilter, FilterError> {
    const LEVELS: [LevelFilter; 6] = [
        LevelFilter::OFF,
        LevelFilter::ERROR,
        LevelFilter::WARN,
        LevelFilter::INFO,
        LevelFilter::DEBUG,
        LevelFilter::TRACE,
    ];
    let level = LEVELS.into_iter().find(|level| level.to_string().eq_ignore_ascii_case(word));
    level.ok_or_else(|| FilterError::NotALevel(word.to_owned()))
}

/// Whether what this part tells is written nowhere.
pub(super) fn is_silent(target: &str) -> bool {
    target == SILENT || target.starts_with("genai::")
}

impl Filter {
    /// In `tracing`'s syntax, on top of what is usual where it does not say what is told of all.
    pub(super) fn over(&self, usual: &str) -> String {
        if self.0.iter().any(|(target, _)| target.is_none()) {
            self.to_string()
        } else {
            format!("{usual},{self}")
        }
    }
}

/// In `tracing`'s syntax.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (target, level)) in self.0.iter().enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            match target {
                Some(target) => write!(f, "{comma}{target}={level}")?,
                None => write!(f, "{comma}{level}")?,
            }
        }
        Ok(())
    }
}

/// A filter in `tracing`'s syntax, with our short words.
pub(super) fn in_short(filter: &str) -> String {
    let short = |part: &str| {
        let known = PARTS.iter().find_map(|(word, target)| {
            part.strip_prefix(target).filter(|rest| rest.starts_with('=')).map(|rest| format!("{word}{rest}"))
        });
        known.unwrap_or_else(|| part.to_owned())
    };
    filter.split(',').map(short).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_people_become_filters() {
        for (text, expect) in [
            ("scheduler=debug", "usual,pb_scheduler=debug"),
            ("pb_store=debug,info", "pb_store=debug,info"),
            (" info , store = Trace ,", "info,pb_store=trace"),
            ("off", "off"),
            ("hyper::proto=warn", "usual,hyper::proto=warn"),
        ] {
            assert_eq!(text.parse::<Filter>().unwrap().over("usual"), expect, "{text}");
        }
        assert_eq!(
            in_short("info,pb_scheduler=debug,pb_store=trace,h2=off"),
            "info,scheduler=debug,store=trace,h2=off"
        );
    }

    #[test]
    fn what_is_wrong_with_a_filter_is_said() {
        for (text, expect) in [
            ("", FilterError::Empty),
            (" ,, ", FilterError::Empty),
            ("scheduler", FilterError::NotALevel("scheduler".to_owned())),
            ("scheduler=debg", FilterError::NotALevel("debg".to_owned())),
            ("scheduler=debug=trace", FilterError::NotALevel("debug=trace".to_owned())),
            ("=debug", FilterError::NotAPart(String::new())),
            ("a b=debug", FilterError::NotAPart("a b".to_owned())),
            ("[span{x=1}]=debug", FilterError::NotAPart("[span{x".to_owned())),
            ("info,genai=trace", FilterError::Silent("genai".to_owned())),
            ("genai::adapter=trace", FilterError::Silent("genai::adapter".to_owned())),
            (&"x".repeat(FILTER_BYTES_MAX + 1), FilterError::TooLong),
        ] {
            assert_eq!(text.parse::<Filter>().unwrap_err(), expect, "{text}");
        }
        let hint = FilterError::NotALevel("scheduler".to_owned()).hint();
        assert!(hint.starts_with("such as scheduler=debug; levels are off, error,"), "{hint}");
    }
}
