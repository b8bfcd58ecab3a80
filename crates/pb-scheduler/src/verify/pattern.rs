//! Looking for a text or a regular expression in some bytes.

use regex::bytes::RegexBuilder;

/// What is looked for: a text, or else a regular expression.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern<'p> {
    pub(super) text: Option<&'p str>,
    pub(super) regex: Option<&'p str>,
}

impl<'p> Pattern<'p> {
    pub(super) fn of(text: Option<&'p String>, regex: Option<&'p String>) -> Self {
        Self { text: text.map(String::as_str), regex: regex.map(String::as_str) }
    }

    /// The first line in which it is, from 1.
    ///
    /// # Errors
    /// There is nothing to look for, in words.
    pub(super) fn line(self, content: &[u8]) -> Result<Option<usize>, String> {
        let at = match (self.text, self.regex) {
            (Some(text), _) => {
                content.windows(text.len().max(1)).position(|window| window == text.as_bytes())
            }
            (None, Some(pattern)) => {
                let regex = RegexBuilder::new(pattern).multi_line(true).build();
                let regex = regex.map_err(|error| format!("not a regular expression: {error}"))?;
                regex.find(content).map(|hit| hit.start())
            }
            (None, None) => return Err("nothing to look for".to_owned()),
        };
        Ok(at.map(|at| content.iter().take(at).filter(|byte| **byte == b'\n').count() + 1))
    }
}
