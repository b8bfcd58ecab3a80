//! From text to a goal file.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::DeTable;

use super::log::{Log, Places};
use super::problem::Problems;
use super::shape::{Goal, InputType};
use super::template::Filler;
use super::{GOAL_FILE_BYTES_MAX, check, convert, read, syntax};

/// A goal file that was read and makes sense, with inputs still open.
#[derive(Debug, Clone)]
pub struct GoalFile {
    /// Kept for the places of what is found when the inputs are known.
    pub(super) text: String,
    pub(super) goal: Goal,
    pub(super) places: Places,
}

/// An input that a goal file declares, as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredInput {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its value when none is given; without one it has to be given.
    pub default: Option<String>,
    /// Whether it is a path, which is relative to the folder in which the goal is asked for.
    pub is_path: bool,
}

impl GoalFile {
    /// The inputs that it declares, by their names.
    pub fn inputs(&self) -> impl Iterator<Item = DeclaredInput> {
        self.goal.inputs.iter().map(|(name, input)| DeclaredInput {
            name: name.clone(),
            description: input.description.clone(),
            default: input.default.clone(),
            is_path: matches!(input.kind, InputType::Path),
        })
    }
}

/// Reads a goal file.
///
/// # Errors
/// All syntax errors; or, where the syntax is right, every unknown key, wrong type, missing key
/// and undeclared input, together with what the parts that could be read get wrong: one problem
/// each for the goal, for every item and for the plan's shape.
pub fn parse(text: &str) -> Result<GoalFile, Problems> {
    let mut log = Log::new(text);
    let document = document(&mut log, text);
    if let Some(problems) = Problems::locate(text, std::mem::take(&mut log.found)) {
        return Err(problems);
    }
    let goal = read::goal(&mut log, &document);
    judge(&mut log, &goal);
    match Problems::locate(text, log.found) {
        None => Ok(GoalFile { text: text.to_owned(), goal, places: log.places }),
        Some(problems) => Err(problems),
    }
}

fn document<'t>(log: &mut Log, text: &'t str) -> Spanned<DeTable<'t>> {
    if text.len() > GOAL_FILE_BYTES_MAX {
        let message = format!("the file has {} bytes, at most {GOAL_FILE_BYTES_MAX} are allowed", text.len());
        log.problem(0, message, None);
        return Spanned::new(0..0, DeTable::new());
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reported = BTreeSet::new();
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        // After the first error of a line the parser only guesses.
        let line_end = text.get(at..).and_then(|rest| rest.find('\n')).map(|length| at + length);
        if reported.insert(line_end) {
            log.problem(at, error.message().to_owned(), syntax::hint(text, at, error.message()));
        }
    }
    document
}

/// Reports what makes no sense whatever the inputs will be.
fn judge(log: &mut Log, goal: &Goal) {
    let mut spec = convert::goal(goal, &mut Filler::stand_in());
    // It becomes absolute only when it is known where the file lies.
    let workspace = spec.workspace.take();
    let mut invalid = check::problems(&spec, |item| log.is_dirty(item));
    invalid.extend(workspace.and_then(|path| check::path("workspace", &path).err()));
    for invalid in invalid {
        let found = log.places.found(invalid);
        log.found.push(found);
    }
}
