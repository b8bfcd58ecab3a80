//! Reads the gates of an item.

use super::log::Log;
use super::node::Node;
use super::read::tier;
use super::shape::{Check, Gate};
use super::table::Table;
use super::template::Template;

/// Gate `g`, from 0, of the item that is read. `outside` are the keys of the item and the goal.
pub(super) fn gate(
    log: &mut Log,
    g: usize,
    node: &Node,
    outside: &[(&str, &[&'static str])],
) -> Option<Gate> {
    let item = log.around.clone();
    log.around = format!("gate {} of {item}", g + 1);
    let gate = gate_here(log, node, outside);
    log.around = item;
    gate
}

fn gate_here(log: &mut Log, node: &Node, outside: &[(&str, &[&'static str])]) -> Option<Gate> {
    let what = log.around.clone();
    let mut table = node.table(log, &what)?;
    let name = table.optional(log, "name", Node::template);
    let required = table.optional(log, "required", Node::flag);
    let judges = table.or_default(log, "judges", Node::templates);
    let may_change = table.optional(log, "may_change", Node::flag);
    let check = check(log, &mut table)?;
    table.finish(log, outside);
    Some(Gate { name, required, judges, may_change, check })
}

fn check(log: &mut Log, table: &mut Table) -> Option<Check> {
    Some(match kind(log, table)? {
        Kind::Command => command(log, table),
        Kind::FileExists => Check::FileExists { path: path(log, table) },
        Kind::FileContains => Check::FileContains {
            path: path(log, table),
            text: table.optional(log, "text", Node::template),
            regex: table.optional(log, "regex", Node::template),
        },
        Kind::FileUnchanged => Check::FileUnchanged { path: path(log, table) },
        Kind::TestsExecuted => Check::TestsExecuted {
            argv: table.optional(log, "argv", Node::templates),
            min: table.optional(log, "min", |node, log| node.integer(log, 0..=u64::MAX.into())),
            time_limit: table.optional(log, "time_limit", Node::time_limit),
            control: table.or_default(log, "control", Node::templates),
        },
        Kind::JsonSchema => Check::JsonSchema {
            path: path(log, table),
            schema: table.optional(log, "schema", Node::json_object),
            schema_path: table.optional(log, "schema_path", Node::template),
        },
        Kind::Http => http(log, table),
        Kind::ChangesWithin => Check::ChangesWithin {
            paths: table.required(log, "paths", Node::templates),
            max_files: table.optional(log, "max_files", |node, log| node.integer(log, 0..=u32::MAX.into())),
        },
        Kind::FilesLack => Check::FilesLack {
            paths: table.required(log, "paths", Node::templates),
            text: table.optional(log, "text", Node::template),
            regex: table.optional(log, "regex", Node::template),
        },
        Kind::Review => Check::Review {
            rubric: table.required(log, "rubric", Node::templates),
            tier: table.or_default(log, "tier", tier),
            model: table.optional(log, "model", Node::text),
        },
    })
}

#[derive(Clone, Copy)]
enum Kind {
    Command,
    FileExists,
    FileContains,
    FileUnchanged,
    TestsExecuted,
    JsonSchema,
    Http,
    ChangesWithin,
    FilesLack,
    Review,
}

const KINDS: [(&str, Kind); 10] = [
    ("command", Kind::Command),
    ("file_exists", Kind::FileExists),
    ("file_contains", Kind::FileContains),
    ("file_unchanged", Kind::FileUnchanged),
    ("tests_executed", Kind::TestsExecuted),
    ("json_schema", Kind::JsonSchema),
    ("http", Kind::Http),
    ("changes_within", Kind::ChangesWithin),
    ("files_lack", Kind::FilesLack),
    ("review", Kind::Review),
];

fn kind(log: &mut Log, table: &mut Table) -> Option<Kind> {
    if let Some(node) = table.get("kind") {
        return node.word(log, &KINDS);
    }
    let hint = format!("one of: {}", KINDS.map(|(word, _)| word).join(", "));
    log.problem(table.at, format!("{} has no `kind`", table.what), Some(hint));
    None
}

fn command(log: &mut Log, table: &mut Table) -> Check {
    Check::Command {
        argv: table.required(log, "argv", Node::templates),
        cwd: table.optional(log, "cwd", Node::template),
        env: table.or_default(log, "env", Node::template_map),
        expect_exit: table.or_default(log, "expect_exit", |node, log| node.integer(log, 0..=255)),
        time_limit: table.optional(log, "time_limit", Node::time_limit),
        control: table.or_default(log, "control", Node::templates),
    }
}

fn http(log: &mut Log, table: &mut Table) -> Check {
    Check::Http {
        url: table.required(log, "url", Node::template),
        status: table.optional(log, "status", |node, log| node.integer(log, 200..=599)),
        text: table.optional(log, "text", Node::template),
        regex: table.optional(log, "regex", Node::template),
        argv: table.optional(log, "argv", Node::templates),
        time_limit: table.optional(log, "time_limit", Node::time_limit),
    }
}

fn path(log: &mut Log, table: &mut Table) -> Template {
    table.required(log, "path", Node::template)
}
