//! What a person asks for: a goal, its work items and their gates.
//!
//! The same types are the parameters of `goal.submit` (`wire.md` §2.6) and the result of reading
//! a goal file ([`crate::goal_file`]). [`GoalSpec::validate`] is run wherever one enters.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan;

/// Longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 200;
/// Longest description of a goal or item, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 16 * 1024;
/// Most work items in one goal.
pub const ITEMS_MAX: usize = 200;
/// Most gates on one work item.
pub const GATES_MAX: usize = 32;
/// Most arguments of one command.
pub const ARGV_MAX: usize = 1024;
/// Longest command line (all arguments together), in bytes.
pub const ARGV_BYTES_MAX: usize = 128 * 1024;
/// Most environment variables that one command sets.
pub const ENV_MAX: usize = 128;
/// Highest `max_retries`.
pub const RETRIES_MAX: u32 = 10;
/// Retries of a pure or idempotent item that does not say how many (`wire.md` §4.1).
pub const RETRIES_DEFAULT: u32 = 3;
/// Time limit of a command that names none, in seconds.
pub const TIME_LIMIT_S_DEFAULT: u64 = 600;
/// Longest time limit of a command, in seconds (a day).
pub const TIME_LIMIT_S_MAX: u64 = 24 * 3600;
/// Priority of a goal that names none; 0 to 100, higher first.
pub const PRIORITY_DEFAULT: u8 = 50;

/// A goal as asked for. Unknown keys are ignored, as the first gateway did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoalSpec {
    /// One line, at most [`TITLE_CHARS_MAX`] characters.
    pub title: String,
    /// What is wanted, in the person's words; at most [`DESCRIPTION_BYTES_MAX`] bytes.
    pub description: String,
    /// How the person will know; an empty list gets one default criterion at intake.
    #[serde(default)]
    pub success_criteria: Vec<SuccessCriterion>,
    /// 0 to 100, higher first.
    #[serde(default = "default_priority")]
    pub priority: u8,
    /// Most tokens that model calls of this goal may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_tokens: Option<u64>,
    /// Most minutes during which steps of this goal may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_time_minutes: Option<u64>,
    /// Most money that this goal may spend, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_cost_usd: Option<f64>,
    /// Free labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Absolute path of the folder to work in; a new folder under `$PB_HOME/workspaces` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The inputs that the goal file was resolved with; commands see them as `PB_INPUT_<NAME>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, String>,
    /// The plan, when the person made it; empty means that a model has to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemSpec>,
}

fn default_priority() -> u8 {
    PRIORITY_DEFAULT
}

/// One way to tell that the goal is reached (`wire.md` §4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuccessCriterion {
    /// The criterion, in words.
    pub description: String,
    /// Whether a program or a judgement decides it.
    #[serde(default, rename = "type")]
    pub criterion_type: CriterionType,
    /// How it is checked, in words.
    #[serde(default)]
    pub verification_method: String,
    /// Whether the goal fails without it.
    #[serde(default = "yes")]
    pub required: bool,
}

/// Who decides a criterion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CriterionType {
    /// A program decides.
    #[default]
    Deterministic,
    /// A judgement decides.
    Heuristic,
}

fn yes() -> bool {
    true
}

/// One work item of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemSpec {
    /// The item's key in its plan: letters, digits, `-`, `_`; unique in the goal.
    pub id: String,
    /// One line for people; the key if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the item is to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Keys of the items that must be done before this one starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// The concurrency lane.
    #[serde(default)]
    pub lane: Lane,
    /// How often a failed attempt is repeated. If absent, [`RETRIES_DEFAULT`] for pure and
    /// idempotent items and 0 for unsafe ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
    /// What is done.
    pub work: Work,
    /// What proves that it is done. Without gates an item ends `unverified`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<GateSpec>,
}

impl ItemSpec {
    /// How often a failed attempt is repeated, with the default filled in.
    pub fn retries(&self) -> u32 {
        match (self.max_retries, self.effect()) {
            (Some(retries), _) => retries,
            (None, Effect::Unsafe) => 0,
            (None, Effect::Pure | Effect::Idempotent) => RETRIES_DEFAULT,
        }
    }

    /// What repeating the item's work means. An agent journals its own steps, so it may be repeated.
    pub fn effect(&self) -> Effect {
        match &self.work {
            Work::Command(command) => command.effect,
            Work::Agent(_) => Effect::Idempotent,
        }
    }
}

/// Bounds how many items run at once (`wire.md` §5.3).
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// The ordinary lane.
    #[default]
    Main,
    /// Delegated, parallel work.
    Subagent,
    /// Scheduled work.
    Cron,
    /// Interactive or long-running work.
    Session,
}

