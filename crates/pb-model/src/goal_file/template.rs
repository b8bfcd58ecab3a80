//! Texts with `{{name}}` in them.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::FILLED_BYTES_MAX;
use crate::spec::is_input_name;

/// A text in which `{{name}}` stands for the value of an input.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(inline, transparent)]
pub(super) struct Template(pub(super) String);

/// Fills templates.
#[derive(Debug)]
pub(super) struct Filler<'v> {
    values: Option<&'v BTreeMap<String, String>>,
    bytes_left: usize,
    overflowed: bool,
}

/// What stands for an input whose value is not known yet: it fits wherever a value may.
const STAND_IN: &str = "x";
/// What stands for an address with such an input.
const URL_STAND_IN: &str = "http://localhost/";

impl<'v> Filler<'v> {
    /// Fills real values in.
    pub(super) fn new(values: &'v BTreeMap<String, String>) -> Self {
        Self { values: Some(values), bytes_left: FILLED_BYTES_MAX, overflowed: false }
    }

    /// Fills something harmless in, so that the rest of a file can be checked before its inputs
    /// are known.
    pub(super) fn stand_in() -> Self {
        Self { values: None, bytes_left: FILLED_BYTES_MAX, overflowed: false }
    }

    /// Whether the texts together grew beyond [`FILLED_BYTES_MAX`]; some are then cut short.
    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    pub(super) fn text(&mut self, template: &Template) -> String {
        self.fill(template, str::to_owned)
    }

    /// Like [`Self::text`]; values match themselves in the regular expression.
    pub(super) fn regex(&mut self, template: &Template) -> String {
        // A stand-in could break what the value will not, as in `[a-{{last}}]`.
        if self.values.is_none() && !names(&template.0).is_empty() {
            return STAND_IN.to_owned();
        }
        self.fill(template, regex::escape)
    }

    /// Like [`Self::text`], for an address on this machine.
    pub(super) fn url(&mut self, template: &Template) -> String {
        // A stand-in is no port and no host.
        if self.values.is_none() && !names(&template.0).is_empty() {
            return URL_STAND_IN.to_owned();
        }
        self.text(template)
    }

    pub(super) fn texts(&mut self, templates: &[Template]) -> Vec<String> {
        templates.iter().map(|template| self.text(template)).collect()
    }

    pub(super) fn optional(&mut self, template: Option<&Template>) -> Option<String> {
        template.map(|template| self.text(template))
    }

    pub(super) fn map(&mut self, templates: &BTreeMap<String, Template>) -> BTreeMap<String, String> {
        templates.iter().map(|(name, template)| (name.clone(), self.text(template))).collect()
    }

    fn fill(&mut self, template: &Template, as_inserted: impl Fn(&str) -> String) -> String {
        let mut filled = String::new();
        for part in parts(&template.0) {
            let piece = match (part, self.values) {
                (Part::Literal(text), _) => text.to_owned(),
                (Part::Input { name, .. }, Some(values)) => {
                    as_inserted(values.get(name).map(String::as_str).unwrap_or_default())
                }
                (Part::Input { .. }, None) => STAND_IN.to_owned(),
            };
            if piece.len() > self.bytes_left {
                self.overflowed = true;
                break;
            }
            self.bytes_left -= piece.len();
            filled.push_str(&piece);
        }
        filled
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Part<'t> {
    Literal(&'t str),
    Input { at: usize, name: &'t str },
}

/// The names that a text uses, with the offsets of their `{{`.
pub(super) fn names(text: &str) -> Vec<(usize, &str)> {
    parts(text)
        .into_iter()
        .filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Input { at, name } => Some((at, name)),
        })
        .collect()
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut done, mut from) = (0, 0);
    while let Some(braces) = text.get(from..).and_then(|rest| rest.find("{{")) {
        let at = from + braces;
        let Some((name, len)) = text.get(at..).and_then(input_at_start) else {
            // One brace further, so that the input in `{{{name}}}` is found.
            from = at + 1;
            continue;
        };
        parts.extend(text.get(done..at).filter(|literal| !literal.is_empty()).map(Part::Literal));
        parts.push(Part::Input { at, name });
        done = at + len;
        from = done;
    }
    parts.extend(text.get(done..).filter(|literal| !literal.is_empty()).map(Part::Literal));
    parts
}

/// The name and the whole length of a `{{ name }}` that `text` starts with.
fn input_at_start(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix("{{")?.trim_start_matches([' ', '\t']);
    let end = inside.find(|c: char| !is_name_char(c))?;
    let (name, rest) = inside.split_at_checked(end)?;
    let rest = rest.trim_start_matches([' ', '\t']).strip_prefix("}}")?;
    is_input_name(name).then_some((name, text.len() - rest.len()))
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let values =
            BTreeMap::from([("a".to_owned(), "1.5".to_owned()), ("b-c".to_owned(), "{{a}}".to_owned())]);
        let template = Template(text.to_owned());
        let (filled, regex) = (Filler::new(&values).text(&template), Filler::new(&values).regex(&template));
        assert_eq!(format!("{filled} | {regex}"), expect);
    }

    #[test]
    fn only_names_in_double_braces_are_inputs() {
        check("{{a}}{{ a\t}}", "1.51.5 | 1\\.51\\.5");
        check("中{{{a}}}", "中{1.5} | 中{1\\.5}");
        check("{{b-c}}", "{{a}} | \\{\\{a\\}\\}");
        for literal in
            ["{{.Name}}", "{{}}", "{{ }}", "{{a", "{{a}", "{{1}}", "{{a b}}", "{ {a}}", "{{-a}}", "{{é}}"]
        {
            check(literal, &format!("{literal} | {literal}"));
        }
    }

    #[test]
    fn growth_is_bounded() {
        let values = BTreeMap::from([("a".to_owned(), "x".repeat(FILLED_BYTES_MAX / 2))]);
        let mut filler = Filler::new(&values);
        filler.text(&Template("{{a}}{{a}}".to_owned()));
        assert!(!filler.overflowed());
        filler.text(&Template("{{a}}".to_owned()));
        assert!(filler.overflowed());
    }
}
