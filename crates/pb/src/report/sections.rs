//! The parts of a report, each a block of text; empty when there is nothing to tell.

use std::collections::BTreeSet;
use std::path::Path;

use pb_model::Verdict;
use pb_model::goal::{GoalStatus, ItemStatus};
use pb_protocol::domain::{GateResult, Goal, WorkItem};

use super::{Account, ItemAccount};
use crate::output::{BAD, BOLD, GOOD, WARN, styled};
use crate::{format, table};

/// The items, one a row.
pub(crate) fn items(account: &Account) -> String {
    let cut_off = cut_off(account);
    let row = |one: &ItemAccount| {
        let time: u64 =
            one.runs.iter().filter_map(|run| Some(run.completed_at?.saturating_sub(run.created_at))).sum();
        vec![
            key(account, &one.item),
            status(&one.item, &cut_off),
            one.item.verdict.map_or("-", Verdict::as_str).to_owned(),
            one.runs.len().to_string(),
            if one.runs.is_empty() { "-".to_owned() } else { format::duration(time) },
        ]
    };
    table::render(&["ITEM", "STATUS", "VERDICT", "ATTEMPTS", "TIME"], account.items.iter().map(row).collect())
}

/// The item's key; of one that a run added, with the key of that run's item.
fn key(account: &Account, item: &WorkItem) -> String {
    let key = format::line(&item.key);
    let above = item.added_by.as_ref();
    match above.and_then(|above| account.items.iter().find(|one| one.item.id == *above)) {
        Some(above) => format!("{key} (added by {})", format::line(&above.item.key)),
        None => key,
    }
}

/// Where an item stands; that another plan took its place, or that it can never start, no status says
/// (`wire.md` §4.2).
fn status(item: &WorkItem, cut_off: &BTreeSet<&str>) -> String {
    let word = format::word(&item.status);
    match (item.superseded, cut_off.contains(item.id.as_str())) {
        (true, _) => "replaced".to_owned(),
        (false, true) => format!("{word}, cut off"),
        (false, false) => word,
    }
}

/// The items that wait for one that failed, directly or not: as it stands they never start.
fn cut_off(account: &Account) -> BTreeSet<&str> {
    let status = |wanted: ItemStatus| {
        account.items.iter().map(|one| &one.item).filter(move |item| item.status == wanted.as_str())
    };
    let failed: BTreeSet<&str> = status(ItemStatus::Failed).map(|item| item.id.as_str()).collect();
    let mut cut: BTreeSet<&str> = BTreeSet::new();
    loop {
        let waits = |id: &String| failed.contains(id.as_str()) || cut.contains(id.as_str());
        let more = status(ItemStatus::Queued).filter(|item| item.dependencies.iter().any(waits));
        let more: BTreeSet<&str> = more.map(|item| item.id.as_str()).collect();
        if more.is_subset(&cut) {
            return cut;
        }
        cut.extend(more);
    }
}

/// What agents said when they finished: their words, which prove nothing.
pub(crate) fn said(account: &Account) -> String {
    let done = account.items.iter().filter(|one| one.item.status == "done" && one.item.kind == "agent");
    let words = done.filter_map(|one| {
        let said = one.runs.last()?.execution_log.as_deref().filter(|said| !said.is_empty())?;
        Some(format!("{} said: {}", format::line(&one.item.key), beginning(said)))
    });
    words.collect::<Vec<_>>().join("\n")
}

/// Most characters of an agent's words that are shown here; the report has all.
const SAID_CHARS_MAX: usize = 240;

fn beginning(said: &str) -> String {
    let words = format::line(said).split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(SAID_CHARS_MAX) {
        None => words,
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
    }
}

