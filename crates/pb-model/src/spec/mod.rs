//! What a person asks for: a goal, its work items and their gates.
//!
//! The same types are the parameters of `goal.submit` (`wire.md` §2.6) and the result of reading
//! a goal file ([`crate::goal_file`]). [`GoalSpec::validate`] is run wherever one enters.

mod gate;
mod gate_wire;
mod globs;
mod limits;
mod loopback;
mod rules;
mod schema;
mod validate;
mod validate_gate;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::goal::Usd;
use crate::{Millis, Tier};

pub use gate::{Check, GateCommand, GateHttp, GateSpec};
pub use globs::Globs;
pub use limits::*;
pub use loopback::LoopbackUrl;
pub use rules::is_input_name;
pub(crate) use rules::{check_input_name, check_input_value};
pub use schema::schema_problems;
pub use validate::Invalid;

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
    /// Most tokens that one call of a model may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_call_tokens: Option<u64>,
    /// Most money that one call of a model may cost, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_call_usd: Option<f64>,
    /// When it is to be done, in milliseconds since 1970: what is not then is stopped, and a person
    /// decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<Millis>,
    /// Most answers of models that this goal may ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_turns: Option<u32>,
    /// The model for everything in this goal, `provider/model`; by tier if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether it ends when its plan stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plan_only: bool,
    /// Whether a person is asked when the goal can be read in more than one way.
    #[serde(default, skip_serializing_if = "Ask::is_default")]
    pub ask: Ask,
    /// Most questions that are asked at once; [`QUESTIONS_DEFAULT`](crate::goal::QUESTIONS_DEFAULT) if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_questions: Option<u32>,
    /// How long a person has to answer, in seconds, before what was declared with the question is taken;
    /// [`ANSWER_WITHIN_S_DEFAULT`](crate::goal::ANSWER_WITHIN_S_DEFAULT) if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_within_s: Option<u64>,
    /// Tools of which each call by an agent waits for a person's yes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approve: Vec<String>,
    /// Whether a plan that a model made waits for a person's yes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approve_plan: bool,
    /// Most items that its agents may add together; [`ADDED_ITEMS_DEFAULT`](crate::goal::ADDED_ITEMS_DEFAULT) if
    /// absent, none if 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_added_items: Option<u32>,
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

impl GoalSpec {
    /// A goal in words, with nothing else said about it.
    pub fn in_words(title: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            description: description.into(),
            success_criteria: Vec::new(),
            priority: PRIORITY_DEFAULT,
            budget_tokens: None,
            budget_time_minutes: None,
            budget_cost_usd: None,
            budget_call_tokens: None,
            budget_call_usd: None,
            deadline_ms: None,
            budget_turns: None,
            model: None,
            plan_only: false,
            ask: Ask::default(),
            max_questions: None,
            answer_within_s: None,
            approve: Vec::new(),
            approve_plan: false,
            max_added_items: None,
            tags: Vec::new(),
            workspace: None,
            inputs: BTreeMap::new(),
            items: Vec::new(),
        }
    }
}

/// Whether a person is asked when the goal can be read in more than one way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Only when the answer changes the plan.
    #[default]
    Unclear,
    /// Never: what is unclear is assumed, and told.
    Never,
}

impl Ask {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Unclear, Self::Never];

    /// The word in goal files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unclear => "unclear",
            Self::Never => "never",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One way to tell that the goal is reached (`wire.md` §4.1). The first clients add keys of their own, such as `id`, which
/// are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SuccessCriterion {
    /// The criterion, in words.
    pub description: String,
    /// Whether a program or a judgement decides it.
    #[serde(default, rename = "type")]
    pub criterion_type: CriterionType,
    /// How it is checked, in words. The first web page calls it `verification`.
    #[serde(default, alias = "verification")]
    pub verification_method: String,
    /// Whether the goal fails without it.
    #[serde(default = "yes")]
    pub required: bool,
}

impl SuccessCriterion {
    /// A criterion in words, which a judgement decides.
    pub fn of_words(words: impl Into<String>) -> Self {
        Self {
            description: words.into(),
            criterion_type: CriterionType::Heuristic,
            verification_method: String::new(),
            required: true,
        }
    }

    /// The criterion of a goal that names none.
    pub fn of_a_goal_without() -> Self {
        Self {
            description: "All work items completed successfully".to_owned(),
            criterion_type: CriterionType::Deterministic,
            verification_method: "status_check".to_owned(),
            required: true,
        }
    }
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
    /// The item's key in its plan: 1 to 64 letters, digits, `-`, `_`, `.`; unique in the goal.
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

    /// What repeating the item's work as a whole means. An agent journals each of its calls, and these
    /// have effects of their own; so another attempt at the item may be made.
    pub fn effect(&self) -> Effect {
        match &self.work {
            Work::Command(command) => command.effect,
            Work::Agent(_) => Effect::Idempotent,
        }
    }
}

/// Bounds how many items run at once (`wire.md` §5.3).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
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

    /// Most items of all goals that run in this lane at once, unless `[lanes]` in config.toml says otherwise.
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
    /// How much it asks of a model.
    #[serde(default)]
    pub tier: Tier,
    /// The model that does it, `provider/model`; the goal's, or by tier, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What repeating one of its commands means; its file tools are idempotent in any case.
    #[serde(default)]
    pub effect: Effect,
    /// Most answers of the model in one attempt; [`TURNS_DEFAULT`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<u32>,
    /// How long its models and tools may run, in all attempts together, in seconds; no limit of its own if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_s: Option<u64>,
    /// How much of the goal's budget it may use, in percent; all of it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_percent: Option<u8>,
    /// Most tokens that its calls of models may use, in all attempts together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_tokens: Option<u64>,
    /// Most money that its calls of models may cost, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<Usd>,
    /// Whether a conversation that goes nowhere is noticed: repetitions, cycles, no progress, empty
    /// answers.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub guards: bool,
    /// Tools of which each call waits for a person's yes, beside those of the goal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approve: Vec<String>,
    /// Whether it may add items to the goal while it works.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_add_items: bool,
}

impl AgentSpec {
    /// Most answers of the model in one attempt.
    pub fn turns(&self) -> u32 {
        self.max_turns.unwrap_or(TURNS_DEFAULT)
    }
}

/// The environment variable in which commands see an input: `PB_INPUT_REPO` for `repo`.
pub fn input_variable(name: &str) -> String {
    format!("PB_INPUT_{}", name.to_ascii_uppercase().replace('-', "_"))
}
