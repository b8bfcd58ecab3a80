//! The arrows between crates (ARCHITECTURE.md): they point to a lower level, and some never exist.

use super::Problem;
use super::facts::Crate;

/// The level of each crate: an arrow points to a lower one.
const LEVELS: &[(&str, u8)] = &[
    ("pb-model", 0),
    ("pb-runtime", 0),
    ("pb-protocol", 1),
    ("pb-exec", 1),
    ("pb-supervisor", 1),
    ("pb-store", 2),
    ("pb-llm", 2),
    ("pb-tools", 2),
    ("pb-tui", 3),
    ("pb-gateway", 3),
    ("pb-scheduler", 3),
    ("pb", 4),
    // Beside the levels. The numbers say what they may use.
    (TESTKIT, 4),
    (FAULTS, 5),
    (XTASK, 3),
];

const TESTKIT: &str = "pb-testkit";
const FAULTS: &str = "pb-faults";
const XTASK: &str = "xtask";

/// What must not be linked into a crate, at whatever distance.
const NEVER: &[(&str, &[&str])] = &[
    ("pb-model", &["tokio", "rusqlite", "axum", "hyper", "reqwest", "genai", "tokio-tungstenite"]),
    ("pb-runtime", &["rusqlite", "axum", "reqwest", "genai"]),
    ("pb-protocol", &["rusqlite", "axum", "reqwest", "genai"]),
    ("pb-exec", &["rusqlite", "axum", "reqwest", "genai", "tokio-tungstenite"]),
    ("pb-supervisor", &["rusqlite", "axum", "reqwest", "genai", "tokio-tungstenite", "pb-exec"]),
    ("pb-store", &["axum", "reqwest", "genai", "tokio-tungstenite"]),
    ("pb-llm", &["pb-tools", "pb-exec", "rusqlite"]),
    ("pb-tools", &["pb-llm", "genai"]),
    ("pb-gateway", &["pb-llm", "pb-tools", "pb-exec", "pb-scheduler", "genai"]),
    ("pb-scheduler", &["pb-gateway", "axum", "clap", "comfy-table", "ratatui"]),
    ("pb-tui", &["pb-store", "pb-exec", "pb-llm", "pb-tools", "rusqlite"]),
];

/// Crates that only some of ours may name in their `[dependencies]`.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("anyhow", &["pb", XTASK, TESTKIT, FAULTS]),
    ("clap", &["pb", XTASK, TESTKIT, FAULTS]),
    ("rusqlite", &["pb-store", TESTKIT, FAULTS]),
    ("axum", &["pb-gateway", TESTKIT]),
    ("genai", &["pb-llm"]),
    ("insta", &[TESTKIT]),
    ("proptest", &[TESTKIT]),
    ("pretty_assertions", &[TESTKIT]),
    ("tempfile", &[XTASK, TESTKIT, FAULTS]),
];

/// Every arrow that must not be.
pub(super) fn problems(crates: &[Crate]) -> Vec<Problem> {
    crates.iter().flat_map(|one| levels(one).into_iter().chain(never(one)).chain(only_in(one))).collect()
}

fn level(name: &str) -> Option<u8> {
    LEVELS.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
}

fn levels(one: &Crate) -> Vec<Problem> {
    let Some(own) = level(&one.name) else {
        return vec![
            Problem::new(&one.manifest, format!("`{}` has no level", one.name))
                .hint("add it to LEVELS in xtask/src/commands/tidy/arrows.rs and to ARCHITECTURE.md"),
        ];
    };
    let mut problems = Vec::new();
    for (name, in_tests) in
        one.uses.iter().map(|name| (name, false)).chain(one.uses_in_tests.iter().map(|name| (name, true)))
    {
        let what = match (name.as_str(), level(name)) {
            (XTASK, _) => "depends on xtask, which nothing needs".to_owned(),
            (TESTKIT | FAULTS, _) if in_tests => continue,
            // The fault suite is a test as a whole.
            (TESTKIT, _) if one.name == FAULTS => continue,
            (TESTKIT | FAULTS, _) => format!("depends on `{name}` outside its tests"),
            (_, Some(other)) if other >= own => {
                format!("`{}` (level {own}) depends on `{name}` (level {other})", one.name)
            }
            _ => continue,
        };
        problems.push(Problem::new(&one.manifest, what).hint("an arrow points to a lower level"));
    }
    problems
}

