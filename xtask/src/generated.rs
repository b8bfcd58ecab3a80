//! Files that are made of the code: `codegen` writes them, `tidy` compares them.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;

use crate::{process, states, typescript};

/// Where the command line reference stands.
pub(crate) const CLI_REFERENCE: &str = "docs/cli.md";

/// Columns in which help is wrapped.
const COLUMNS: &str = "100";

/// A file that is made of the code.
#[derive(Debug)]
pub(crate) struct Generated {
    /// Its path from the root.
    pub(crate) path: &'static str,
    /// What it has to say.
    pub(crate) text: String,
}

/// What is made of types and tables.
///
/// # Errors
/// A schema is no JSON, or is not understood.
pub(crate) fn tables() -> anyhow::Result<[Generated; 4]> {
    Ok([
        Generated { path: "docs/goal.schema.json", text: json(&pb_model::goal_file::json_schema())? },
        Generated { path: "docs/rpc.schema.json", text: json(&pb_protocol::methods::schemas().into())? },
        typescript::types()?,
        states::page(),
    ])
}

fn json(schema: &serde_json::Value) -> anyhow::Result<String> {
    let mut text = serde_json::to_string_pretty(schema)?;
    text.push('\n');
    Ok(text)
}

/// The command line reference, which is made of what `pb --help` prints. Builds `pb`.
///
/// # Errors
/// `pb` does not build, or does not explain itself.
pub(crate) fn cli_reference(root: &Path) -> anyhow::Result<Generated> {
    let pb = process::build_pb(root, false)?;
    let mut text = "# The command line\n\n\
        What `pb --help` prints for each command. Written by `cargo xtask codegen`.\n"
        .to_owned();
    describe(&pb, &mut Vec::new(), &mut text)?;
    Ok(Generated { path: CLI_REFERENCE, text })
}

fn describe(pb: &Path, words: &mut Vec<String>, text: &mut String) -> anyhow::Result<()> {
    let help = process::printed(
        process::command(pb)
            .args(&*words)
            .arg("--help")
            // Help shows the values of variables, and is as wide as the terminal.
            .env_clear()
            .env("COLUMNS", COLUMNS),
    )?;
    let title = std::iter::once("pb").chain(words.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    write!(text, "\n## `{title}`\n\n```text\n{}\n```\n", lines.join("\n")).context("no memory")?;
    for subcommand in subcommands(&help) {
        words.push(subcommand);
        describe(pb, words, text)?;
        words.pop();
    }
    Ok(())
}

/// The names under `Commands:`.
fn subcommands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // Deeper lines are wrapped descriptions.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::subcommands;

    #[test]
    fn subcommands_are_read_from_help() {
        let help = "What it is\n\nUsage: pb <COMMAND>\n\nCommands:\n  run   Run it\n          to the end\n  goal  See\n  help  Print\n\nOptions:\n  -h\n";
        assert_eq!(subcommands(help), ["run", "goal"]);
        assert!(subcommands("Usage: pb run FILE\n").is_empty());
    }
}
