//! The form that a goal file has: flat items and gates, templates where the domain has texts.
//!
//! The doc comments of these types are what an editor shows, because [`super::json_schema`] is
//! made of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use super::template::Template;
use crate::goal::ANSWER_WITHIN_S_MAX;
use crate::spec::{Ask, CriterionType, Effect, Lane, TIME_LIMIT_S_MAX};
use crate::{Millis, Tier};

/// A goal for `PonyBunny`, planned by a person. `{{name}}` stands for the value of the input
/// `name`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(title = "PonyBunny goal file", deny_unknown_fields)]
pub(super) struct Goal {
    /// The goal in one line of at most 200 characters.
    pub(super) title: Template,
    /// What is wanted, in your words; the title if absent.
    pub(super) description: Option<Template>,
    /// Folder to work in; a relative path is relative to the folder of this file. Without it the
    /// goal gets a new folder of its own.
    pub(super) workspace: Option<Template>,
    /// 0 to 100, higher first; 50 if absent.
    #[schemars(range(min = 0, max = 100))]
    pub(super) priority: Option<u8>,
    /// The model for everything in this goal, `provider/model`; by tier if absent.
    pub(super) model: Option<String>,
    /// Free labels.
    #[schemars(default)]
    pub(super) tags: Vec<String>,
    /// When it is to be done, such as `2026-12-24T18:00:00+01:00`: what is not then is stopped, and a person
    /// decides.
    #[schemars(rename = "deadline", default, schema_with = "moment_schema")]
    pub(super) deadline_ms: Option<Millis>,
    /// Whether you are asked when the goal can be read in more than one way; `never` has it assume, and tell.
    #[schemars(default)]
    pub(super) ask: Ask,
    /// Most questions that are asked at once; 5 if absent.
    #[schemars(range(min = 1, max = 10))]
    pub(super) max_questions: Option<u32>,
    /// How long you have to answer, such as `"30m"` or `"12h"`: after that it goes on with what the question
    /// says is assumed, and what needs your yes is not done; 24 hours if absent.
    #[schemars(default, schema_with = "answer_within_schema")]
    pub(super) answer_within: Option<TimeLimit>,
    /// Tools of which each call by an agent waits for your yes, such as `run_command`.
    #[schemars(default)]
    pub(super) approve: Vec<String>,
    /// Whether a plan that a model makes waits for your yes.
    #[schemars(default)]
    pub(super) approve_plan: bool,
    /// Most items that its agents may add together while they work, where an item says `may_add_items`; 8 if
    /// absent, none if 0.
    #[schemars(range(min = 0, max = 32))]
    pub(super) max_added_items: Option<u32>,
    /// What may be different each time the goal is run, by name. Give a value with
    /// `--set name=value`; use it as `{{name}}`, or in a shell as `"$PB_INPUT_NAME"`.
    #[schemars(default, schema_with = "inputs_schema")]
    pub(super) inputs: BTreeMap<String, Input>,
    /// What the goal may use up at most.
    #[schemars(default)]
    pub(super) budget: Budget,
    /// How you will know that the goal is reached: texts or tables.
    #[schemars(default, schema_with = "criteria_schema")]
    pub(super) success_criteria: Vec<Criterion>,
    /// The plan: work items in any order. Without items a model plans.
    #[schemars(default)]
    pub(super) items: Vec<Item>,
}

/// An input of the goal.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Input {
    /// What it is for.
    pub(super) description: Option<String>,
    /// Its value when none is given; without a default a value has to be given.
    pub(super) default: Option<String>,
    /// What kind of value it is.
    #[schemars(default, rename = "type")]
    pub(super) kind: InputType,
}

/// The kind of an input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(super) enum InputType {
    /// Used as it is.
    #[default]
    Text,
    /// A path: made absolute, relative to the folder in which the goal is run.
    Path,
}

