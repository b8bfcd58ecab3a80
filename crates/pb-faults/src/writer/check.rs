//! What must be in the files after whatever happened to the writer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::Path;

use super::said::{Refusal, Said};
use super::{INBOX_FILE, LOG_FILE, retention, script};
use crate::audit::{self, InboxFacts, LogFacts};
use crate::{Tally, witness};

/// What was answered to a writer, over all of its lives.
#[derive(Debug, Clone, Default)]
pub struct Answered {
    /// The last incarnation that began.
    pub incarnation: u64,
    /// The commands, with their positions.
    pub kept: BTreeMap<String, u64>,
    /// The commands that were executed.
    pub executed: BTreeSet<String>,
    /// The position of the last event.
    pub last_pos: u64,
    /// How many events of each ended goal were dropped, and whether that was all.
    pub dropped: retention::Dropped,
    /// How often the store refused, and the last words of each kind.
    pub refused: Vec<(Refusal, String)>,
    /// Whether it came to its end.
    pub done: bool,
}

impl Answered {
    /// Adds what was said.
    ///
    /// # Errors
    /// It is not what a writer says.
    pub fn hear(&mut self, said: &[u8]) -> anyhow::Result<()> {
        for said in witness::heard(said)? {
            match said {
                Said::Up { incarnation } => self.incarnation = self.incarnation.max(incarnation),
                Said::Kept { id, pos } => {
                    self.kept.insert(id, pos);
                }
                Said::Executed { ids, last_pos } => {
                    self.executed.extend(ids);
                    self.last_pos = self.last_pos.max(last_pos);
                }
                Said::Compacted { goal, events, done } => {
                    let (dropped, ended) = self.dropped.entry(goal).or_default();
                    *dropped += events;
                    *ended |= done;
                }
                Said::Refused { refusal, error } => self.refused.push((refusal, error)),
                Said::Closing => {}
                Said::Done => self.done = true,
            }
        }
        Ok(())
    }

    /// How often the store refused in this way.
    pub fn refusals(&self, which: Refusal) -> u64 {
        self.refused.iter().filter(|(refusal, _)| *refusal == which).count() as u64
    }
}

/// Looks at both files in `folder` and counts what is wrong with them.
///
/// # Errors
/// They cannot be read at all.
pub fn check(
    folder: &Path,
    answered: &Answered,
    tally: &mut Tally,
    hint: impl Display,
) -> anyhow::Result<()> {
    for file in [LOG_FILE, INBOX_FILE] {
        audit::sound(&folder.join(file), tally, &hint);
    }
    let log = LogFacts::read(&folder.join(LOG_FILE))?;
    let inbox = InboxFacts::read(&folder.join(INBOX_FILE))?;
    log.contiguous(tally, &hint);
    everything_answered(&log, &inbox, answered, tally, &hint);
    whole_batches(&log, tally, &hint);
    in_order(&log, &inbox, tally, &hint);
    retention::check(&log, &answered.dropped, tally, &hint);
    Ok(())
}

/// I1.
fn everything_answered(
    log: &LogFacts,
    inbox: &InboxFacts,
    answered: &Answered,
    tally: &mut Tally,
    hint: &impl Display,
) {
    audit::commands_kept(answered.kept.keys().map(String::as_str), inbox, log, tally, hint);
    for (pos, id) in &inbox.commands {
        if let Some(said) = answered.kept.get(id).filter(|said| *said != pos) {
            tally.fail(format_args!("{hint}: {id} was answered at {said} and stands at {pos}"));
        }
    }
    for id in answered.executed.iter().filter(|id| !log.results.contains_key(*id)) {
        tally.lost += 1;
        tally.fail(format_args!("{hint}: {id} was executed, and its result is lost"));
    }
    let last = log.events.last().map_or(0, |event| event.pos);
    if last < answered.last_pos {
        tally.lost += answered.last_pos - last;
        let said = answered.last_pos;
        tally.fail(format_args!("{hint}: the event at {said} was answered, the log ends at {last}"));
    }
    let incarnation = log.identity.as_ref().map_or(0, |(_, _, incarnation)| *incarnation);
    if incarnation < answered.incarnation {
        tally.lost += 1;
        let said = answered.incarnation;
        tally.fail(format_args!("{hint}: incarnation {said} began, the log is at {incarnation}"));
    }
}

/// The events of commands, each with its command.
fn executed(log: &LogFacts) -> impl Iterator<Item = (&audit::EventFact, &str)> {
    log.events.iter().filter(|event| !retention::is_ended(&event.goal)).map(|event| {
        let command = event.id.rsplit_once('.').map_or(event.id.as_str(), |(command, _)| command);
        (event, command)
    })
}

/// A batch is there whole or not at all, and once.
fn whole_batches(log: &LogFacts, tally: &mut Tally, hint: &impl Display) {
    let mut found = BTreeMap::<&str, Vec<&audit::EventFact>>::new();
    for (event, command) in executed(log) {
        found.entry(command).or_default().push(event);
    }
    for (id, events) in &found {
        let Some((_, expected)) = script::events(id) else {
            tally.fail(format_args!("{hint}: nobody wrote an event of `{id}`"));
            continue;
        };
        let twice = events.len().saturating_sub(expected.len());
        if twice > 0 {
            tally.duplicated += twice as u64;
            tally.fail(format_args!("{hint}: {id} was executed more than once"));
        } else if !events.iter().map(|event| &event.body).eq(expected.iter().map(|event| &event.body)) {
            tally.fail(format_args!("{hint}: the events of {id} are not those that were written"));
        }
        if !log.results.contains_key(*id) {
            tally.fail(format_args!("{hint}: {id} has events and no result"));
        }
    }
    if let Some(id) = log.results.keys().find(|id| !found.contains_key(id.as_str())) {
        tally.fail(format_args!("{hint}: {id} has a result and no event"));
    }
    let mut steps = BTreeMap::<&str, (u64, bool)>::new();
    for step in &log.steps {
        let (last, ended) = steps.entry(&step.run).or_insert((0, true));
        if step.n != *last + 1 || !*ended {
            tally.fail(format_args!("{hint}: step {} of {} comes after {last}", step.n, step.run));
        }
        (*last, *ended) = (step.n, step.result.is_some());
        if let Some(id) = step.effect_key.split(',').find(|id| !log.results.contains_key(*id)) {
            tally.fail(format_args!("{hint}: {id} has a step and no result"));
        }
    }
}

/// Commands are executed in the order of the inbox, and its position moves with them.
fn in_order(log: &LogFacts, inbox: &InboxFacts, tally: &mut Tally, hint: &impl Display) {
    let mut before = 0;
    for (_, command) in executed(log) {
        let pos = log.results.get(command).and_then(|pos| pos.parse::<u64>().ok()).unwrap_or_default();
        if pos < before {
            tally.reordered += 1;
            tally.fail(format_args!("{hint}: {command}, at {pos} in the inbox, was executed after {before}"));
        }
        before = before.max(pos);
    }
    let read = inbox.id.as_ref().and_then(|id| log.inbox_read.get(id)).copied().unwrap_or_default();
    if read != before {
        tally.fail(format_args!("{hint}: executed up to {before} in the inbox, its position says {read}"));
    }
    if !inbox.commands.is_sorted_by(|a, b| a.0 < b.0) {
        tally.fail(format_args!("{hint}: positions in the inbox do not rise"));
    }
}