fn never(one: &Crate) -> Vec<Problem> {
    NEVER
        .iter()
        .filter(|(name, _)| *name == one.name)
        .flat_map(|(_, names)| *names)
        .filter(|name| one.reaches.contains(**name))
        .map(|name| {
            Problem::new(&one.manifest, format!("`{name}` must never be linked into `{}`", one.name))
                .hint(format!("cargo tree -p {} -e normal -i {name}", one.name))
        })
        .collect()
}

fn only_in(one: &Crate) -> Vec<Problem> {
    ONLY_IN
        .iter()
        .filter(|(name, allowed)| one.uses.contains(*name) && !allowed.contains(&one.name.as_str()))
        .map(|(name, allowed)| {
            Problem::new(&one.manifest, format!("`{}` uses `{name}`", one.name))
                .hint(format!("only {} may", allowed.join(", ")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, uses: &[&str], uses_in_tests: &[&str], reaches: &[&str]) -> Vec<String> {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let one = Crate {
            name: name.to_owned(),
            manifest: format!("crates/{name}/Cargo.toml"),
            uses: set(uses),
            uses_in_tests: set(uses_in_tests),
            reaches: set(reaches),
        };
        problems(&[one]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn arrows_point_down() {
        assert!(
            check("pb-store", &["pb-model", "rusqlite"], &["pb-testkit"], &["pb-model", "rusqlite"])
                .is_empty()
        );
        assert!(check("pb", &["pb-scheduler", "anyhow"], &[], &["axum"]).is_empty());
        assert!(check("xtask", &["pb-protocol", "pb-store"], &[], &[]).is_empty());
        assert!(check("pb-testkit", &["pb-scheduler"], &[], &[]).is_empty());
        assert!(check("pb-faults", &["pb-testkit"], &[], &[]).is_empty());
        for (name, uses, problem) in [
            ("pb-model", "pb-store", "`pb-model` (level 0) depends on `pb-store` (level 2)"),
            ("pb-gateway", "pb-scheduler", "`pb-gateway` (level 3) depends on `pb-scheduler` (level 3)"),
            ("xtask", "pb-gateway", "`xtask` (level 3) depends on `pb-gateway` (level 3)"),
            ("pb-testkit", "pb", "`pb-testkit` (level 4) depends on `pb` (level 4)"),
            ("pb", "pb-testkit", "depends on `pb-testkit` outside its tests"),
            ("pb", "pb-faults", "depends on `pb-faults` outside its tests"),
            ("pb", "xtask", "depends on xtask, which nothing needs"),
        ] {
            let expect = format!("crates/{name}/Cargo.toml: {problem} (an arrow points to a lower level)");
            assert_eq!(check(name, &[uses], &[], &[]), std::slice::from_ref(&expect));
            if ![TESTKIT, FAULTS].contains(&uses) {
                assert_eq!(check(name, &[], &[uses], &[]), [expect]);
            }
        }
    }

    #[test]
    fn a_new_crate_needs_a_level() {
        assert_eq!(
            check("pb-core", &[], &[], &[]),
            [
                "crates/pb-core/Cargo.toml: `pb-core` has no level (add it to LEVELS in xtask/src/commands/tidy/arrows.rs and to ARCHITECTURE.md)"
            ]
        );
    }

    #[test]
    fn some_crates_are_never_linked_or_only_by_some() {
        assert_eq!(
            check("pb-model", &["toml"], &["tokio"], &["toml", "tokio"]),
            [
                "crates/pb-model/Cargo.toml: `tokio` must never be linked into `pb-model` (cargo tree -p pb-model -e normal -i tokio)"
            ]
        );
        assert_eq!(
            check("pb-gateway", &["anyhow"], &["tempfile"], &["anyhow"]),
            [
                "crates/pb-gateway/Cargo.toml: `pb-gateway` uses `anyhow` (only pb, xtask, pb-testkit, pb-faults may)"
            ]
        );
    }
}
