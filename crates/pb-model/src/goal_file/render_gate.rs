//! From a gate to the lines of a goal file.

use super::render::required;
use super::render_lines::Lines;
use crate::Tier;
use crate::spec::{Check, GateCommand, GateHttp, GateSpec, HTTP_STATUS_DEFAULT};

pub(super) fn gate(gate: &GateSpec, lines: &mut Lines<'_>) {
    lines.header("[[items.gates]]");
    lines.text_if("name", gate.name.as_deref());
    lines.verbatim("kind", Some(gate.check.kind()));
    match &gate.check {
        Check::Command(one) => command(one, lines),
        Check::FileExists { path } | Check::FileUnchanged { path } => lines.text("path", path),
        Check::FileContains { path, text, regex } => {
            lines.text("path", path);
            pattern(text.as_deref(), regex.as_deref(), lines);
        }
        Check::TestsExecuted { argv, min, time_limit_s, control } => {
            lines.texts("argv", argv.iter().flatten());
            lines.plain_if("min", Some(min).filter(|min| **min != 1));
            lines.time_limit(*time_limit_s);
            lines.texts("control", control);
        }
        Check::JsonSchema { path, schema, schema_path } => {
            lines.text("path", path);
            // A schema that TOML cannot say is refused where it enters.
            lines.plain_if("schema", schema.as_ref().and_then(|schema| toml::Value::try_from(schema).ok()));
            lines.text_if("schema_path", schema_path.as_deref());
        }
        Check::Http(one) => http(one, lines),
        Check::ChangesWithin { paths, max_files } => {
            lines.texts("paths", paths);
            lines.plain_if("max_files", *max_files);
        }
        Check::FilesLack { paths, text, regex } => {
            lines.texts("paths", paths);
            pattern(text.as_deref(), regex.as_deref(), lines);
        }
        Check::Review { rubric, tier, model } => {
            lines.texts("rubric", rubric);
            if *tier != Tier::default() {
                lines.verbatim("tier", Some(tier.as_str()));
            }
            lines.verbatim("model", model.as_deref());
        }
    }
    lines.texts("judges", &gate.judges);
    lines.plain_if("may_change", gate.may_change.then_some(true));
    required(gate.required, lines);
}

fn pattern(text: Option<&str>, regex: Option<&str>, lines: &mut Lines<'_>) {
    lines.text_if("text", text);
    lines.text_if("regex", regex);
}

fn command(gate: &GateCommand, lines: &mut Lines<'_>) {
    lines.texts("argv", &gate.argv);
    lines.text_if("cwd", gate.cwd.as_deref());
    lines.text_map("env", &gate.env);
    lines.plain_if("expect_exit", Some(gate.expect_exit).filter(|code| *code != 0));
    lines.time_limit(gate.time_limit_s);
    lines.texts("control", &gate.control);
}

fn http(gate: &GateHttp, lines: &mut Lines<'_>) {
    lines.text("url", &gate.url);
    lines.plain_if("status", Some(gate.status).filter(|status| *status != HTTP_STATUS_DEFAULT));
    pattern(gate.text.as_deref(), gate.regex.as_deref(), lines);
    lines.texts("argv", gate.argv.iter().flatten());
    lines.time_limit(gate.time_limit_s);
}
