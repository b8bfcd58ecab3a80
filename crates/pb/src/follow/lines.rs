//! One line per happening that a person cares for; most events have none.

use std::collections::BTreeMap;

use pb_model::Verdict;
use pb_model::goal::Kept;
use pb_protocol::domain::{Error, GateResult, WorkItem};
use pb_protocol::frame::EventFrame;

use super::judgement;
use super::live::Live;
use super::payload::Payload;
use super::turns::{Turns, of_tool};
use crate::format;
use crate::output::{BAD, DIM, GOOD, WARN, styled};

/// What is remembered from earlier events to tell about later ones.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// When the first event happened; lines count from there.
    began_at: Option<u64>,
    items: BTreeMap<String, Item>,
    /// The item of each run that works at one.
    works: BTreeMap<String, String>,
    /// The item that each run reviews.
    reviews: BTreeMap<String, String>,
    turns: Turns,
}

#[derive(Debug, Default)]
struct Item {
    key: String,
    started_at: u64,
}

impl Lines {
    /// The line about this event, if it deserves one.
    pub(super) fn line(&mut self, frame: &EventFrame, live: &Live) -> Option<String> {
        // What a later version tells in other ways is left to its own clients.
        let payload: Payload = serde_json::from_str(frame.data.get()).ok()?;
        let at = frame.at.unwrap_or_default();
        let began_at = *self.began_at.get_or_insert(at);
        let key = self.learn(frame, &payload, at);
        let text = match frame.event.split_once('.')? {
            ("goal", _) => of_goal(&frame.event, &payload)?,
            ("evaluation", _) => judgement::of_evaluation(&payload)?,
            ("approval", what) => judgement::of_approval(what, &payload)?,
            ("workitem", what) => self.of_item(what, &payload, at)?,
            ("model", what) => {
                let was_heard = live.was_heard(payload.run_id.as_deref(), payload.step);
                self.turns.of_model(what, &payload, was_heard)?
            }
            ("tool", _) => of_tool(&payload, live.was_heard(payload.run_id.as_deref(), payload.step))?,
            ("guard", _) => of_guard(&payload)?,
            ("conversation", _) => of_condensed(&payload)?,
            ("run", _) => of_run(&frame.event, &payload)?,
            ("verification", "started") if payload.probe == Some(true) => {
                "its gates are asked whether the lost work was done".to_owned()
            }
            ("gate", _) => of_gate(payload.gate.as_ref()?),
            ("artifact", _) => {
                let artifact = payload.artifact.as_ref()?;
                let (path, size) = (format::line(&artifact.file_path), format::size(artifact.size_bytes));
                let what = if artifact.partial { "not delivered, but made:" } else { "delivered" };
                format!("{what} {path} ({size})")
            }
            ("escalation", _) => of_escalation(&payload)?,
            ("budget", "warning") => {
                let (percent, cap) = (payload.percent?, payload.cap?.as_str());
                styled(WARN, format_args!("{percent} % of the {cap} is used"))
            }
            _ => return None,
        };
        let since = styled(DIM, format_args!("{:>9}", seconds(at.saturating_sub(began_at))));
        let talks = frame.event.starts_with("model.") || frame.event.starts_with("tool.");
        Some(match key.or_else(|| talks.then(|| self.of_whom(&payload))) {
            Some(key) => format!("{since}  {key}: {text}"),
            None => format!("{since}  {text}"),
        })
    }

    /// Who talks in a run without an item: a reviewer, or a planner.
    fn of_whom(&self, payload: &Payload) -> String {
        let review = payload.run_id.as_ref().and_then(|run| self.reviews.get(run));
        let key = review.and_then(|item| self.items.get(item)).map(|item| item.key.as_str());
        key.map_or_else(|| "plan".to_owned(), |key| format!("{key}, review"))
    }

