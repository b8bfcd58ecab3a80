//! How a person is told that a goal asks or has ended.

use std::collections::BTreeSet;

use serde::Deserialize;

/// How a person is told. There is no way to change it but this file: it names a program that runs as the
/// person, outside any sandbox (`security.md` 11).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notify {
    /// A program and its arguments, run without a shell. `{title}` and `{text}` in an argument are filled in;
    /// where no argument has one, both are one more argument at the end. Empty is no program.
    pub command: Vec<String>,
    /// What is told.
    pub on: BTreeSet<Occasion>,
    /// Whether `notify-send` shows it. If absent: where there is a desktop session, the program is installed,
    /// and `command` names no other.
    pub desktop: Option<bool>,
}

impl Default for Notify {
    fn default() -> Self {
        Self { command: Vec::new(), on: BTreeSet::from(Occasion::ALL), desktop: None }
    }
}

/// What a person is told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// A goal asks something.
    Question,
    /// A goal completed, failed, was cancelled, or cannot go on without a human.
    End,
}

impl Occasion {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Question, Self::End];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_and_occasions_are_named() {
        let read = |text: &str| toml::from_str::<Notify>(text).map_err(|error| error.message().to_owned());
        let all = read("").unwrap();
        assert_eq!((all.command.len(), all.on.len(), all.desktop), (0, 2, None));
        let one = read("command = ['tell', '{text}']\non = ['end']\ndesktop = false").unwrap();
        assert_eq!((one.on, one.desktop), (BTreeSet::from([Occasion::End]), Some(false)));
        assert_eq!(
            read("on = ['pause']").unwrap_err(),
            "unknown variant `pause`, expected `question` or `end`"
        );
        assert!(read("command = 'tell me'").is_err() && read("shell = true").is_err());
    }
}
