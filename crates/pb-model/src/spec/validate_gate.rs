//! Checks everything about a gate that can be checked without looking at the machine.

use serde_json::{Map, Value};

use super::rules::{
    check_argv, check_env, check_label, check_list, check_regex, check_relative, check_text,
    check_time_limit, filled,
};
use super::schema::check_schema;
use super::validate::check_model;
use super::{
    Check, EXIT_CODE_MAX, GATE_NAME_CHARS_MAX, GATE_PATHS_MAX, GATE_SCHEMA_BYTES_MAX, GATE_TEXT_BYTES_MAX,
    GateCommand, GateHttp, GateSpec, Globs, Invalid, LoopbackUrl, PATH_BYTES_MAX, RUBRIC_BYTES_MAX,
    RUBRIC_MAX, Work,
};

impl GateSpec {
    pub(super) fn validate(&self, place: &str, work: &Work) -> Result<(), Invalid> {
        if let Some(name) = &self.name {
            check_label(&format!("{place}.name"), name, GATE_NAME_CHARS_MAX)?;
        }
        check_globs(&format!("{place}.judges"), &self.judges)?;
        match &self.check {
            Check::Command(gate) => gate.validate(place),
            Check::FileExists { path } | Check::FileUnchanged { path } => {
                check_relative(&format!("{place}.path"), Some(path))
            }
            Check::FileContains { path, text, regex } => {
                check_relative(&format!("{place}.path"), Some(path))?;
                check_pattern((place, "file_contains"), text.as_deref(), regex.as_deref())
            }
            Check::TestsExecuted { argv, min, time_limit_s, control } => {
                check_tests(place, argv.as_deref(), (*min, *time_limit_s), control, work)
            }
            Check::JsonSchema { path, schema, schema_path } => {
                check_relative(&format!("{place}.path"), Some(path))?;
                check_relative(&format!("{place}.schema_path"), schema_path.as_deref())?;
                check_json_schema(place, schema.as_ref(), schema_path.is_some())
            }
            Check::Http(gate) => gate.validate(place),
            Check::ChangesWithin { paths, .. } => {
                filled_list(place, paths)?;
                check_globs(&format!("{place}.paths"), paths)
            }
            Check::FilesLack { paths, text, regex } => {
                filled_list(place, paths)?;
                check_globs(&format!("{place}.paths"), paths)?;
                check_pattern((place, "files_lack"), text.as_deref(), regex.as_deref())
            }
            Check::Review { rubric, model, .. } => {
                filled_rubric(place, rubric)?;
                check_model(&format!("{place}.model"), model.as_deref())
            }
        }
    }
}

fn filled_rubric(place: &str, rubric: &[String]) -> Result<(), Invalid> {
    let at = format!("{place}.rubric");
    if rubric.is_empty() {
        return Err(
            Invalid::new(at, "a review without a point finds nothing").hint("say what has to be true")
        );
    }
    check_list(&at, rubric.len(), RUBRIC_MAX)?;
    for (n, point) in rubric.iter().enumerate() {
        let at = format!("{at}[{n}]");
        filled(&at, point, "a point is not empty")?;
        check_text(&at, point, RUBRIC_BYTES_MAX)?;
    }
    Ok(())
}

/// A model's word is never enough: a required review stands beside a required gate that a program decides.
pub(super) fn check_reviews(place: &str, gates: &[GateSpec]) -> Result<(), Invalid> {
    let reviewed = gates.iter().position(|gate| gate.required && gate.check.is_review());
    let decided = gates.iter().any(|gate| gate.required && !gate.check.is_review());
    match reviewed {
        Some(n) if !decided => {
            let problem = "a review that is required needs a required gate of another kind beside it";
            Err(Invalid::new(format!("{place}.gates[{n}]"), problem)
                .hint("add a gate that a program decides, or `required = false`"))
        }
        _ => Ok(()),
    }
}

impl GateCommand {
    fn validate(&self, place: &str) -> Result<(), Invalid> {
        check_argv(&format!("{place}.argv"), &self.argv)?;
        check_relative(&format!("{place}.cwd"), self.cwd.as_deref())?;
        check_env(&format!("{place}.env"), &self.env)?;
        if !(0..=EXIT_CODE_MAX).contains(&self.expect_exit) {
            let problem = format!("{} is not an exit code", self.expect_exit);
            return Err(Invalid::new(format!("{place}.expect_exit"), problem)
                .hint(format!("a program ends with 0 to {EXIT_CODE_MAX}")));
        }
        check_time_limit(&format!("{place}.time_limit"), self.time_limit_s)?;
        check_control(place, &self.control, Some(&self.argv))
    }
}