    /// Remembers what later lines need; returns the key of the item that the event is about.
    fn learn(&mut self, frame: &EventFrame, payload: &Payload, at: u64) -> Option<String> {
        if let Some(run) = payload.run.as_ref().filter(|_| frame.event == "run.started") {
            let reviewed = run.reviews.as_ref().and_then(|run| self.works.get(run));
            if let Some(item) = reviewed.cloned() {
                self.reviews.insert(run.id.clone(), item);
            } else if let Some(item) = &payload.work_item_id {
                self.works.insert(run.id.clone(), item.clone());
            }
        }
        let id = payload.work_item_id.as_ref()?;
        let item = self.items.entry(id.clone()).or_default();
        if let Some(WorkItem { key, .. }) = &payload.work_item {
            item.key = format::line(key);
        }
        if frame.event == "workitem.started" {
            item.started_at = at;
        }
        Some(item.key.clone())
    }

    fn of_item(&self, what: &str, payload: &Payload, at: u64) -> Option<String> {
        let item = payload.work_item.as_ref()?;
        let error = || message(payload.error.as_ref());
        match what {
            "started" if item.retry_count == 0 => Some("started".to_owned()),
            "started" => Some(format!("started, attempt {}", item.retry_count + 1)),
            "created" => {
                let above = self.items.get(item.added_by.as_ref()?)?;
                Some(format!("added by {}", above.key))
            }
            "added" => {
                let keys: Vec<String> = payload.added.iter().map(|added| format::line(&added.id)).collect();
                Some(format!("adds {}, to be done after it", keys.join(", ")))
            }
            "updated" if payload.skipped_by.is_some() => Some(styled(WARN, "left out, as was answered")),
            "updated" if payload.superseded == Some(true) => Some("makes room for another plan".to_owned()),
            "updated" => {
                let retry = payload.retry_count?;
                let pause = format::duration(payload.not_before.unwrap_or(at).saturating_sub(at));
                let of = item.max_retries;
                Some(format!("{} {retry} of {of} in {pause}: {}", styled(WARN, "retry"), error()))
            }
            "completed" => {
                let started_at = self.items.get(&item.id).map_or(at, |item| item.started_at);
                let took = format::duration(at.saturating_sub(started_at));
                let verdict = verdict(payload.verdict.or(item.verdict));
                Some(format!("done in {took}, {verdict}"))
            }
            "failed" => Some(format!("{}: {}", styled(BAD, "failed"), error())),
            "blocked" => Some(format!("{}: {}", styled(WARN, "needs a human"), error())),
            _ => None,
        }
    }
}

/// A conversation that goes nowhere, and what is done about it.
fn of_guard(payload: &Payload) -> Option<String> {
    let seen = payload.found.as_deref()?;
    let done = match payload.rung.as_deref()? {
        "nudge" => "it is told so".to_owned(),
        "drop_tool" => format!("`{}` is taken away", format::line(payload.tool.as_deref()?)),
        "other_model" => "another model goes on".to_owned(),
        _ => "a human is asked".to_owned(),
    };
    Some(format!("{} {seen}; {done}", styled(WARN, "guard:")))
}

/// A conversation that would not fit its model.
fn of_condensed(payload: &Payload) -> Option<String> {
    let turns = format::count(payload.turns?, "turn");
    let results = format::count(payload.results?, "further result");
    Some(format!("the conversation is too long for the model: {turns} and {results} are told in short"))
}

fn of_goal(event: &str, payload: &Payload) -> Option<String> {
    match event {
        "goal.started" => {
            let workspace = payload.workspace.as_deref()?;
            let works = format!("works in {}", format::line(workspace));
            Some(match &payload.kept {
                Some(Kept::Not { why }) => {
                    let why = format::line(why);
                    format!("{works}; {}: {why}", styled(WARN, "its files are not kept"))
                }
                Some(Kept::Empty | Kept::Git { .. } | Kept::Copy { .. }) | None => works,
            })
        }
        "goal.updated" => of_update(payload),
        "goal.elaborated" => judgement::of_elaboration(payload),
        "goal.replanning" => Some(judgement::of_replanning(payload)),
        _ => None, // Its end is told by the report.
    }
}

