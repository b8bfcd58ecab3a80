//! Guards: a conversation that goes nowhere is noticed, helped, and in the end handed to a person.
//!
//! ```text
//!         repetition, cycle, no progress, empty answers
//! steady -----------------------------------------------> nudge -> drop the tool -> another model -> escalate
//!    ^                                                      |            |                |
//!    +------------------- something new ---- (the ladder keeps its place in the attempt) -+
//! ```
//!
//! Each time a guard trips in an attempt the next rung is taken; rungs that are not there (no tool to
//! drop, no other model) are left out. What was seen is in the state, so a kill forgets nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conversation::{Call, FINISH};

/// Calls that are remembered of one conversation; older ones count as new again.
pub(super) const SEEN_MAX: usize = 32;
/// The same call with the same result so often in a row is a repetition.
pub const REPEATS_MAX: usize = 3;
/// Longest cycle of calls that is looked for; a cycle trips when it was gone round [`REPEATS_MAX`] times.
pub const CYCLE_CALLS_MAX: usize = 6;
/// Answers in a row that neither changed the workspace nor led to a result that was not seen before.
pub const STALE_TURNS_MAX: u32 = 8;
/// The model is told once that its turns run out, at this part of them, in percent.
pub const TURNS_WARN_PERCENT: u32 = 75;

/// Hex digits of a digest that are remembered.
const DIGEST_CHARS: usize = 16;

/// What a guard saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// The same tool, arguments and result, again and again.
    Repetition,
    /// The same few calls with the same results, round and round.
    Cycle,
    /// Nothing new in the workspace or in what its calls found.
    NoProgress,
    /// Answers that call no tool.
    EmptyAnswers,
    /// Its turns run out.
    RunawayTurns,
}

impl Guard {
    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repetition => "repetition",
            Self::Cycle => "cycle",
            Self::NoProgress => "no_progress",
            Self::EmptyAnswers => "empty_answers",
            Self::RunawayTurns => "runaway_turns",
        }
    }

    /// What it saw, in words for people.
    pub fn words(self) -> String {
        match self {
            Self::Repetition => {
                format!("it made the same call {REPEATS_MAX} times in a row, with the same result")
            }
            Self::Cycle => format!("it went round the same calls {REPEATS_MAX} times, with the same results"),
            Self::NoProgress => format!(
                "in {STALE_TURNS_MAX} turns nothing changed in the workspace, and it saw nothing that it had not \
                 seen before"
            ),
            Self::EmptyAnswers => "its answers call no tool".to_owned(),
            Self::RunawayTurns => "its turns run out".to_owned(),
        }
    }
}

/// What is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rung", rename_all = "snake_case")]
pub enum Rung {
    /// The model is told what was seen.
    Nudge,
    /// This tool is not offered any more in the attempt, and the model is told.
    DropTool {
        /// The tool.
        tool: String,
    },
    /// Another model is asked from now on, and told.
    OtherModel {
        /// The one that is not asked any more while another one answers.
        instead_of: String,
    },
    /// A person decides.
    Escalate,
}

impl Rung {
    /// The word shown everywhere.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Nudge => "nudge",
            Self::DropTool { .. } => "drop_tool",
            Self::OtherModel { .. } => "other_model",
            Self::Escalate => "escalate",
        }
    }
}

/// A call that was made, with what it came to. One without a tool is the place where a guard tripped:
/// nothing repeats across it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen(String, String);

impl Seen {
    /// A call, and the digest of what it came to.
    pub fn new(call: &Call, output_digest: &str) -> Self {
        let both = blake3::hash(format!("{}\0{output_digest}", call.digest).as_bytes());
        Self(call.tool.clone(), both.to_hex().chars().take(DIGEST_CHARS).collect())
    }

    fn mark() -> Self {
        Self(String::new(), String::new())
    }

    fn is_mark(&self) -> bool {
        self.0.is_empty()
    }
}

/// What the guards remember of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    /// Its latest calls, the last one last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seen: Vec<Seen>,
    /// Whether the answer under way led to something new.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    news: bool,
    /// Answers in a row that led to nothing new.
    stale_turns: u32,
    /// Digest of the workspace when that was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<String>,
    /// How many rungs of the ladder were taken.
    rungs: u8,
    /// Whether the model was told that its turns run out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    warned_of_turns: bool,
    /// What the next request is to tell the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telling: Option<Telling>,
    /// Tools that are not offered any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// Models that are asked only if no other one answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub avoided: Vec<String>,
    /// Who could be asked instead of the one who is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_model: Option<String>,
}