impl GateHttp {
    fn validate(&self, place: &str) -> Result<(), Invalid> {
        let url = format!("{place}.url");
        check_text(&url, &self.url, PATH_BYTES_MAX)?;
        LoopbackUrl::read(&self.url).map_err(|problem| {
            Invalid::new(url, problem)
                .hint("only servers on this machine are asked, such as http://127.0.0.1:8000/")
        })?;
        if !(200..=599).contains(&self.status) {
            let problem = format!("{} is not the status of an answer", self.status);
            return Err(Invalid::new(format!("{place}.status"), problem).hint("write 200 to 599"));
        }
        if let Some(argv) = &self.argv {
            check_argv(&format!("{place}.argv"), argv)?;
        }
        check_time_limit(&format!("{place}.time_limit"), self.time_limit_s)?;
        match (&self.text, &self.regex) {
            (None, None) => Ok(()),
            (text, regex) => check_pattern((place, "http"), text.as_deref(), regex.as_deref()),
        }
    }
}

fn check_tests(
    place: &str,
    argv: Option<&[String]>,
    (min, time_limit_s): (u64, Option<u64>),
    control: &[String],
    work: &Work,
) -> Result<(), Invalid> {
    if min == 0 {
        return Err(
            Invalid::new(format!("{place}.min"), "zero tests prove nothing").hint("leave `min` out; it is 1")
        );
    }
    check_time_limit(&format!("{place}.time_limit"), time_limit_s)?;
    check_control(place, control, argv)?;
    match (argv, work) {
        (Some(argv), _) => check_argv(&format!("{place}.argv"), argv),
        (None, Work::Command(_)) => Ok(()),
        (None, Work::Agent(_)) => Err(Invalid::new(
            format!("{place}.argv"),
            "an agent item has no output to read: name the test command",
        )),
    }
}

fn check_control(place: &str, control: &[String], argv: Option<&[String]>) -> Result<(), Invalid> {
    if control.is_empty() {
        return Ok(());
    }
    let place = format!("{place}.control");
    if argv == Some(control) {
        return Err(Invalid::new(place, "it is the check itself, which would have to pass and to fail")
            .hint("name a command with which the check must not pass"));
    }
    check_argv(&place, control)
}

fn check_json_schema(
    place: &str,
    schema: Option<&Map<String, Value>>,
    has_path: bool,
) -> Result<(), Invalid> {
    let at = format!("{place}.schema");
    let Some(schema) = schema.filter(|_| !has_path) else {
        return if has_path && schema.is_none() {
            Ok(())
        } else {
            Err(Invalid::new(place, "json_schema needs either `schema` or `schema_path`"))
        };
    };
    if schema.is_empty() {
        return Err(Invalid::new(at, "everything holds against an empty schema"));
    }
    let schema = Value::Object(schema.clone());
    check_text(&at, &schema.to_string(), GATE_SCHEMA_BYTES_MAX)
        .map_err(|invalid| invalid.hint("put it into a file and name it with `schema_path`"))?;
    if toml::Value::try_from(&schema).is_err() {
        return Err(Invalid::new(at, "TOML cannot say this: `null`, or a number beyond 64 bits")
            .hint("write `type = \"null\"`, or put it into a file and name it with `schema_path`"));
    }
    check_schema(&schema).map_err(|problem| Invalid::new(at, format!("not a JSON Schema: {problem}")))
}

fn filled_list(place: &str, paths: &[String]) -> Result<(), Invalid> {
    if paths.is_empty() {
        return Err(Invalid::new(format!("{place}.paths"), "names no pattern").hint("paths = [\"src/**\"]"));
    }
    Ok(())
}

fn check_globs(place: &str, patterns: &[String]) -> Result<(), Invalid> {
    check_list(place, patterns.len(), GATE_PATHS_MAX)?;
    for (n, pattern) in patterns.iter().enumerate() {
        let place = format!("{place}[{n}]");
        filled(&place, pattern, "a pattern is not empty")?;
        let stays = !pattern.starts_with('/') && !pattern.split('/').any(|part| matches!(part, "." | ".."));
        if !stays {
            return Err(Invalid::new(place, "matches nothing: paths are relative to the workspace")
                .hint("write it without a leading `/`, `./` or `..`"));
        }
        check_text(&place, pattern, PATH_BYTES_MAX)?;
    }
    Globs::read(patterns).map(|_| ()).map_err(|(n, problem)| Invalid::new(format!("{place}[{n}]"), problem))
}

fn check_pattern(
    (place, kind): (&str, &str),
    text: Option<&str>,
    regex: Option<&str>,
) -> Result<(), Invalid> {
    match (text, regex) {
        (Some(""), None) => Err(Invalid::new(format!("{place}.text"), "an empty text is in every file")),
        (Some(text), None) => check_text(&format!("{place}.text"), text, GATE_TEXT_BYTES_MAX),
        (None, Some(pattern)) => check_regex(&format!("{place}.regex"), pattern),
        (Some(_), Some(_)) | (None, None) => {
            Err(Invalid::new(place, format!("{kind} needs either `text` or `regex`")))
        }
    }
}