/// What a goal that stands still has not done, and why, as far as an item says so.
pub(crate) fn not_done(account: &Account) -> String {
    if !super::is_over(&account.detail.goal) {
        return String::new();
    }
    let cut_off = cut_off(account);
    let open =
        account.items.iter().filter(|one| one.item.status != "done" && !one.item.superseded).map(|one| {
            let why = one.item.error.as_ref().map(|error| format!(": {}", format::line(&error.message)));
            let (key, status) = (format::line(&one.item.key), status(&one.item, &cut_off));
            format!("not done: {key}, {status}{}", why.unwrap_or_default())
        });
    open.collect::<Vec<_>>().join("\n")
}

/// What a gate found, and what the goal changed of what decides it.
fn found(gate: &GateResult) -> String {
    if gate.edited.is_empty() {
        return gate.found.clone();
    }
    format!("{}; changed by the goal: {}", gate.found, gate.edited.join(", "))
}

/// The gates of each item's last attempt, one a row.
pub(crate) fn gates(account: &Account) -> String {
    let row = |one: &ItemAccount, gate: &GateResult| {
        let result = match (gate.passed, gate.required) {
            (true, _) if !gate.edited.is_empty() => "pass, edited",
            (true, _) => "pass",
            (false, true) => "FAIL",
            (false, false) => "fail (optional)",
        };
        vec![
            format::line(&one.item.key),
            format::excerpt(&gate.name),
            result.to_owned(),
            format::excerpt(&found(gate)),
        ]
    };
    let rows = account.items.iter().flat_map(|one| {
        let last = one.runs.last().map(|run| run.gates.as_slice()).unwrap_or_default();
        last.iter().map(move |gate| row(one, gate))
    });
    table::render(&["ITEM", "GATE", "RESULT", "FOUND"], rows.collect())
}

/// The delivered files, one a row, with their full paths; of a goal that failed, what it had made. What a failure
/// before a retry left is told by neither.
pub(crate) fn artifacts(account: &Account) -> String {
    let workspace = Path::new(account.detail.goal.workspace.as_deref().unwrap_or_default());
    let failed = account.detail.goal.status == GoalStatus::Failed.as_str();
    let told = account.detail.artifacts.iter().filter(|artifact| artifact.partial == failed);
    let rows = told.map(|artifact| {
        let path = workspace.join(&artifact.file_path);
        vec![
            format::line(&path.to_string_lossy()),
            format::size(artifact.size_bytes),
            match (artifact.removed, artifact.changed) {
                (true, _) => "removed",
                (false, true) => "changed",
                (false, false) => "new",
            }
            .to_owned(),
        ]
    });
    let heading = if failed { "NOT DELIVERED" } else { "ARTIFACT" };
    table::render(&[heading, "SIZE", ""], rows.collect())
}

/// What models did for the goal, and what they cost; `None` when none was asked.
pub(crate) fn models(goal: &Goal) -> Option<String> {
    if goal.spent_turns == 0 && goal.spent_tokens == 0 {
        return None;
    }
    let spent = format::spent(goal.spent_tokens, format::micro(goal.spent_cost_usd), goal.unpriced);
    let assumed = match goal.assumed_tokens {
        0 => String::new(),
        tokens => format!(", of which {} assumed", format::count(tokens, "token")),
    };
    Some(format!("{}, {spent}{assumed}", format::count(goal.spent_turns, "answer")))
}

/// `verified: 3 item(s) done`, in the colour of how it ended.
pub(crate) fn verdict_line(goal: &Goal) -> String {
    let (style, word) = match (goal.status.as_str(), goal.verdict) {
        ("completed", Some(Verdict::Verified)) => (GOOD, "verified"),
        ("completed", verdict) => (WARN, verdict.unwrap_or(Verdict::Unverified).as_str()),
        ("blocked", _) => (WARN, "needs a human"),
        ("failed", _) => (BAD, "failed"),
        (status, _) => (BOLD, status),
    };
    let error = goal.error.as_ref().map(|error| error.message.as_str());
    match error.or(goal.summary.as_deref()) {
        Some(text) => format!("{}: {}", styled(style.bold(), word), format::line(text)),
        None => styled(style.bold(), word),
    }
}
