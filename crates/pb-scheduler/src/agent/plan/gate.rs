//! The gates of a plan that a model hands in.

use pb_model::spec::{Check, GateCommand, GateHttp, GateSpec, HTTP_STATUS_DEFAULT};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Problems;

/// Ends of a line for a shell that make it succeed whatever was before.
const NEVER_FAILS: [&str; 6] = ["|| true", "||true", "|| :", "|| exit 0", "; true", "; exit 0"];

/// One check. Keys of other kinds are left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DraftGate {
    /// Which check. Keys of other kinds are left out.
    kind: DraftCheck,
    /// One line for people.
    #[serde(default)]
    name: Option<String>,
    /// Of the kinds that begin with `file_`, and of `json_schema`: the file, relative to the workspace.
    #[serde(default)]
    path: Option<String>,
    /// Of `file_contains`: the text to find; of `http`: one that the answer contains; of `files_lack`: one that
    /// is not to be found.
    #[serde(default)]
    text: Option<String>,
    /// Instead of `text`: the regular expression.
    #[serde(default)]
    regex: Option<String>,
    /// Of `command` and `tests_executed`: the program and its arguments; of `http`: the server, which is
    /// started for the check and ended after it.
    #[serde(default)]
    argv: Vec<String>,
    /// Of `command`: the exit code that means "passed"; 0 if left out.
    #[serde(default)]
    expect_exit: Option<i32>,
    /// Of `tests_executed`: fewest tests that count; 1 if left out.
    #[serde(default)]
    min: Option<u64>,
    /// Of `command` and `tests_executed`: a command with which the same check must not pass.
    #[serde(default)]
    control: Vec<String>,
    /// Of `json_schema`: the JSON Schema, as JSON in a text.
    #[serde(default, deserialize_with = "text_or_object")]
    #[schemars(with = "Option<String>")]
    schema: Option<Map<String, Value>>,
    /// Of `json_schema`, instead of `schema`: the file that holds it.
    #[serde(default)]
    schema_path: Option<String>,
    /// Of `http`: what is asked by a GET, such as `http://127.0.0.1:8000/`; only servers on this machine.
    #[serde(default)]
    url: Option<String>,
    /// Of `http`: the status of the answer; 200 if left out.
    #[serde(default)]
    status: Option<u16>,
    /// Of `changes_within` and `files_lack`: patterns of files such as `src/**`.
    #[serde(default)]
    paths: Vec<String>,
    /// Of `changes_within`: most files that may be new, changed or gone.
    #[serde(default)]
    max_files: Option<u32>,
    /// Patterns of files that decide what it finds, besides its own script and the tests that there are.
    #[serde(default)]
    judges: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DraftCheck {
    FileExists,
    FileContains,
    FileUnchanged,
    Command,
    TestsExecuted,
    JsonSchema,
    Http,
    ChangesWithin,
    FilesLack,
}

use DraftCheck::{
    ChangesWithin, Command, FileContains, FileExists, FileUnchanged, FilesLack, Http, JsonSchema as Schema,
    TestsExecuted,
};