impl Lane {
    /// Every lane, in order.
    pub const ALL: [Self; 4] = [Self::Main, Self::Subagent, Self::Cron, Self::Session];

    /// Most items of all goals that run in this lane at once.
    pub fn capacity(self) -> usize {
        match self {
            Self::Main => 8,
            Self::Subagent => 3,
            Self::Cron => 2,
            Self::Session => 1,
        }
    }

    /// The lane's name on the wire (`laneId`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Subagent => "subagent",
            Self::Cron => "cron",
            Self::Session => "session",
        }
    }
}

/// What a work item does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Runs one program; needs no model.
    Command(CommandSpec),
    /// Lets a model act with tools.
    Agent(AgentSpec),
}

/// One program to run: no shell is involved unless `argv` names one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandSpec {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Folder to run in, relative to the workspace; the workspace if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Variables set on top of the fixed list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Longest run, in seconds; [`TIME_LIMIT_S_DEFAULT`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_s: Option<u64>,
    /// What running it twice means.
    #[serde(default)]
    pub effect: Effect,
    /// TCP ports it may connect to, besides 22, 80 and 443; never our own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tcp_ports: Vec<u16>,
}

impl CommandSpec {
    /// Longest run, in milliseconds.
    pub fn time_limit_ms(&self) -> u64 {
        self.time_limit_s.unwrap_or(TIME_LIMIT_S_DEFAULT) * 1000
    }
}

/// What repeating an effect means (`durability.md` §4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing outside; may be repeated freely.
    Pure,
    /// Repeating it leaves the same state; may be repeated and says so.
    Idempotent,
    /// Must not be repeated unless its outcome is known.
    #[default]
    Unsafe,
}

impl Effect {
    /// The word used in goal files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pure => "pure",
            Self::Idempotent => "idempotent",
            Self::Unsafe => "unsafe",
        }
    }
}

/// Work for a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentSpec {
    /// What the agent is told to do.
    pub prompt: String,
    /// Names of the tools that it may use; the default set if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
}

/// One gate: a check that the daemon itself runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateSpec {
    /// A name for people; derived from the check if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the item fails without it; a failed optional gate leaves the verdict `partial`.
    #[serde(default = "yes")]
    pub required: bool,
    /// What is checked.
    #[serde(flatten)]
    pub check: Check,
}

impl GateSpec {
    /// The name shown to people.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.check.to_string())
    }
}

/// What a gate checks. Paths are relative to the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Check {
    /// A program ends with the declared exit code.
    Command(GateCommand),
    /// A file exists.
    FileExists {
        /// The file.
        path: String,
    },
    /// A file contains a text or matches a regular expression; exactly one of the two is given.
    FileContains {
        /// The file.
        path: String,
        /// The text to find.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The regular expression to match (Rust `regex` syntax, multi-line).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        regex: Option<String>,
    },
    /// A file has the content that it had when the goal started.
    FileUnchanged {
        /// The file.
        path: String,
    },
    /// A test run executed at least `min` tests and exited 0. Without `argv` the output of the
    /// item's own command is read.
    TestsExecuted {
        /// The test command; the item's own if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        argv: Option<Vec<String>>,
        /// Fewest tests that count as proof; at least 1.
        #[serde(default = "one")]
        min: u64,
        /// Longest run, in seconds; [`TIME_LIMIT_S_DEFAULT`] if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_limit_s: Option<u64>,
    },
}

fn one() -> u64 {
    1
}

impl Check {
    /// The check's kind, as goal files and the wire name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::FileExists { .. } => "file_exists",
            Self::FileContains { .. } => "file_contains",
            Self::FileUnchanged { .. } => "file_unchanged",
            Self::TestsExecuted { .. } => "tests_executed",
        }
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command(gate) => {
                write!(f, "`{}` exits {}", gate.argv.join(" "), gate.expect_exit)
            }
            Self::FileExists { path } => write!(f, "{path} exists"),
            Self::FileContains {
                path,
                text: Some(text),
                ..
            } => write!(f, "{path} contains {text:?}"),
            Self::FileContains { path, regex, .. } => {
                write!(
                    f,
                    "{path} matches /{}/",
                    regex.as_deref().unwrap_or_default()
                )
            }
            Self::FileUnchanged { path } => write!(f, "{path} is unchanged"),
            Self::TestsExecuted {
                argv: Some(argv),
                min,
                ..
            } => {
                write!(f, "`{}` runs at least {min} test(s)", argv.join(" "))
            }
            Self::TestsExecuted { min, .. } => write!(f, "at least {min} test(s) ran"),
        }
    }
}