fn of_update(payload: &Payload) -> Option<String> {
    if let Some(other) = &payload.waits_for {
        let workspace = format::line(payload.workspace.as_deref().unwrap_or("its folder"));
        return Some(format!("waits for {other}, which works in {workspace}"));
    }
    if let Some(items) = payload.items {
        return Some(format!("planned {}", format::count(items, "item")));
    }
    if payload.epoch.is_some() {
        return Some(styled(WARN, "the scheduler was started again and goes on with the goal"));
    }
    if payload.cancelled_by.is_some() {
        return Some("cancelling".to_owned());
    }
    if let Some(by) = &payload.paused_by {
        return Some(format!("{} by {}: nothing new starts", styled(WARN, "paused"), format::line(by)));
    }
    if let Some(by) = &payload.resumed_by {
        return Some(format!("goes on, as {} said", format::line(by)));
    }
    if let Some(priority) = payload.priority {
        return Some(format!("has priority {priority} now"));
    }
    let publishing = payload.goal.as_ref().is_some_and(|goal| goal.phase == "publish");
    publishing.then(|| "every item is done; checking once more, then delivering".to_owned())
}

fn of_escalation(payload: &Payload) -> Option<String> {
    let title = format::line(&payload.escalation.as_ref()?.title);
    Some(match (&payload.action, &payload.resolved_by) {
        (Some(answer), Some(by)) => {
            format!("{} answered `{}` to: {title}", format::line(by), format::line(answer))
        }
        _ => format!("{}: {title}", styled(WARN, "asks a human")),
    })
}

fn of_run(event: &str, payload: &Payload) -> Option<String> {
    match event {
        "run.continued" => {
            let why = format::line(payload.why.as_deref().unwrap_or_default());
            Some(match payload.ran_again {
                Some(true) => format!("{}: {why}", styled(WARN, "runs again")),
                Some(false) | None => format!("{}: {why}", styled(WARN, "continued")),
            })
        }
        "run.executed" => {
            let unconfined = payload.run.as_ref()?.unconfined.as_deref()?;
            Some(format!("{}: {}", styled(WARN, "warning"), format::line(unconfined)))
        }
        _ => None,
    }
}

fn of_gate(gate: &GateResult) -> String {
    let name = format::line(&gate.name);
    let edited = if gate.edited.is_empty() {
        String::new()
    } else {
        let paths = format::line(&gate.edited.join(", "));
        format!(" ({}: {paths})", styled(WARN, "the goal changed what decides it"))
    };
    match (gate.passed, gate.recheck) {
        (true, false) => format!("{}: {name}{edited}", styled(GOOD, "gate passed")),
        (true, true) => format!("{}: {name}{edited}", styled(GOOD, "gate still holds")),
        (false, _) => {
            let optional = if gate.required { "" } else { " (optional)" };
            let found = format::line(&gate.found);
            format!("{}{optional}: {name}: {found}", styled(BAD, "gate failed"))
        }
    }
}

fn message(error: Option<&Error>) -> String {
    error.map(|error| format::line(&error.message)).unwrap_or_default()
}

/// A verdict in its colour.
fn verdict(verdict: Option<Verdict>) -> String {
    let verdict = verdict.unwrap_or(Verdict::Unverified);
    let style = match verdict {
        Verdict::Verified => GOOD,
        Verdict::Partial | Verdict::Unverified => WARN,
        Verdict::Failed => BAD,
    };
    styled(style, verdict.as_str())
}

/// `1.25 s` since the beginning, exact enough to see what came after what.
fn seconds(ms: u64) -> String {
    format!("{}.{:02} s", ms / 1000, ms % 1000 / 10)
}
