//! docs/OPERATIONS.md: it names every file that a home has, every exit code, and no command that there is not.

use std::collections::BTreeSet;
use std::fs;

use crate::env::{TestEnv, wait_until};

const PAGE: &str = include_str!("../../../../docs/OPERATIONS.md");
const COMMANDS: &str = include_str!("../../../../docs/cli.md");

/// The lines of the table under this heading, each as its cells.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, below) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = below.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// What stands between backticks.
fn quoted(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_page_has_the_exit_codes_that_the_help_has() {
    let help = TestEnv::new().pb(["--help"]).raw_stdout;
    let (_, told) = help.split_once("Exit codes:\n").unwrap();
    let told: Vec<_> = told
        .lines()
        .map_while(|line| line.trim_start().split_once("  "))
        .map(|(code, means)| (code.to_owned(), means.to_owned()))
        .collect();
    let page: Vec<_> =
        rows("Exit codes").iter().map(|row| (row[0].to_owned(), row[1].replace('`', ""))).collect();
    let told: Vec<_> = told.into_iter().map(|(code, means)| (code, means.replace('`', ""))).collect();
    assert_eq!(page, told);
}

#[test]
fn the_page_names_whatever_lies_in_a_home() {
    let env = TestEnv::supervised();
    let started = env.pb(["start", "--port", "0"]);
    assert_eq!(started.exit, Some(0), "{started}");
    env.write("goal.toml", crate::life::WAITS);
    let goal = env.spawn(["run", "goal.toml"]);
    goal.wait_for_note("wait: started");
    wait_until("the trace is written", || env.home().join("trace.db").exists().then_some(()));
    assert_eq!(env.pb(["backup", "copy"]).exit, Some(0));
    let mut there = names(&env);
    let stopped = env.pb(["stop", "--all"]);
    assert_eq!(stopped.exit, Some(0), "{stopped}");
    drop(goal);
    there.extend(names(&env));
    assert_eq!(env.pb(["start", "--port", "0"]).exit, Some(0));
    assert_eq!(env.pb(["reset", "--yes"]).exit, Some(0));
    there.extend(names(&env));
    assert!(there.len() > 20 && there.contains("halt") && there.contains("backups/"), "{there:?}");

    let named: BTreeSet<_> = rows("Files").iter().flat_map(|row| quoted(row[0])).collect();
    let missing: Vec<_> = there.iter().filter(|name| !named.contains(name.as_str())).collect();
    assert_eq!(missing, [""; 0], "docs/OPERATIONS.md does not name what lies in a home");
}

/// What lies in the home; folders end with `/`.
fn names(env: &TestEnv) -> BTreeSet<String> {
    let entries = fs::read_dir(env.home()).unwrap().map(Result::unwrap);
    let name = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() { format!("{name}/") } else { name }
    };
    entries.map(name).collect()
}

#[test]
fn the_page_names_no_command_that_there_is_not() {
    let known: BTreeSet<_> =
        COMMANDS.lines().filter_map(|line| line.strip_prefix("## `pb ")?.strip_suffix('`')).collect();
    let in_text = quoted(PAGE).flat_map(|code| code.split(" && "));
    let in_blocks = PAGE.lines().filter_map(|line| line.strip_prefix("$ "));
    let mut seen = 0;
    for line in in_text.chain(in_blocks) {
        let Some(rest) = line.strip_prefix("pb ") else { continue };
        let words: Vec<_> = rest
            .split_whitespace()
            .take_while(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
            .collect();
        let is_known = words.is_empty() || known.contains(words[0]);
        assert!(is_known, "`pb {rest}`: there is no `pb {}`", words[0]);
        // A command of commands is followed by one of them.
        if let [first, second, ..] = words[..]
            && known.iter().any(|name| name.starts_with(&format!("{first} ")))
        {
            assert!(
                known.contains(format!("{first} {second}").as_str()),
                "there is no `pb {first} {second}`"
            );
        }
        seen += 1;
    }
    assert!(seen > 40, "{seen} commands were looked at");
}