/// What the goal may use up at most; leave a key out for no limit.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Budget {
    /// Tokens of all model calls.
    #[schemars(range(min = 1))]
    pub(super) tokens: Option<u64>,
    /// Minutes during which its steps may run.
    #[schemars(range(min = 1))]
    pub(super) time_minutes: Option<u64>,
    /// US dollars.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) cost_usd: Option<f64>,
    /// Answers of models.
    #[schemars(range(min = 1))]
    pub(super) turns: Option<u32>,
    /// Tokens of one call of a model.
    #[schemars(range(min = 1))]
    pub(super) call_tokens: Option<u64>,
    /// US dollars of one call of a model.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) call_usd: Option<f64>,
}

/// One way to tell that the goal is reached.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Criterion {
    /// The criterion, in words.
    pub(super) description: Template,
    /// Whether a program or a judgement decides it.
    #[schemars(default, rename = "type")]
    pub(super) kind: CriterionType,
    /// How it is checked, in words.
    #[schemars(default)]
    pub(super) verification_method: Template,
    /// Whether the goal fails without it; true if absent.
    pub(super) required: Option<bool>,
}

/// One work item of the plan.
#[derive(Debug, Clone, Default, JsonSchema)]
pub(super) struct Item {
    /// The item's key in this file: 1 to 64 letters, digits, `-`, `_` or `.`.
    pub(super) id: String,
    /// One line for people; the id if absent.
    pub(super) title: Option<Template>,
    /// What the item is to do.
    #[schemars(default)]
    pub(super) description: Template,
    /// Ids of the items that must be done before this one starts.
    #[schemars(default)]
    pub(super) needs: Vec<String>,
    /// The concurrency lane; `main` if absent.
    #[schemars(default)]
    pub(super) lane: Lane,
    /// How often a failed attempt is repeated; 3 if absent, but 0 for a command whose effect is
    /// `unsafe`.
    #[schemars(range(min = 0, max = 10))]
    pub(super) max_retries: Option<u32>,
    /// What is done.
    #[schemars(flatten)]
    pub(super) work: Work,
    /// What proves that the item is done. Without gates it ends `unverified`.
    #[schemars(default)]
    pub(super) gates: Vec<Gate>,
}

/// What a work item does.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(tag = "kind", rename_all = "snake_case")]
pub(super) enum Work {
    /// Runs one program; needs no model.
    Command(Command),
    /// Lets a model act with tools.
    Agent(Agent),
}

// What stands for work that could not be read.
impl Default for Work {
    fn default() -> Self {
        Self::Agent(Agent::default())
    }
}

/// Work for a model.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(inline)]
pub(super) struct Agent {
    /// What the agent is told to do.
    pub(super) prompt: Template,
    /// Names of the tools that it may use; the default set if empty.
    #[schemars(default)]
    pub(super) tools: Vec<String>,
    /// How much it asks of a model.
    #[schemars(default)]
    pub(super) tier: Tier,
    /// The model that does it, `provider/model`; the goal's, or by tier, if absent.
    pub(super) model: Option<String>,
    /// What running one of its commands twice means; `unsafe` if absent. Its file tools may be
    /// repeated in any case.
    #[schemars(default)]
    pub(super) effect: Effect,
    /// Most answers of the model in one attempt; 40 if absent.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) max_turns: Option<u32>,
    /// How long its models and tools may run, in all attempts together: `"90s"`, `"10m"`, `"2h"` or whole
    /// seconds; no limit of its own if absent.
    pub(super) time_limit: Option<TimeLimit>,
    /// How much of the goal's budget it may use, in percent; all of it if absent.
    #[schemars(range(min = 1, max = 100))]
    pub(super) budget_percent: Option<u8>,
    /// Most tokens that its calls of models may use, in all attempts together.
    #[schemars(range(min = 1))]
    pub(super) budget_tokens: Option<u64>,
    /// Most US dollars that its calls of models may cost.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) budget_usd: Option<f64>,
    /// Whether a conversation that goes nowhere is noticed, helped and in the end handed to a person; true
    /// if absent.
    pub(super) guards: Option<bool>,
    /// Tools of which each call waits for your yes, such as `run_command`, beside those of the goal.
    #[schemars(default)]
    pub(super) approve: Vec<String>,
    /// Whether it may add items to the goal while it works: they are done once it is done, and what needs it
    /// waits for them.
    #[schemars(default)]
    pub(super) may_add_items: bool,
}

