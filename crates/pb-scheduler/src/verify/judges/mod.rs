//! What decides a gate, and whether the goal itself made it what it is: a program or script that the gate
//! runs, the schema that it holds a file against, the tests that there were, and what its author named.
//!
//! What a command runs is told from its words, as far as they tell it (`told.rs`, `shell.rs`); what a script
//! itself runs, its author names with `judges`.

mod shell;
mod test_files;
mod told;

use std::collections::BTreeSet;
use std::path::{Component, Path};

use pb_model::goal::{EDITED_MAX, Edited};
use pb_model::spec::{Check, GateSpec, Globs, Work};

pub(super) use told::Told;

use super::Subject;
use crate::workspace::Since;
use test_files::{is_runner_setting, is_test};

/// Whether something of the workspace may decide the gate.
pub(super) fn is_judged(gate: &GateSpec) -> bool {
    match gate.check {
        Check::FileExists { .. }
        | Check::FileContains { .. }
        | Check::FileUnchanged { .. }
        | Check::Http(_)
        | Check::Review { .. } => !gate.judges.is_empty(),
        Check::Command(_)
        | Check::TestsExecuted { .. }
        | Check::JsonSchema { .. }
        | Check::ChangesWithin { .. }
        | Check::FilesLack { .. } => true,
    }
}

/// Stands for the files that cannot be told.
const NOT_TOLD: &str = "(the workspace cannot be looked at as a whole)";

/// The files that decide the gate and that the goal changed since its start.
pub(super) fn edited(subject: &Subject, gate: &GateSpec, since: &Since) -> Edited {
    let workspace = &subject.workspace;
    let mut judges: BTreeSet<String> = BTreeSet::new();
    let mut tests = false;
    for (argv, cwd) in commands(subject, &gate.check) {
        let told = Told::of(workspace, argv, cwd);
        tests |= told.runs_tests;
        judges.extend(told.files.iter().flat_map(|path| and_target(workspace, path)));
        // A new program at whose output the gate looks is the work itself.
        let looked_at = told.looked_at.iter().flat_map(|path| and_target(workspace, path));
        judges.extend(looked_at.filter(|path| since.was_there(path)));
    }
    match &gate.check {
        Check::TestsExecuted { .. } => tests = true,
        Check::JsonSchema { schema_path: Some(path), .. } => {
            judges
                .extend(relative(workspace, None, path).iter().flat_map(|path| and_target(workspace, path)));
        }
        _ => {}
    }
    judges.extend(gate.judges.iter().filter_map(|path| relative(workspace, None, path)));
    let mut edited: BTreeSet<&str> =
        judges.iter().map(String::as_str).filter(|path| since.is_changed(path)).collect();
    let named = Globs::read(&gate.judges).ok().filter(|_| !gate.judges.is_empty());
    let had_tests = tests && since.names().into_iter().any(|path| is_test(path) && since.was_there(path));
    let decides = |path: &&str| {
        named.as_ref().is_some_and(|named| named.match_path(path))
            // New tests are work; those that there were judge it, and so does what sets up how they run.
            || tests && since.was_there(path) && (is_test(path) || is_runner_setting(path))
            || had_tests && is_runner_setting(path)
    };
    edited.extend(since.names().into_iter().filter(decides).filter(|path| since.is_changed(path)));
    if !since.is_known() && (tests || named.is_some()) {
        edited.insert(NOT_TOLD);
    }
    told_of(&edited, since)
}

fn told_of(edited: &BTreeSet<&str>, since: &Since) -> Edited {
    if edited.is_empty() {
        return Edited::default();
    }
    let mut hasher = blake3::Hasher::new();
    for path in edited {
        hasher.update(&(path.len() as u64).to_le_bytes());
        hasher.update(path.as_bytes());
        hasher.update(since.digest(path).unwrap_or_default().as_bytes());
        hasher.update(b"\n");
    }
    Edited {
        paths: edited.iter().take(EDITED_MAX).map(|path| (*path).to_owned()).collect(),
        digest: hasher.finalize().to_hex().to_string(),
    }
}

/// The commands that decide a gate, each with its folder. A server is what is judged, and no judge.
fn commands<'s>(subject: &'s Subject, check: &'s Check) -> Vec<(&'s [String], Option<&'s str>)> {
    match check {
        Check::Command(gate) => {
            let cwd = gate.cwd.as_deref();
            vec![(&gate.argv, cwd), (&gate.control, cwd)]
        }
        Check::TestsExecuted { argv, control, .. } => {
            let own = match &subject.item.work {
                Work::Command(command) => (command.argv.as_slice(), command.cwd.as_deref()),
                Work::Agent(_) => (&[][..], None),
            };
            vec![argv.as_deref().map_or(own, |argv| (argv, None)), (control, None)]
        }
        Check::FileExists { .. }
        | Check::FileContains { .. }
        | Check::FileUnchanged { .. }
        | Check::JsonSchema { .. }
        | Check::Http(_)
        | Check::ChangesWithin { .. }
        | Check::FilesLack { .. }
        | Check::Review { .. } => Vec::new(),
    }
}

/// Whether one of the files that a command runs is there.
pub(super) fn names_a_file(workspace: &Path, told: &Told) -> bool {
    told.files.iter().chain(&told.looked_at).any(|path| workspace.join(path).is_file())
}

/// A path of the workspace, and what it leads to there if it is a link.
fn and_target(workspace: &Path, path: &str) -> Vec<String> {
    let real = workspace.join(path).canonicalize().ok();
    let target = real.and_then(|real| Some(real.strip_prefix(workspace).ok()?.to_str()?.to_owned()));
    let target = target.filter(|target| target != path && !target.is_empty());
    [Some(path.to_owned()), target].into_iter().flatten().collect()
}

/// A path as a command in `cwd` names it, relative to the workspace; `None` for one outside.
fn relative(workspace: &Path, cwd: Option<&str>, path: &str) -> Option<String> {
    let path = Path::new(path);
    let full = if path.is_absolute() { path.to_owned() } else { Path::new(cwd.unwrap_or("")).join(path) };
    let inside = if full.is_absolute() { full.strip_prefix(workspace).ok()? } else { &full };
    let mut parts: Vec<&str> = Vec::new();
    for part in inside.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}