/// What a model is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// What was seen.
    pub guard: Guard,
    /// What was done about it.
    pub rung: Rung,
}

impl Watch {
    /// Whether this call, with this result, was not seen lately.
    pub fn is_news(&self, seen: &Seen) -> bool {
        !self.seen.contains(seen)
    }

    /// Notes a call that ended.
    pub(super) fn note(&mut self, seen: Seen) {
        self.news |= self.is_news(&seen);
        self.push(seen);
    }

    fn push(&mut self, seen: Seen) {
        self.seen.push(seen);
        let old = self.seen.len().saturating_sub(SEEN_MAX);
        self.seen.drain(..old);
    }

    /// Notes that all calls of an answer have ended. A workspace that could not be looked at counts as
    /// changed: nobody is stopped for what is not known.
    pub(super) fn end_turn(&mut self, workspace: Option<&str>) {
        let same = workspace.is_some() && self.workspace.as_deref() == workspace;
        let first = self.workspace.is_none() && workspace.is_some();
        if std::mem::take(&mut self.news) || !(same || first) {
            self.stale_turns = 0;
        } else {
            self.stale_turns += 1;
        }
        self.workspace = workspace.map(str::to_owned);
    }

    /// Notes that the model has answered: it was told what it was to be told.
    pub(super) fn answered(&mut self) {
        self.telling = None;
    }

    /// Notes what was done about a guard that tripped.
    pub(super) fn tripped(&mut self, guard: Guard, rung: &Rung) {
        if guard == Guard::RunawayTurns {
            self.warned_of_turns = true;
        } else {
            self.rungs = match rung {
                Rung::Nudge => 1,
                Rung::DropTool { .. } => 2,
                Rung::OtherModel { .. } => 3,
                Rung::Escalate => 4,
            };
        }
        match rung {
            Rung::DropTool { tool } => self.dropped.push(tool.clone()),
            Rung::OtherModel { instead_of } => self.avoided.push(instead_of.clone()),
            Rung::Nudge | Rung::Escalate => {}
        }
        self.stale_turns = 0;
        self.push(Seen::mark());
        self.telling = Some(Telling { guard, rung: rung.clone() });
    }

    /// Whether a guard trips after the calls of an answer.
    pub(super) fn trips(&self) -> Option<Guard> {
        if self.repeats(1) {
            Some(Guard::Repetition)
        } else if (2..=CYCLE_CALLS_MAX).any(|period| self.repeats(period)) {
            Some(Guard::Cycle)
        } else {
            (self.stale_turns >= STALE_TURNS_MAX).then_some(Guard::NoProgress)
        }
    }

    /// Whether the last calls are one round of `period` calls, gone round [`REPEATS_MAX`] times.
    fn repeats(&self, period: usize) -> bool {
        let Some(start) = self.seen.len().checked_sub(period * REPEATS_MAX) else { return false };
        let last = self.seen.split_at(start).1;
        !last.iter().any(Seen::is_mark) && last.iter().zip(last.iter().skip(period)).all(|(a, b)| a == b)
    }

    /// Whether the model is to be told that its turns run out.
    pub(super) fn runs_away(&self, turns: u32, turns_max: u32) -> bool {
        let few = turns_max.saturating_mul(TURNS_WARN_PERCENT) / 100;
        // Whoever has only a handful of turns is not told to hurry.
        !self.warned_of_turns && turns_max >= 8 && turns >= few
    }