/// One program to run.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(inline)]
pub(super) struct Command {
    /// Program and arguments; no shell is involved unless you name one. `{{name}}` is inserted as
    /// it is, within its argument. The text of `sh -c` is one argument, in which inserted text is
    /// not quoted: write `"$PB_INPUT_NAME"` there instead of `{{name}}`.
    #[schemars(length(min = 1))]
    pub(super) argv: Vec<Template>,
    /// Folder to run in, relative to the workspace; the workspace if absent.
    pub(super) cwd: Option<Template>,
    /// Environment variables to set; names that start with `PB_` are taken.
    #[schemars(default)]
    pub(super) env: BTreeMap<String, Template>,
    /// Longest run: `"90s"`, `"10m"`, `"2h"` or whole seconds; 10 minutes if absent.
    pub(super) time_limit: Option<TimeLimit>,
    /// What running it twice means; `unsafe` if absent.
    #[schemars(default)]
    pub(super) effect: Effect,
    /// TCP ports that it may connect to, besides 22, 80 and 443.
    #[schemars(default, inner(range(min = 1)))]
    pub(super) tcp_ports: Vec<u16>,
}

/// One check that the daemon itself runs when the item's work is done.
#[derive(Debug, Clone, JsonSchema)]
pub(super) struct Gate {
    /// A name for people; made from the check if absent.
    pub(super) name: Option<Template>,
    /// Whether the item fails without it; true if absent.
    pub(super) required: Option<bool>,
    /// Patterns of files that decide what it finds, besides its own program or script, its schema and the
    /// tests that there were. If the goal changed one of these, a person is asked.
    #[schemars(default)]
    pub(super) judges: Vec<Template>,
    /// Whether the goal may change what decides it, because writing that is its task; false if absent.
    pub(super) may_change: Option<bool>,
    /// What is checked.
    #[schemars(flatten)]
    pub(super) check: Check,
}

