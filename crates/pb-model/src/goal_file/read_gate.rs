//! Reads the gates of an item.

use super::log::Log;
use super::node::Node;
use super::shape::{Check, Gate};
use super::table::Table;
use super::template::Template;

/// Gate `g` of item `n`, both from 0. `outside` are the keys of the item and the goal.
pub(super) fn gate(
    log: &mut Log,
    (n, g): (usize, usize),
    node: &Node,
    outside: &[(&str, &[&'static str])],
) -> Option<Gate> {
    let mut table = node.table(log, &format!("gate {} of item {}", g + 1, n + 1))?;
    let name = table.optional(log, "name", Node::template);
    let required = table.optional(log, "required", Node::flag);
    let check = match kind(log, &mut table)? {
        Kind::Command => command(log, &mut table),
        Kind::FileExists => Check::FileExists { path: path(log, &mut table) },
        Kind::FileContains => Check::FileContains {
            path: path(log, &mut table),
            text: table.optional(log, "text", Node::template),
            regex: table.optional(log, "regex", Node::template),
        },
        Kind::FileUnchanged => Check::FileUnchanged { path: path(log, &mut table) },
        Kind::TestsExecuted => Check::TestsExecuted {
            argv: table.optional(log, "argv", Node::templates),
            min: table.optional(log, "min", |node, log| node.integer(log, 0..=u64::MAX.into())),
            time_limit: table.optional(log, "time_limit", Node::time_limit),
        },
    };
    table.finish(log, outside);
    Some(Gate { name, required, check })
}

#[derive(Clone, Copy)]
enum Kind {
    Command,
    FileExists,
    FileContains,
    FileUnchanged,
    TestsExecuted,
}

const KINDS: [(&str, Kind); 5] = [
    ("command", Kind::Command),
    ("file_exists", Kind::FileExists),
    ("file_contains", Kind::FileContains),
    ("file_unchanged", Kind::FileUnchanged),
    ("tests_executed", Kind::TestsExecuted),
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
    }
}

fn path(log: &mut Log, table: &mut Table) -> Template {
    table.required(log, "path", Node::template)
}
