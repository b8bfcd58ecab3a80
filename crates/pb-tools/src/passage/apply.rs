//! Replacing passages, and seeing whether they were replaced already.

use schemars::JsonSchema;
use serde::Deserialize;

use super::closest::closest;
use super::find::{Fit, PLACES_MAX, Place, find, find_exact, find_tolerant};
use super::lines::line_number;

/// One replacement. Models give it; what is said here of its fields is for them, too.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// The text to replace, as it stands in the file, with enough lines around it to be found
    /// only once.
    pub(crate) old: String,
    /// The text to put there; empty to remove.
    pub(crate) new: String,
    /// Whether to replace it wherever it stands; without this, finding it twice is an error.
    pub(crate) replace_all: Option<bool>,
}

/// A text with its edits applied.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    /// The new text.
    pub(crate) text: String,
    /// How many places were replaced.
    pub(crate) places: usize,
    /// Whether blanks or line ends had to be overlooked.
    pub(crate) tolerant: bool,
}

/// Whether edits can be meant at all. Ask this before the others.
pub(crate) fn check(edits: &[Edit]) -> Result<(), String> {
    for (index, edit) in edits.iter().enumerate() {
        if edit.old.is_empty() {
            let why = "`old` is empty; use write_file to make a file or to replace all of it";
            return Err(in_edit(index, edits, why));
        }
        if edit.old == edit.new {
            return Err(in_edit(index, edits, "`old` and `new` are the same"));
        }
    }
    if edits.is_empty() { Err("there are no edits".to_owned()) } else { Ok(()) }
}

fn in_edit(index: usize, edits: &[Edit], why: &str) -> String {
    if edits.len() == 1 { why.to_owned() } else { format!("edits[{index}]: {why}; no edit was made") }
}

/// Applies edits one after the other, all or none. The error says why, for the model.
pub(crate) fn apply(text: &str, edits: &[Edit]) -> Result<Applied, String> {
    let mut applied = Applied { text: text.to_owned(), places: 0, tolerant: false };
    for (index, edit) in edits.iter().enumerate() {
        apply_one(&mut applied, edit).map_err(|why| in_edit(index, edits, &why))?;
    }
    if applied.text == text {
        return Err("the edits change nothing".to_owned());
    }
    Ok(applied)
}

fn apply_one(applied: &mut Applied, edit: &Edit) -> Result<(), String> {
    let replace_all = edit.replace_all.unwrap_or(false);
    if replace_all && applied.text.contains(&edit.old) {
        applied.places += applied.text.matches(&edit.old).count();
        let new = Fit::Exact.replacement(&applied.text, &edit.new);
        applied.text = applied.text.replace(&edit.old, &new);
        return Ok(());
    }
    let places = find(&applied.text, &edit.old);
    let Some(first) = places.first() else {
        return Err(not_found(&applied.text, edit));
    };
    if places.len() > 1 {
        return Err(several(&applied.text, &places, replace_all));
    }
    applied.tolerant |= first.fit != Fit::Exact;
    applied.places += 1;
    let new = first.fit.replacement(&applied.text, &edit.new);
    applied.text.replace_range(first.bytes.clone(), &new);
    Ok(())
}

fn several(text: &str, places: &[Place], replace_all: bool) -> String {
    let numbers: Vec<String> =
        places.iter().map(|place| line_number(text, place.bytes.start).to_string()).collect();
    let more = if places.len() == PLACES_MAX { " and perhaps more" } else { "" };
    let hint = if replace_all {
        // To guess once is help; to guess everywhere is not.
        "but only if blanks are overlooked; give `old` exactly as it stands in the file"
    } else {
        "give more of the lines around it, so that it is found once, or set replace_all"
    };
    format!("`old` is found at lines {}{more}; {hint}", numbers.join(", "))
}

fn not_found(text: &str, edit: &Edit) -> String {
    let mut why = "`old` is not found".to_owned();
    // A short text stands everywhere, by chance.
    if edit.new.trim().len() >= 8
        && let Some(place) = find(text, &edit.new).first()
    {
        let line = line_number(text, place.bytes.start);
        why = format!("{why}, but `new` stands at line {line}: perhaps the edit was made before");
    }
    match closest(text, &edit.old) {
        Some(lines) => format!("{why}; most like it is:{lines}"),
        None => format!("{why}, nor anything like it; read the file again"),
    }
}

/// What a text says about whether edits were applied to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// They were not, at least not all of them, and they are applied all or none.
    Open,
    /// The old texts are gone, and the new ones stand.
    Applied,
    /// It looks like both.
    Unclear,
}

/// Looks whether edits that may have been applied were. They are applied all or none, so one that
/// was not speaks for all.
pub(crate) fn standing(text: &str, edits: &[Edit]) -> Standing {
    let mut all = Standing::Applied;
    for (index, edit) in edits.iter().enumerate() {
        let later = edits.get(index + 1..).unwrap_or_default();
        match standing_of_one(text, edit, later) {
            Standing::Open => return Standing::Open,
            Standing::Unclear => all = Standing::Unclear,
            Standing::Applied => {}
        }
    }
    all
}

fn standing_of_one(text: &str, edit: &Edit, later: &[Edit]) -> Standing {
    // A later edit may have changed what this one wrote.
    let new = later.iter().fold(edit.new.clone(), |new, edit| new.replace(&edit.old, &edit.new));
    let news = find(text, &new);
    if news.is_empty() && !new.is_empty() {
        return Standing::Open;
    }
    // An old text within a new one is part of it: `new` may contain `old`.
    let is_part = |old: &Place| {
        news.iter().any(|new| new.bytes.start <= old.bytes.start && old.bytes.end <= new.bytes.end)
    };
    if find_exact(text, &edit.old).iter().any(|old| !is_part(old)) {
        return Standing::Open;
    }
    // But for blanks it still stands somewhere: this may be the place, or another one like it.
    if find_tolerant(text, &edit.old).iter().any(|old| !is_part(old)) {
        return Standing::Unclear;
    }
    Standing::Applied
}