/// What a gate checks. Paths are relative to the workspace.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(tag = "kind", rename_all = "snake_case")]
pub(super) enum Check {
    /// A program ends with the expected exit code.
    Command {
        /// Program and arguments, as in an item: use `"$PB_INPUT_NAME"` inside `sh -c` text.
        #[schemars(length(min = 1))]
        argv: Vec<Template>,
        /// Folder to run in, relative to the workspace; the workspace if absent.
        cwd: Option<Template>,
        /// Environment variables to set; names that start with `PB_` are taken.
        #[schemars(default)]
        env: BTreeMap<String, Template>,
        /// The exit code that means "passed".
        #[schemars(default, range(min = 0, max = 255))]
        expect_exit: i32,
        /// Longest run: `"90s"`, `"10m"`, `"2h"` or whole seconds; 10 minutes if absent.
        time_limit: Option<TimeLimit>,
        /// The negative control: with this command instead of `argv` the check must not pass. If it does,
        /// the check cannot fail, and proves nothing. Both run within the time limit.
        #[schemars(default)]
        control: Vec<Template>,
    },
    /// A file exists.
    FileExists {
        /// The file.
        path: Template,
    },
    /// A file contains a text or matches a regular expression: give exactly one of the two.
    FileContains {
        /// The file.
        path: Template,
        /// The text to find.
        text: Option<Template>,
        /// The regular expression to match (Rust `regex` syntax, multi-line). The value of a
        /// `{{name}}` in it matches itself.
        regex: Option<Template>,
    },
    /// A file has the content that it had when the goal started.
    FileUnchanged {
        /// The file.
        path: Template,
    },
    /// A test run executed at least `min` tests and exited 0.
    TestsExecuted {
        /// The test command; without it the output of the item's own command is read.
        argv: Option<Vec<Template>>,
        /// Fewest tests that count as proof; 1 if absent.
        #[schemars(range(min = 1))]
        min: Option<u64>,
        /// Longest run: `"90s"`, `"10m"`, `"2h"` or whole seconds; 10 minutes if absent.
        time_limit: Option<TimeLimit>,
        /// The negative control: with this command the check must not pass. If it does, the check cannot
        /// fail, and proves nothing. Both run within the time limit.
        #[schemars(default)]
        control: Vec<Template>,
    },
    /// A file is JSON and holds against a JSON Schema: give exactly one of `schema` and `schema_path`.
    JsonSchema {
        /// The file.
        path: Template,
        /// The schema, as a table. Nothing in it stands for an input, and nothing is fetched.
        schema: Option<Map<String, Value>>,
        /// The file that holds the schema.
        schema_path: Option<Template>,
    },
    /// A server on this machine answers a GET as it should. Redirects are not followed.
    Http {
        /// `http://`, then `127.0.0.1`, `[::1]` or `localhost`.
        url: Template,
        /// The status that it answers with; 200 if absent.
        #[schemars(range(min = 200, max = 599))]
        status: Option<u16>,
        /// A text that the answer contains.
        text: Option<Template>,
        /// A regular expression that the answer matches (Rust `regex` syntax, multi-line). The value of a
        /// `{{name}}` in it matches itself.
        regex: Option<Template>,
        /// The server, which is started for the check and ended after it; without it one that runs already
        /// is asked.
        argv: Option<Vec<Template>>,
        /// How long it may take to answer: `"90s"`, `"10m"`, `"2h"` or whole seconds; 1 minute if absent.
        time_limit: Option<TimeLimit>,
    },
    /// Since the goal's start only files that match one of these patterns are new, changed or gone.
    ChangesWithin {
        /// Patterns such as `src/**`: `*` stays in its folder, `**` goes through all.
        #[schemars(length(min = 1))]
        paths: Vec<Template>,
        /// Most files that may be new, changed or gone; no limit if absent.
        #[schemars(range(min = 0, max = 4_294_967_295_i64))]
        max_files: Option<u32>,
    },
    /// No file that matches one of these patterns contains a text or matches a regular expression: give
    /// exactly one of the two.
    FilesLack {
        /// Patterns such as `src/**`: `*` stays in its folder, `**` goes through all.
        #[schemars(length(min = 1))]
        paths: Vec<Template>,
        /// The text that is not to be found.
        text: Option<Template>,
        /// The regular expression that is not to match (Rust `regex` syntax, multi-line). The value of a
        /// `{{name}}` in it matches itself.
        regex: Option<Template>,
    },
    /// A model that did not do the work looks at it, point by point. A review that is required needs a
    /// required gate of another kind beside it.
    Review {
        /// What has to be true, one point each.
        #[schemars(length(min = 1, max = 16))]
        rubric: Vec<Template>,
        /// How much it asks of a model.
        #[schemars(default)]
        tier: Tier,
        /// The model that does it, `provider/model`; by tier if absent, and another one than did the work where
        /// there is one.
        model: Option<String>,
    },
}

/// A time limit, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeLimit(pub(super) u64);

impl TimeLimit {
    /// Reads `90s`, `10m` or `2h`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let units = [("s", 1), ("m", 60), ("h", 3600)];
        let (digits, seconds) = units.iter().find_map(|(unit, s)| Some((text.strip_suffix(unit)?, *s)))?;
        if !digits.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        digits.parse::<u64>().ok()?.checked_mul(seconds).map(Self)
    }
}

impl JsonSchema for TimeLimit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeLimit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        seconds_schema(TIME_LIMIT_S_MAX)
    }
}

fn answer_within_schema(_: &mut SchemaGenerator) -> Schema {
    seconds_schema(ANSWER_WITHIN_S_MAX)
}

fn seconds_schema(max: u64) -> Schema {
    json_schema!({
        "anyOf": [
            { "type": "string", "pattern": "^[0-9]+[smh]$" },
            { "type": "integer", "minimum": 1, "maximum": max },
        ]
    })
}

fn moment_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

fn inputs_schema(generator: &mut SchemaGenerator) -> Schema {
    let input = generator.subschema_for::<Input>();
    json_schema!({
        "type": "object",
        "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_-]*$" },
        "additionalProperties": {
            "anyOf": [{ "type": "string", "description": "The default of a text input." }, input]
        }
    })
}

fn criteria_schema(generator: &mut SchemaGenerator) -> Schema {
    let criterion = generator.subschema_for::<Criterion>();
    json_schema!({
        "type": "array",
        "items": { "anyOf": [{ "type": "string", "description": "The criterion, in words." }, criterion] }
    })
}
