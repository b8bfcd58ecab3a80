//! The parts of a report, each a block of text; empty when there is nothing to tell.

use std::path::Path;

use pb_model::Verdict;
use pb_protocol::domain::{GateResult, Goal, WorkItem};

use super::{Account, ItemAccount};
use crate::output::{BAD, BOLD, GOOD, WARN, styled};
use crate::{format, table};

/// The items, one a row.
pub(crate) fn items(account: &Account) -> String {
    let row = |one: &ItemAccount| {
        let time: u64 =
            one.runs.iter().filter_map(|run| Some(run.completed_at?.saturating_sub(run.created_at))).sum();
        vec![
            format::line(&one.item.key),
            status(&one.item),
            one.item.verdict.map_or("-", Verdict::as_str).to_owned(),
            one.runs.len().to_string(),
            if one.runs.is_empty() { "-".to_owned() } else { format::duration(time) },
        ]
    };
    table::render(&["ITEM", "STATUS", "VERDICT", "ATTEMPTS", "TIME"], account.items.iter().map(row).collect())
}

/// Where an item stands; one whose place another plan took has no status that says so (`wire.md` §4.2).
fn status(item: &WorkItem) -> String {
    if item.superseded { "replaced".to_owned() } else { format::word(&item.status) }
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
    let open =
        account.items.iter().filter(|one| one.item.status != "done" && !one.item.superseded).map(|one| {
            let why = one.item.error.as_ref().map(|error| format!(": {}", format::line(&error.message)));
            let (key, status) = (format::line(&one.item.key), status(&one.item));
            format!("not done: {key}, {status}{}", why.unwrap_or_default())
        });
    open.collect::<Vec<_>>().join("\n")
}

/// The gates of each item's last attempt, one a row.
pub(crate) fn gates(account: &Account) -> String {
    let row = |one: &ItemAccount, gate: &GateResult| {
        let result = match (gate.passed, gate.required) {
            (true, _) => "pass",
            (false, true) => "FAIL",
            (false, false) => "fail (optional)",
        };
        vec![
            format::line(&one.item.key),
            format::excerpt(&gate.name),
            result.to_owned(),
            format::excerpt(&gate.found),
        ]
    };
    let rows = account.items.iter().flat_map(|one| {
        let last = one.runs.last().map(|run| run.gates.as_slice()).unwrap_or_default();
        last.iter().map(move |gate| row(one, gate))
    });
    table::render(&["ITEM", "GATE", "RESULT", "FOUND"], rows.collect())
}

/// The delivered files, one a row, with their full paths.
pub(crate) fn artifacts(account: &Account) -> String {
    let workspace = Path::new(account.detail.goal.workspace.as_deref().unwrap_or_default());
    let rows = account.detail.artifacts.iter().map(|artifact| {
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
    table::render(&["ARTIFACT", "SIZE", ""], rows.collect())
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
