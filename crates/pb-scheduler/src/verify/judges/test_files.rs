//! Which files are tests, by the names that the usual runners look for.

/// Folders of tests.
const FOLDERS: [&str; 7] = ["tests", "test", "__tests__", "spec", "specs", "testdata", "__snapshots__"];
/// Ends of the names of test files, before what says the language.
const ENDS: [&str; 8] = ["_test", ".test", ".spec", "_spec", "-test", "-spec", "_tests", "-tests"];
/// What sets up how tests run: it may leave some out, or make all pass.
const SETTINGS: [&str; 12] = [
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    "tox.ini",
    "noxfile.py",
    ".mocharc.json",
    ".mocharc.js",
    ".mocharc.cjs",
    ".mocharc.yml",
    ".mocharc.yaml",
    ".config/nextest.toml",
    ".cargo/config.toml",
];
/// Beginnings of the names of such files that have an end for each language.
const SETTING_STEMS: [&str; 5] =
    ["jest.config.", "vitest.config.", "vitest.workspace.", "jest.setup.", "vitest.setup."];

/// Whether a path is of a test, or of what a test compares with.
pub(super) fn is_test(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    folders.split('/').any(|folder| FOLDERS.contains(&folder))
        || (name.starts_with("test_") && is_python(name))
        || stem.len() < name.len()
            && (ENDS.iter().any(|end| stem.ends_with(end))
                || matches!(stem, "tests" | "test")
                || (is_classy(name) && (stem.ends_with("Test") || stem.ends_with("Tests"))))
}

/// Whether a path sets up how tests run.
pub(super) fn is_runner_setting(path: &str) -> bool {
    let ends = |setting: &str| {
        path.strip_suffix(setting).is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    SETTINGS.iter().any(|setting| ends(setting)) || SETTING_STEMS.iter().any(|stem| name.starts_with(stem))
}

fn is_python(name: &str) -> bool {
    name.rsplit('.').next() == Some("py")
}

/// Whether the language names a test after its class.
fn is_classy(name: &str) -> bool {
    matches!(name.rsplit('.').next(), Some("java" | "kt" | "scala" | "cs" | "php" | "swift" | "groovy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_by_their_names() {
        for path in [
            "tests/it/main.rs",
            "src/parse/tests.rs",
            "test_app.py",
            "应用/test_应用.py",
            "app_test.go",
            "web/button.test.tsx",
            "button.spec.ts",
            "src/__snapshots__/button.snap",
            "ParserTest.java",
            "a/b_spec.rb",
        ] {
            assert!(is_test(path), "{path}");
        }
        for path in [
            "src/lib.rs",
            "contest.py",
            "test_data.csv",
            "latest.txt",
            "attest/a.rs",
            "Test",
            "src/testing.rs",
        ] {
            assert!(!is_test(path), "{path}");
        }
        for path in ["conftest.py", "a/conftest.py", ".cargo/config.toml", "web/jest.config.mjs"] {
            assert!(is_runner_setting(path), "{path}");
        }
        for path in ["config.toml", "myconftest.py", "jest.js"] {
            assert!(!is_runner_setting(path), "{path}");
        }
    }
}