/// The program of a command gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateCommand {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Folder to run in, relative to the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Variables set on top of the fixed list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The exit code that means "passed". A gate that must exit 1 declares it.
    #[serde(default)]
    pub expect_exit: i32,
    /// Longest run, in seconds; [`TIME_LIMIT_S_DEFAULT`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_s: Option<u64>,
}

/// One thing wrong with a specification: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Invalid {
    /// Path of the offending value, such as `items[2].needs[0]`.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Invalid {
    /// A problem at a place, without a hint.
    pub fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            problem: problem.into(),
            hint: None,
        }
    }

    /// The same problem with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl GoalSpec {
    /// Checks everything that can be checked without looking at the machine.
    ///
    /// # Errors
    /// The first problem found, in reading order.
    pub fn validate(&self) -> Result<(), Invalid> {
        check_title("title", &self.title)?;
        check_description("description", &self.description)?;
        if self.priority > 100 {
            return Err(Invalid::new(
                "priority",
                format!("{} is above 100", self.priority),
            ));
        }
        for (place, given) in [
            ("budget_tokens", self.budget_tokens.map(|n| n > 0)),
            (
                "budget_time_minutes",
                self.budget_time_minutes.map(|n| n > 0),
            ),
            (
                "budget_cost_usd",
                self.budget_cost_usd.map(|n| n.is_finite() && n > 0.0),
            ),
        ] {
            if given == Some(false) {
                return Err(
                    Invalid::new(place, "a budget is above zero").hint("leave it out for no limit")
                );
            }
        }
        if self.items.len() > ITEMS_MAX {
            let problem = format!(
                "{} items, at most {ITEMS_MAX} are allowed",
                self.items.len()
            );
            return Err(Invalid::new("items", problem).hint("split the goal"));
        }
        for (index, item) in self.items.iter().enumerate() {
            item.validate(&format!("items[{index}]"))?;
        }
        plan::order(&self.items).map(|_| ())
    }
}

impl ItemSpec {
    fn validate(&self, place: &str) -> Result<(), Invalid> {
        check_key(&format!("{place}.id"), &self.id)?;
        if let Some(title) = &self.title {
            check_title(&format!("{place}.title"), title)?;
        }
        check_description(&format!("{place}.description"), &self.description)?;
        if self.max_retries > Some(RETRIES_MAX) {
            let problem = format!("at most {RETRIES_MAX} retries are allowed");
            return Err(Invalid::new(format!("{place}.max_retries"), problem));
        }
        match &self.work {
            Work::Command(command) => {
                check_argv(&format!("{place}.argv"), &command.argv)?;
                check_relative(&format!("{place}.cwd"), command.cwd.as_deref())?;
                check_env(&format!("{place}.env"), &command.env)?;
                check_time_limit(&format!("{place}.time_limit"), command.time_limit_s)?;
            }
            Work::Agent(agent) if agent.prompt.trim().is_empty() => {
                return Err(Invalid::new(
                    format!("{place}.prompt"),
                    "an agent item needs a prompt",
                ));
            }
            Work::Agent(_) => {}
        }
        if self.gates.len() > GATES_MAX {
            return Err(Invalid::new(
                format!("{place}.gates"),
                format!("at most {GATES_MAX} gates are allowed"),
            ));
        }
        for (index, gate) in self.gates.iter().enumerate() {
            gate.validate(&format!("{place}.gates[{index}]"), &self.work)?;
        }
        Ok(())
    }
}

impl GateSpec {
    fn validate(&self, place: &str, work: &Work) -> Result<(), Invalid> {
        let path_place = format!("{place}.path");
        match &self.check {
            Check::Command(gate) => {
                check_argv(&format!("{place}.argv"), &gate.argv)?;
                check_relative(&format!("{place}.cwd"), gate.cwd.as_deref())?;
                check_env(&format!("{place}.env"), &gate.env)?;
                check_time_limit(&format!("{place}.time_limit"), gate.time_limit_s)
            }
            Check::FileExists { path } | Check::FileUnchanged { path } => {
                check_relative(&path_place, Some(path))
            }
            Check::FileContains { path, text, regex } => {
                check_relative(&path_place, Some(path))?;
                match (text, regex) {
                    (Some(text), None) if text.is_empty() => Err(Invalid::new(
                        format!("{place}.text"),
                        "an empty text is in every file",
                    )),
                    (Some(_), None) => Ok(()),
                    (None, Some(pattern)) => check_regex(&format!("{place}.regex"), pattern),
                    (Some(_), Some(_)) | (None, None) => Err(Invalid::new(
                        place,
                        "file_contains needs either `text` or `regex`",
                    )),
                }
            }
            Check::TestsExecuted {
                argv,
                min,
                time_limit_s,
            } => {
                if *min == 0 {
                    return Err(
                        Invalid::new(format!("{place}.min"), "zero tests prove nothing")
                            .hint("leave `min` out; it is 1"),
                    );
                }
                check_time_limit(&format!("{place}.time_limit"), *time_limit_s)?;
                match (argv, work) {
                    (Some(argv), _) => check_argv(&format!("{place}.argv"), argv),
                    (None, Work::Command(_)) => Ok(()),
                    (None, Work::Agent(_)) => Err(Invalid::new(
                        format!("{place}.argv"),
                        "an agent item has no output to read: name the test command",
                    )),
                }
            }
        }
    }
}

