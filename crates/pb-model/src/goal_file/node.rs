//! A typed reader over the located TOML tree.
//!
//! Reading never stops: what cannot be read is reported to the [`Log`] and comes back as `None`,
//! so that one pass finds everything.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use jiff::Timestamp;
use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::DeValue;

use super::log::{Log, did_you_mean, short};
use super::shape::TimeLimit;
use super::table::Table;
use super::template::Template;
use crate::Millis;

/// One value of the file.
pub(super) struct Node<'a> {
    value: &'a DeValue<'a>,
    span: Range<usize>,
    /// Its path, such as `items[2].needs[0]`.
    place: String,
    /// Its name in messages, such as `needs[0]`.
    name: String,
}

impl<'a> Node<'a> {
    pub(super) fn new(value: &'a Spanned<DeValue<'a>>, place: String, name: String) -> Self {
        Self { value: value.get_ref(), span: value.span(), place, name }
    }

    /// Tells the log where the value stands.
    pub(super) fn note_place(&self, log: &mut Log) {
        log.places.add(&self.place, self.span.start);
    }

    pub(super) fn text(&self, log: &mut Log) -> Option<String> {
        match self.value {
            DeValue::String(text) => Some(text.clone().into_owned()),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
                self.wrong(log, "a string", Some("put it in quotes"))
            }
            DeValue::Array(_) | DeValue::Table(_) => self.wrong(log, "a string", None),
        }
    }

    /// A text in which `{{name}}` is an input.
    pub(super) fn template(&self, log: &mut Log) -> Option<Template> {
        let text = self.text(log)?;
        log.check_names(&text, self.span.clone());
        Some(Template(text))
    }

    pub(super) fn flag(&self, log: &mut Log) -> Option<bool> {
        let hint = self.value.is_str().then_some("write one of the two, without quotes");
        self.value.as_bool().or_else(|| self.wrong(log, "`true` or `false`", hint))
    }

    pub(super) fn integer<T: TryFrom<i128>>(&self, log: &mut Log, range: RangeInclusive<i128>) -> Option<T> {
        let DeValue::Integer(integer) = self.value else {
            let hint = self.value.is_str().then_some("write only the number, without quotes");
            return self.wrong(log, "a whole number", hint);
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let fitting = number.filter(|n| range.contains(n)).and_then(|n| T::try_from(n).ok());
        if fitting.is_none() {
            let (low, high) = (range.start(), range.end());
            // Bounds of an integer type mean nothing to a person.
            let bounds = match u64::try_from(*high) {
                Ok(u64::MAX) => format!("a whole number from {low}"),
                _ => format!("a whole number from {low} to {high}"),
            };
            log.problem(
                self.span.start,
                format!("`{}` is {}, expected {bounds}", self.name, short(&integer.to_string())),
                None,
            );
        }
        fitting
    }

    /// A number with or without a fraction.
    pub(super) fn number(&self, log: &mut Log) -> Option<f64> {
        let written = match self.value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            DeValue::Float(float) => float.as_str(),
            _ => {
                return self.wrong(
                    log,
                    "a number",
                    self.value.is_str().then_some("write only the number, without quotes"),
                );
            }
        };
        written.parse().ok().or_else(|| self.wrong(log, "a number", None))
    }

    /// A date and time with its offset from UTC, in milliseconds since 1970.
    pub(super) fn moment(&self, log: &mut Log) -> Option<Millis> {
        let hint = "write it like 2026-12-24T18:00:00+01:00, without quotes";
        let DeValue::Datetime(written) = self.value else {
            return self.wrong(log, "a date and time", Some(hint));
        };
        let at: Option<Timestamp> = written.to_string().parse().ok();
        let at = at.and_then(|at| Millis::try_from(at.as_millisecond()).ok());
        if at.is_none() {
            let message =
                format!("`{}` is {written}, which does not say when: the zone is missing", self.name);
            log.problem(self.span.start, message, Some(hint.to_owned()));
        }
        at
    }

    /// A table as the object that it would be in JSON; nothing in it stands for an input.
    pub(super) fn json_object(&self, log: &mut Log) -> Option<Map<String, Value>> {
        if self.value.as_table().is_none() {
            return self.wrong(log, "a table", None);
        }
        let object = match json(self.value) {
            Some(Value::Object(object)) => Some(object),
            Some(_) | None => None,
        };
        if object.is_none() {
            let message = format!("`{}` has a value that JSON does not know", self.name);
            let hint = "whole numbers are of 64 bits; there are no dates, and no `inf` and `nan`";
            log.problem(self.span.start, message, Some(hint.to_owned()));
        }
        object
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, log: &mut Log, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(log)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint =
            did_you_mean(&text, &known).unwrap_or_else(|| format!("write one of: {}", known.join(", ")));
        log.problem(self.span.start, format!("`{}` is `{}`", self.name, short(&text)), Some(hint));
        None
    }

    /// A time limit: `"90s"`, `"10m"`, `"2h"` or whole seconds.
    pub(super) fn time_limit(&self, log: &mut Log) -> Option<TimeLimit> {
        let DeValue::String(text) = self.value else {
            return self.integer(log, 0..=i128::from(u64::MAX)).map(TimeLimit);
        };
        let limit = TimeLimit::parse(text);
        if limit.is_none() {
            let message = format!("`{}` is `{}`", self.name, short(text));
            log.problem(
                self.span.start,
                message,
                Some("write it like \"90s\", \"10m\" or \"2h\"".to_owned()),
            );
        }
        limit
    }

    /// The elements of an array.
    pub(super) fn list(&self, log: &mut Log, expected: &str) -> Option<Vec<Node<'a>>> {
        let Some(array) = self.value.as_array() else {
            let hint = if expected.contains("tables") {
                format!("write [[{}]] with two brackets", without_indices(&self.place))
            } else {
                format!("write it as {} = [\"…\", \"…\"]", self.name)
            };
            return self.wrong(log, expected, Some(&hint));
        };
        let element = |(n, element): (usize, &'a Spanned<DeValue<'a>>)| {
            Node::new(element, format!("{}[{n}]", self.place), format!("{}[{n}]", self.name))
        };
        let nodes: Vec<Node<'a>> = array.iter().enumerate().map(element).collect();
        for node in &nodes {
            node.note_place(log);
        }
        Some(nodes)
    }

    pub(super) fn texts(&self, log: &mut Log) -> Option<Vec<String>> {
        let nodes = self.list(log, "an array of strings")?;
        Some(nodes.iter().filter_map(|node| node.text(log)).collect())
    }

    pub(super) fn templates(&self, log: &mut Log) -> Option<Vec<Template>> {
        let nodes = self.list(log, "an array of strings")?;
        Some(nodes.iter().filter_map(|node| node.template(log)).collect())
    }

    /// A table with any keys, each with a template.
    pub(super) fn template_map(&self, log: &mut Log) -> Option<BTreeMap<String, Template>> {
        let entries = self.table(log, &self.name)?.entries();
        Some(entries.iter().filter_map(|(key, _, node)| Some((key.clone(), node.template(log)?))).collect())
    }

    /// What messages call the item that this is, number `n` from 0: by its key, else by its number.
    pub(super) fn item_name(&self, n: usize) -> String {
        let id = self.value.as_table().and_then(|table| table.get("id"));
        match id.and_then(|id| id.get_ref().as_str()).filter(|id| !id.trim().is_empty()) {
            Some(id) => format!("item `{}`", short(id)),
            None => format!("item {}", n + 1),
        }
    }

    /// A table; `what` names it in messages, such as `item 3`.
    pub(super) fn table(&self, log: &mut Log, what: &str) -> Option<Table<'a>> {
        let Some(map) = self.value.as_table() else {
            let name = without_indices(&self.place);
            let header = if self.place.ends_with(']') { format!("[[{name}]]") } else { format!("[{name}]") };
            return self.wrong(log, "a table", Some(&format!("write {header}, and its keys below it")));
        };
        Some(Table::new(log, map, (self.span.start, self.place.clone()), what.to_owned()))
    }

    /// A table where a string would do as well.
    pub(super) fn table_or_text(&self, log: &mut Log, what: &str) -> Option<Table<'a>> {
        match self.value {
            DeValue::Table(_) => self.table(log, what),
            _ => self.wrong(log, "a string or a table", None),
        }
    }

    /// Reports something else about the value.
    pub(super) fn problem(&self, log: &mut Log, message: String) {
        log.problem(self.span.start, message, None);
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.is_str()
    }

    /// Reports the type of the value; `None` for the caller to return.
    pub(super) fn wrong<T>(&self, log: &mut Log, expected: &str, hint: Option<&str>) -> Option<T> {
        let is = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        let message = format!("`{}` is {is}, expected {expected}", self.name);
        log.problem(self.span.start, message, hint.map(str::to_owned));
        None
    }
}

/// A value of TOML in JSON, where it has one.
fn json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok()?.into(),
        DeValue::Float(float) => {
            let written: f64 = float.as_str().parse().ok()?;
            Value::Number(serde_json::Number::from_f64(written)?)
        }
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(_) => return None,
        DeValue::Array(array) => {
            Value::Array(array.iter().map(|one| json(one.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Table(table) => {
            let pair = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                Some((key.get_ref().clone().into_owned(), json(value.get_ref())?))
            };
            Value::Object(table.iter().map(pair).collect::<Option<_>>()?)
        }
    })
}

/// `items[2].gates` as a table header writes it: `items.gates`.
fn without_indices(place: &str) -> String {
    place.split('.').map(|part| part.split('[').next().unwrap_or_default()).collect::<Vec<_>>().join(".")
}
