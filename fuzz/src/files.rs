//! What a person writes: settings, goal files, and when goals are to run.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;
use pb_model::goal_file::{self, GOAL_FILE_BYTES_MAX, ResolveContext};
use pb_model::schedule::{ScheduleSpec, Timing, Zones};
use pb_runtime::config::Config;

/// Slots that are looked at.
const SLOTS: usize = 3;
/// So many inputs may be as many as there may be.
const MANY_INPUTS: usize = 16;
/// 2026-11-27.
const NOW_MS: u64 = 1_795_737_600_000;

/// `config.toml`.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match toml::from_str::<Config>(text) {
        Ok(config) => {
            let _ = config.sandbox.tool_caches(Some(Path::new("/home/me")));
            let _ = config.trace.is_off();
        }
        Err(error) => drop(error.to_string()),
    }
}

/// A goal file: problems can be told; what has none can be resolved, written and read again as the same.
pub fn goal_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = match goal_file::parse(text) {
        Ok(file) => file,
        Err(problems) => return drop(problems.to_string()),
    };
    let set = BTreeMap::new();
    let context = ResolveContext { cwd: Path::new("/work"), file_dir: Path::new("/work"), set: &set };
    let goal = match file.resolve(&context) {
        Ok(goal) => goal,
        Err(problems) => return drop(problems.to_string()),
    };
    goal.validate().expect("a goal file that resolves is valid");
    let written = goal_file::render(&goal);
    let read = |text: &str| goal_file::parse(text).and_then(|file| file.resolve(&context));
    let first = match read(&written) {
        Ok(first) => first,
        // Said at `render`: a goal that is as large as any, or has as many inputs, may not fit once more.
        Err(_) if written.len() > GOAL_FILE_BYTES_MAX || goal.inputs.len() >= MANY_INPUTS => return,
        Err(problems) => panic!("{problems}\n{written}"),
    };
    let second = read(&goal_file::render(&first)).unwrap_or_else(|problems| panic!("{problems}\n{written}"));
    assert_eq!(second, first, "{written}");
}

/// When a goal is to run: the expression, then the zone, each on a line.
pub fn schedules(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (expression, zone) = text.split_once('\n').unwrap_or((text, "Europe/Berlin"));
    let timing = Timing::Cron { expression: expression.to_owned(), zone: zone.to_owned() };
    let zones = Zones { get: |name| TimeZone::get(name).ok(), names: Vec::new };
    match timing.rhythm(zones) {
        Ok(rhythm) => {
            let slots = rhythm.upcoming(NOW_MS, SLOTS);
            assert!(slots.is_sorted_by(|a, b| a < b) && slots.iter().all(|slot| *slot > NOW_MS), "{slots:?}");
        }
        Err(invalid) => drop(invalid.to_string()),
    }
    if let Ok(mut spec) = serde_json::from_str::<ScheduleSpec>(text) {
        let _ = spec.validate(zones, NOW_MS); // Either way; it is the way that counts.
    }
}