fn check_title(place: &str, title: &str) -> Result<(), Invalid> {
    if title.trim().is_empty() {
        return Err(Invalid::new(place, "a title is not empty"));
    }
    if title.chars().count() > TITLE_CHARS_MAX {
        return Err(
            Invalid::new(place, format!("longer than {TITLE_CHARS_MAX} characters"))
                .hint("put the details into `description`"),
        );
    }
    if title.chars().any(char::is_control) {
        return Err(Invalid::new(
            place,
            "a title is one line without control characters",
        ));
    }
    Ok(())
}

fn check_description(place: &str, text: &str) -> Result<(), Invalid> {
    if text.len() > DESCRIPTION_BYTES_MAX {
        return Err(
            Invalid::new(place, format!("longer than {DESCRIPTION_BYTES_MAX} bytes"))
                .hint("put the material into a file of the workspace and name it"),
        );
    }
    Ok(())
}

fn check_key(place: &str, key: &str) -> Result<(), Invalid> {
    let fits = key
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if key.is_empty() || key.len() > 64 || !fits {
        return Err(Invalid::new(place, format!("`{key}` is not an item id"))
            .hint("1 to 64 letters, digits, `-`, `_` or `.`"));
    }
    Ok(())
}

fn check_argv(place: &str, argv: &[String]) -> Result<(), Invalid> {
    if argv.first().is_none_or(|program| program.trim().is_empty()) {
        return Err(
            Invalid::new(place, "names no program").hint("argv = [\"program\", \"argument\"]")
        );
    }
    if argv.len() > ARGV_MAX || argv.iter().map(String::len).sum::<usize>() > ARGV_BYTES_MAX {
        return Err(Invalid::new(
            place,
            format!("more than {ARGV_MAX} arguments or {ARGV_BYTES_MAX} bytes"),
        ));
    }
    if argv.iter().any(|argument| argument.contains('\0')) {
        return Err(Invalid::new(place, "an argument contains a NUL byte"));
    }
    Ok(())
}

fn check_env(place: &str, env: &BTreeMap<String, String>) -> Result<(), Invalid> {
    if env.len() > ENV_MAX {
        return Err(Invalid::new(
            place,
            format!("more than {ENV_MAX} variables"),
        ));
    }
    for (name, value) in env {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(Invalid::new(
                place,
                format!("`{name}` is not an environment variable"),
            ));
        }
        if name.starts_with("PB_") {
            return Err(Invalid::new(
                place,
                format!("`{name}`: names that start with PB_ are ours"),
            ));
        }
    }
    Ok(())
}

fn check_time_limit(place: &str, seconds: Option<u64>) -> Result<(), Invalid> {
    match seconds {
        Some(0) => Err(Invalid::new(place, "a time limit is above zero")),
        Some(s) if s > TIME_LIMIT_S_MAX => Err(Invalid::new(
            place,
            format!("longer than {TIME_LIMIT_S_MAX} s"),
        )),
        Some(_) | None => Ok(()),
    }
}

fn check_relative(place: &str, path: Option<&str>) -> Result<(), Invalid> {
    use std::path::{Component, Path};
    let Some(path) = path else { return Ok(()) };
    if path.is_empty() || path.contains('\0') {
        return Err(Invalid::new(
            place,
            "a path is not empty and has no NUL byte",
        ));
    }
    let stays = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if stays {
        Ok(())
    } else {
        Err(
            Invalid::new(place, format!("`{path}` leaves the workspace"))
                .hint("paths are relative to the workspace and without `..`"),
        )
    }
}

fn check_regex(place: &str, pattern: &str) -> Result<(), Invalid> {
    match regex::Regex::new(pattern) {
        Ok(_) => Ok(()),
        Err(error) => Err(Invalid::new(
            place,
            format!("not a regular expression: {error}"),
        )),
    }
}