impl DraftGate {
    /// Keys of other kinds that say something, each with the kinds that it is for. The model believes that
    /// they are checked.
    fn strange_keys(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let says = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let of_files = "the kinds that begin with `file_`, and `json_schema`";
        let of_patterns = "`file_contains`, `http` and `files_lack`";
        let of_commands = "`command` and `tests_executed`";
        let with_patterns: &[DraftCheck] = &[FileContains, Http, FilesLack];
        let keys: [(&str, &str, &[DraftCheck], bool); 13] = [
            ("path", of_files, &[FileExists, FileUnchanged, FileContains, Schema], says(&self.path)),
            ("text", of_patterns, with_patterns, says(&self.text)),
            ("regex", of_patterns, with_patterns, says(&self.regex)),
            (
                "argv",
                "`command`, `tests_executed` and `http`",
                &[Command, TestsExecuted, Http],
                !self.argv.is_empty(),
            ),
            ("expect_exit", "`command`", &[Command], self.expect_exit.is_some_and(|code| code != 0)),
            ("min", "`tests_executed`", &[TestsExecuted], self.min.is_some_and(|min| min > 1)),
            ("control", of_commands, &[Command, TestsExecuted], !self.control.is_empty()),
            ("schema", "`json_schema`", &[Schema], self.schema.is_some()),
            ("schema_path", "`json_schema`", &[Schema], says(&self.schema_path)),
            ("url", "`http`", &[Http], says(&self.url)),
            ("status", "`http`", &[Http], self.status.is_some_and(|status| status != HTTP_STATUS_DEFAULT)),
            (
                "paths",
                "`changes_within` and `files_lack`",
                &[ChangesWithin, FilesLack],
                !self.paths.is_empty(),
            ),
            ("max_files", "`changes_within`", &[ChangesWithin], self.max_files.is_some()),
        ];
        let kind = self.kind;
        keys.into_iter()
            .filter(move |(_, _, known, is_there)| *is_there && !known.contains(&kind))
            .map(|(key, kinds, ..)| (key, kinds))
    }
}

pub(super) fn gate(draft: DraftGate, place: &str, problems: &mut Problems) -> GateSpec {
    for (key, kinds) in draft.strange_keys() {
        problems
            .add(place, &format!("this kind has no `{key}`, so it would not be checked; it is for {kinds}"));
    }
    let line = draft.argv.last().map(|line| line.trim()).unwrap_or_default();
    if let Some(end) = NEVER_FAILS.iter().find(|end| line.ends_with(**end)) {
        problems.add(place, &format!("it ends with `{end}`, so it cannot fail and proves nothing"));
    }
    if draft.kind == Http && draft.argv.is_empty() {
        problems
            .add(place, "`http` needs an `argv`: the server that it asks, which is started for the check");
    }
    GateSpec {
        judges: draft.judges.clone(),
        may_change: false,
        name: draft.name.clone(),
        required: true,
        check: check(draft, place, problems),
    }
}

fn check(draft: DraftGate, place: &str, problems: &mut Problems) -> Check {
    let mut path = || {
        if draft.path.is_none() {
            problems.add(place, "this kind needs a `path`");
        }
        draft.path.clone().unwrap_or_else(|| ".".to_owned())
    };
    match draft.kind {
        FileExists => Check::FileExists { path: path() },
        FileUnchanged => Check::FileUnchanged { path: path() },
        FileContains => Check::FileContains { path: path(), text: draft.text, regex: draft.regex },
        Command => Check::Command(GateCommand {
            argv: draft.argv,
            cwd: None,
            env: std::collections::BTreeMap::new(),
            expect_exit: draft.expect_exit.unwrap_or(0),
            time_limit_s: None,
            control: draft.control,
        }),
        TestsExecuted => Check::TestsExecuted {
            argv: (!draft.argv.is_empty()).then_some(draft.argv),
            min: draft.min.unwrap_or(1),
            time_limit_s: None,
            control: draft.control,
        },
        Schema => Check::JsonSchema { path: path(), schema: draft.schema, schema_path: draft.schema_path },
        Http => Check::Http(GateHttp {
            url: draft.url.unwrap_or_default(),
            status: draft.status.unwrap_or(HTTP_STATUS_DEFAULT),
            text: draft.text,
            regex: draft.regex,
            argv: (!draft.argv.is_empty()).then_some(draft.argv),
            time_limit_s: None,
        }),
        ChangesWithin => Check::ChangesWithin { paths: draft.paths, max_files: draft.max_files },
        FilesLack => Check::FilesLack { paths: draft.paths, text: draft.text, regex: draft.regex },
    }
}

/// A schema as JSON in a text, as the model is asked for it, or as the object itself.
fn text_or_object<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Map<String, Value>>, D::Error> {
    let object = match Option::<Value>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => serde_json::from_str(&text),
        Some(value) => serde_json::from_value(value),
    };
    object.map(Some).map_err(|error| serde::de::Error::custom(format!("not a JSON Schema: {error}")))
}
