//! Gates: checks that the daemon itself runs. One file a kind.
//!
//! Beside what a gate finds stands what decides it (`judges/`): if the goal made that what it is, the gate
//! proves nothing by itself.

mod changes_within;
mod command;
mod control;
mod counts;
mod file_contains;
mod file_exists;
mod file_unchanged;
mod files_lack;
mod http;
mod json_schema;
mod judges;
mod pattern;
mod tests_executed;

use std::path::{Path, PathBuf};
use std::time::Instant;

use pb_model::goal::{Evidence, GateResult, Goal, Item, Run};
use pb_model::spec::Check;
use tokio_util::sync::CancellationToken;

use self::pattern::Pattern;
use crate::effects::Context;
use crate::trace::{About, Text, What};
use crate::workspace::Since;

/// End of a gate's output that is kept as evidence, in bytes.
pub(crate) const EVIDENCE_BYTES_MAX: usize = 4 * 1024;

/// What a gate is about.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The goal.
    pub(crate) goal: Goal,
    /// The item.
    pub(crate) item: Item,
    /// Its run.
    pub(crate) run: Run,
    /// The goal's folder.
    pub(crate) workspace: PathBuf,
    /// Whether this is the last look before delivery.
    pub(crate) recheck: bool,
}

/// Where in a run's journal a gate stands, and what ends it early.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    step: u32,
    cancel: &'a CancellationToken,
}

/// What a check found.
#[derive(Debug, Default)]
struct Found {
    passed: bool,
    words: String,
    evidence: Evidence,
}

impl Found {
    fn new(passed: bool, words: impl Into<String>) -> Self {
        Self { passed, words: words.into(), evidence: Evidence::default() }
    }
}

/// Runs some of an item's gates in order. The workspace digest is filled in by the caller, who
/// knows whether anything else was writing. Ends early, without the rest, when cancelled.
pub(crate) async fn run_gates(
    context: &Context,
    subject: &Subject,
    gates: &[usize],
    first_step: u32,
    cancel: &CancellationToken,
) -> Vec<GateResult> {
    let mut results = Vec::new();
    let mut specs = gates.iter().filter_map(|gate| subject.item.gates.get(*gate));
    let since = if specs.any(judges::is_judged) {
        // What gates themselves write is not the goal's work.
        context.since(subject.goal.id, subject.workspace.clone()).await
    } else {
        Since::unknown(subject.workspace.clone())
    };
    for (index, gate) in gates.iter().enumerate() {
        let Some(spec) = subject.item.gates.get(*gate) else {
            continue;
        };
        if cancel.is_cancelled() {
            break;
        }
        let step = first_step + u32::try_from(index).unwrap_or(u32::MAX);
        let started = Instant::now();
        context.tracer.tell(About::step(&subject.run, step), || What::GateStarted {
            gate: *gate,
            kind: spec.check.kind(),
            name: Text::new(spec.label()),
            required: spec.required,
            recheck: subject.recheck,
        });
        let mut found = check(context, subject, (&spec.check, &since), Place { step, cancel }).await;
        found.evidence.edited = judges::edited(subject, spec, &since);
        found.evidence.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        results.push(GateResult {
            run_id: subject.run.id,
            item_id: subject.item.id,
            goal_id: subject.goal.id,
            step,
            gate: u32::try_from(*gate).unwrap_or(u32::MAX),
            name: spec.label(),
            kind: spec.check.kind().to_owned(),
            required: spec.required,
            passed: found.passed,
            found: found.words,
            recheck: subject.recheck,
            at_ms: context.config.clock.now_ms(),
            evidence: found.evidence,
        });
    }
    results
}

async fn check(
    context: &Context,
    subject: &Subject,
    (check, since): (&Check, &Since),
    place: Place<'_>,
) -> Found {
    let workspace = &subject.workspace;
    match check {
        Check::Command(gate) => command::check(context, subject, gate, place).await,
        Check::FileExists { path } => file_exists::check(workspace, path),
        Check::FileContains { path, text, regex } => {
            file_contains::check(workspace, path, Pattern::of(text.as_ref(), regex.as_ref()))
        }
        Check::FileUnchanged { path } => file_unchanged::check(subject, path),
        Check::TestsExecuted { argv, min, time_limit_s, control } => {
            let tests = tests_executed::Tests {
                argv: argv.as_deref(),
                min: *min,
                time_limit_s: *time_limit_s,
                control,
            };
            tests_executed::check(context, subject, &tests, place).await
        }
        Check::JsonSchema { path, schema, schema_path } => {
            json_schema::check(workspace, path, (schema.as_ref(), schema_path.as_deref()))
        }
        Check::Http(gate) => http::check(context, subject, gate, place).await,
        Check::ChangesWithin { paths, max_files } => changes_within::check(since, paths, *max_files),
        Check::FilesLack { paths, text, regex } => {
            files_lack::check(workspace, since, paths, Pattern::of(text.as_ref(), regex.as_ref()))
        }
        // A model decides it, in a run of its own; it is never handed in here.
        Check::Review { .. } => Found::new(false, "a review is not run as a gate"),
    }
}

/// A path of the workspace, without leaving it through a symbolic link.
fn inside(workspace: &Path, path: &str) -> Result<PathBuf, String> {
    let full = workspace.join(path);
    match full.canonicalize() {
        Ok(real) if real.starts_with(workspace) => Ok(real),
        Ok(_) => Err(format!("{path} leads out of the workspace")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(format!("{path} does not exist")),
        Err(error) => Err(format!("{path} cannot be read: {error}")),
    }
}

/// The last bytes of a text, cut where a character begins.
pub(crate) fn tail(text: &str, bytes: usize) -> String {
    let start = text.len().saturating_sub(bytes);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(start..).unwrap_or_default().to_owned()
}
