//! From the form that a gate has in a file to the domain's.

use super::convert::seconds;
use super::shape::{Check, Gate};
use super::template::{Filler, Template};
use crate::spec::{self, GateCommand, GateHttp, GateSpec, HTTP_STATUS_DEFAULT};

pub(super) fn gate(gate: &Gate, filler: &mut Filler) -> GateSpec {
    GateSpec {
        name: filler.optional(gate.name.as_ref()),
        required: gate.required.unwrap_or(true),
        judges: filler.texts(&gate.judges),
        may_change: gate.may_change.unwrap_or(false),
        check: check(&gate.check, filler),
    }
}

fn check(check: &Check, filler: &mut Filler) -> spec::Check {
    match check {
        Check::Command { argv, cwd, env, expect_exit, time_limit, control } => {
            spec::Check::Command(GateCommand {
                argv: filler.texts(argv),
                cwd: filler.optional(cwd.as_ref()),
                env: filler.map(env),
                expect_exit: *expect_exit,
                time_limit_s: seconds(*time_limit),
                control: filler.texts(control),
            })
        }
        Check::FileExists { path } => spec::Check::FileExists { path: filler.text(path) },
        Check::FileContains { path, text, regex } => spec::Check::FileContains {
            path: filler.text(path),
            text: filler.optional(text.as_ref()),
            regex: self::regex(regex.as_ref(), filler),
        },
        Check::FileUnchanged { path } => spec::Check::FileUnchanged { path: filler.text(path) },
        Check::TestsExecuted { argv, min, time_limit, control } => spec::Check::TestsExecuted {
            argv: argv.as_ref().map(|argv| filler.texts(argv)),
            min: min.unwrap_or(1),
            time_limit_s: seconds(*time_limit),
            control: filler.texts(control),
        },
        Check::JsonSchema { path, schema, schema_path } => spec::Check::JsonSchema {
            path: filler.text(path),
            schema: schema.clone(),
            schema_path: filler.optional(schema_path.as_ref()),
        },
        Check::Http { url, status, text, regex, argv, time_limit } => spec::Check::Http(GateHttp {
            url: filler.url(url),
            status: status.unwrap_or(HTTP_STATUS_DEFAULT),
            text: filler.optional(text.as_ref()),
            regex: self::regex(regex.as_ref(), filler),
            argv: argv.as_ref().map(|argv| filler.texts(argv)),
            time_limit_s: seconds(*time_limit),
        }),
        Check::ChangesWithin { paths, max_files } => {
            spec::Check::ChangesWithin { paths: filler.texts(paths), max_files: *max_files }
        }
        Check::FilesLack { paths, text, regex } => spec::Check::FilesLack {
            paths: filler.texts(paths),
            text: filler.optional(text.as_ref()),
            regex: self::regex(regex.as_ref(), filler),
        },
        Check::Review { rubric, tier, model } => {
            spec::Check::Review { rubric: filler.texts(rubric), tier: *tier, model: model.clone() }
        }
    }
}

fn regex(template: Option<&Template>, filler: &mut Filler) -> Option<String> {
    template.map(|template| filler.regex(template))
}
