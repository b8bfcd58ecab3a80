//! A table of the located TOML tree, asked for its keys.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::log::{Log, short};
use super::node::Node;
use super::suggest::{elsewhere, meant, written};

/// A table of the file whose keys are asked for one by one.
pub(super) struct Table<'a> {
    map: &'a DeTable<'a>,
    /// Where it starts.
    pub(super) at: usize,
    place: String,
    /// Its name in messages.
    pub(super) what: String,
    asked: Vec<&'static str>,
    missing: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The whole document.
    pub(super) fn root(log: &mut Log, document: &'a Spanned<DeTable<'a>>) -> Self {
        Self::new(log, document.get_ref(), (0, String::new()), "the goal".to_owned())
    }

    /// A table that stands at a byte offset and a place.
    pub(super) fn new(
        log: &mut Log,
        map: &'a DeTable<'a>,
        (at, place): (usize, String),
        what: String,
    ) -> Self {
        let table = Self { map, at, place, what, asked: Vec::new(), missing: Vec::new() };
        for (_, _, node) in table.entries() {
            node.note_place(log);
        }
        table
    }

    /// The value of a key, which is from now on a known one.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Node<'a>> {
        self.asked.push(key);
        self.map.get(key).map(|value| self.node(key, value))
    }

    /// What a key holds, read as `read` reads it, if it is there and can be read.
    pub(super) fn optional<T>(
        &mut self,
        log: &mut Log,
        key: &'static str,
        read: impl FnOnce(&Node<'a>, &mut Log) -> Option<T>,
    ) -> Option<T> {
        let node = self.get(key)?;
        read(&node, log)
    }

    /// Like [`Self::optional`], with the type's default.
    pub(super) fn or_default<T: Default>(
        &mut self,
        log: &mut Log,
        key: &'static str,
        read: impl FnOnce(&Node<'a>, &mut Log) -> Option<T>,
    ) -> T {
        self.optional(log, key, read).unwrap_or_default()
    }

    /// Like [`Self::or_default`] for a key that has to be there; [`Self::finish`] reports its absence.
    pub(super) fn required<T: Default>(
        &mut self,
        log: &mut Log,
        key: &'static str,
        read: impl FnOnce(&Node<'a>, &mut Log) -> Option<T>,
    ) -> T {
        if !self.has(key) {
            self.missing.push(key);
        }
        self.or_default(log, key, read)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// All entries, with the offsets of their keys, for tables whose keys are free.
    pub(super) fn entries(&self) -> Vec<(String, usize, Node<'a>)> {
        self.map
            .iter()
            .map(|(key, value)| {
                let name = key.get_ref().clone().into_owned();
                let node = self.node(&name, value);
                (name, key.span().start, node)
            })
            .collect()
    }

    /// The keys asked for so far.
    pub(super) fn known(&self) -> Vec<&'static str> {
        self.asked.clone()
    }

    /// Reports every key that nobody asked for, and every missing one. `outside` are the keys of
    /// the tables around this one: a key that is written below a `[header]` belongs to it, which
    /// surprises people.
    pub(super) fn finish(mut self, log: &mut Log, outside: &[(&str, &[&'static str])]) {
        for (key, at, _) in self.entries() {
            if self.asked.contains(&key.as_str()) {
                continue;
            }
            let owner = outside.iter().find(|(_, keys)| keys.contains(&key.as_str()));
            let hint = match (owner, meant(&key, &self.asked)) {
                (Some((owner, _)), _) => {
                    format!("it belongs to {owner}: put it above the header of {}", self.what)
                }
                (None, Some(near)) => {
                    // A misspelt key is one problem, not two.
                    self.missing.retain(|missing| *missing != near);
                    format!("did you mean `{near}`?")
                }
                (None, None) => elsewhere(&key, &self.asked)
                    .unwrap_or_else(|| format!("{} may have: {}", self.what, self.asked.join(", "))),
            };
            log.problem(at, format!("unknown key `{}`", short(&key)), Some(hint));
        }
        self.report_missing(log);
    }

    /// Reports the missing keys only, where it is not known which others there may be.
    pub(super) fn report_missing(&self, log: &mut Log) {
        for key in &self.missing {
            log.problem(self.at, format!("{} has no `{key}`", self.what), Some(written(key)));
        }
    }

    fn node(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Node<'a> {
        let place = if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) };
        Node::new(value, place, key.to_owned())
    }
}