    /// What is done about a guard that trips now; `model` answered last.
    pub(super) fn next_rung(&self, guard: Guard, model: Option<&str>) -> Rung {
        if guard == Guard::RunawayTurns {
            return Rung::Nudge;
        }
        // A model that calls nothing is told so at each empty answer: that was the first rung.
        if self.rungs < 1 && guard != Guard::EmptyAnswers {
            return Rung::Nudge;
        }
        let tool = self.seen.iter().rev().find(|seen| !seen.is_mark()).map(|seen| seen.0.clone());
        let may_drop = |tool: &String| tool != FINISH && !self.dropped.contains(tool);
        if self.rungs < 2
            && guard != Guard::EmptyAnswers
            && let Some(tool) = tool.filter(may_drop)
        {
            return Rung::DropTool { tool };
        }
        if self.rungs < 3
            && self.other_model.is_some()
            && let Some(model) = model
        {
            return Rung::OtherModel { instead_of: model.to_owned() };
        }
        Rung::Escalate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Effect;

    fn call(tool: &str) -> Call {
        Call {
            n: 1,
            id: "c".to_owned(),
            tool: tool.to_owned(),
            title: String::new(),
            effect: Effect::Pure,
            digest: blake3::hash(tool.as_bytes()).to_hex().to_string(),
            again: false,
            held: false,
        }
    }

    /// `a1` is a call of tool `a` with the result `1`; each is an answer of its own, in an unchanged folder.
    fn after(calls: &str) -> Watch {
        let mut watch = Watch::default();
        for word in calls.split_whitespace() {
            let (tool, result) = word.split_at(1);
            watch.note(Seen::new(&call(tool), result));
            watch.end_turn(Some("same"));
        }
        watch
    }

    #[test]
    fn what_trips_and_what_does_not() {
        let lives = [
            "a1 a1",
            "a1 a1 a1",
            "a1 a2 a3 a1 a2 a3",
            "a1 b1 a1 b1 a1 b1",
            "a1 b1 c1 d1 e1 f1 a1 b1 c1 d1 e1 f1 a1 b1 c1 d1 e1 f1",
            "a1 b1 a1 b2 a1 b3 a1 b4",
            "a1 b1 c1 a1 c1 b1 a1 b1 b1 c1 c1 a1",
        ];
        let told: Vec<String> = lives
            .iter()
            .map(|life| {
                let watch = after(life);
                let trips = watch.trips().map_or("-", Guard::as_str);
                format!("{life}: {trips}, stale for {}", watch.stale_turns)
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        a1 a1: -, stale for 1
        a1 a1 a1: repetition, stale for 2
        a1 a2 a3 a1 a2 a3: -, stale for 3
        a1 b1 a1 b1 a1 b1: cycle, stale for 4
        a1 b1 c1 d1 e1 f1 a1 b1 c1 d1 e1 f1 a1 b1 c1 d1 e1 f1: cycle, stale for 12
        a1 b1 a1 b2 a1 b3 a1 b4: -, stale for 0
        a1 b1 c1 a1 c1 b1 a1 b1 b1 c1 c1 a1: no_progress, stale for 9
        ");
    }

    #[test]
    fn a_changed_or_unseen_workspace_is_progress() {
        let mut watch = after("a1 a1");
        assert_eq!(watch.stale_turns, 1);
        watch.note(Seen::new(&call("a"), "1"));
        watch.end_turn(Some("other"));
        assert_eq!(watch.stale_turns, 0);
        watch.end_turn(Some("other"));
        assert_eq!(watch.stale_turns, 1);
        watch.end_turn(None);
        assert_eq!(watch.stale_turns, 0);
    }

    #[test]
    fn the_ladder_goes_up_and_leaves_out_what_is_not_there() {
        let climb = |mut watch: Watch, model: Option<&str>| {
            let mut rungs = Vec::new();
            loop {
                let guard = watch.trips().unwrap();
                let rung = watch.next_rung(guard, model);
                watch.tripped(guard, &rung);
                assert_eq!(watch.trips(), None, "a guard that tripped begins anew");
                rungs.push(rung.as_str());
                if rung == Rung::Escalate {
                    return rungs.join(" ");
                }
                for _ in 0..REPEATS_MAX {
                    watch.note(Seen::new(&call("a"), "1"));
                    watch.end_turn(Some("same"));
                }
            }
        };
        assert_eq!(climb(after("a1 a1 a1"), None), "nudge drop_tool escalate");
        let other = Watch { other_model: Some("x/other".to_owned()), ..after("a1 a1 a1") };
        assert_eq!(climb(other.clone(), Some("x/one")), "nudge drop_tool other_model escalate");
        let finish = Watch { seen: vec![Seen::new(&call(FINISH), "1")], ..other };
        let rung = Watch { rungs: 1, ..finish }.next_rung(Guard::NoProgress, Some("x/one"));
        assert_eq!(rung.as_str(), "other_model", "`finish` is always offered");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let watch = after(&"a1 b2 c3 d4 e5 f6 g7 ".repeat(40));
        assert_eq!(watch.seen.len(), SEEN_MAX);
        assert!(serde_json::to_string(&watch).unwrap().len() < 2_000);
    }
}
