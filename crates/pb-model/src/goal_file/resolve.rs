//! From a goal file and the values of its inputs to a goal.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::log::{Found, did_you_mean, short};
use super::problem::Problems;
use super::shape::{Input, InputType};
use super::template::Filler;
use super::{FILLED_BYTES_MAX, GoalFile, check, convert};
use crate::spec::{GoalSpec, Invalid, check_input_value};

/// Where and with what values a goal file is used.
#[derive(Debug, Clone, Copy)]
pub struct ResolveContext<'c> {
    /// The folder in which the person gave the command, absolute: paths given as inputs (and their
    /// defaults) are relative to it.
    pub cwd: &'c Path,
    /// The folder of the goal file, absolute: `workspace` is relative to it.
    pub file_dir: &'c Path,
    /// The values given with `--set name=value`.
    pub set: &'c BTreeMap<String, String>,
}

impl GoalFile {
    /// Fills the inputs in. The goal passes [`GoalSpec::validate`].
    ///
    /// # Errors
    /// Values for inputs that the file does not declare, inputs without a value, values that do
    /// not fit, and everything that the filled goal gets wrong.
    pub fn resolve(&self, context: &ResolveContext<'_>) -> Result<GoalSpec, Problems> {
        let mut found = self.unknown_inputs(context);
        let mut inputs = BTreeMap::new();
        for (name, input) in &self.goal.inputs {
            match input_value(name, input, context) {
                Ok(value) => {
                    inputs.insert(name.clone(), value);
                }
                Err(invalid) => found.push(self.places.found(invalid)),
            }
        }
        if let Some(problems) = Problems::locate(&self.text, found) {
            return Err(problems);
        }

        let (spec, invalid) = self.fill(inputs, context);
        let found = invalid.into_iter().map(|invalid| self.places.found(invalid)).collect();
        match Problems::locate(&self.text, found) {
            None => Ok(spec),
            Some(problems) => Err(problems),
        }
    }

    /// Values for inputs that there are not. They stand in no file; the inputs that do are shown.
    fn unknown_inputs(&self, context: &ResolveContext<'_>) -> Vec<Found> {
        let known: Vec<&str> = self.goal.inputs.keys().map(String::as_str).collect();
        let unknown = context.set.keys().filter(|name| !self.goal.inputs.contains_key(*name));
        let found = |name: &String| Found {
            at: self.places.offset("inputs"),
            item: None,
            message: format!("`--set {0}=…`: no input is named `{0}`", short(name)),
            hint: Some(match did_you_mean(name, &known) {
                Some(near) => near,
                None if known.is_empty() => "the file declares no inputs".to_owned(),
                None => format!("the inputs are: {}", known.join(", ")),
            }),
        };
        unknown.map(found).collect()
    }

    fn fill(
        &self,
        inputs: BTreeMap<String, String>,
        context: &ResolveContext<'_>,
    ) -> (GoalSpec, Vec<Invalid>) {
        let mut filler = Filler::new(&inputs);
        let mut spec = convert::goal(&self.goal, &mut filler);
        if filler.overflowed() {
            let problem = format!("the filled goal is larger than {FILLED_BYTES_MAX} bytes");
            return (spec, vec![Invalid::new("inputs", problem).hint("pass large material as a file")]);
        }
        spec.inputs = inputs;
        let mut invalid = Vec::new();
        if let Some(written) = spec.workspace.take() {
            match absolute("workspace", context.file_dir, &written) {
                Ok(workspace) => spec.workspace = Some(workspace),
                Err(error) => invalid.push(error),
            }
        }
        invalid.extend(check::problems(&spec, |_| false));
        (spec, invalid)
    }
}

fn input_value(name: &str, input: &Input, context: &ResolveContext<'_>) -> Result<String, Invalid> {
    let place = format!("inputs.{name}");
    let Some(value) = context.set.get(name).or(input.default.as_ref()) else {
        let purpose =
            input.description.as_ref().map(|text| format!(" ({})", short(text))).unwrap_or_default();
        return Err(Invalid::new(place, format!("this input{purpose} needs a value"))
            .hint(format!("add `--set {name}=value`")));
    };
    check_input_value(&place, value)?;
    match input.kind {
        InputType::Text => Ok(value.clone()),
        InputType::Path => absolute(&place, context.cwd, value),
    }
}

/// `path` below `base`, without `.` and `..`. Nothing is looked up, so a `..` after a symbolic
/// link means the folder that the text names.
fn absolute(place: &str, base: &Path, path: &str) -> Result<String, Invalid> {
    check::path(place, path)?;
    let mut normal = PathBuf::new();
    for component in base.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => normal.push(component),
        }
    }
    normal.into_os_string().into_string().map_err(|path| {
        Invalid::new(place, format!("`{}` is not Unicode", path.display())).hint("rename the folder")
    })
}
