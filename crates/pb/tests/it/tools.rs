//! Programs that some tests need, as `cargo xtask test` provides them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use pb_runtime::environment;

/// Python with the package `websockets`; without it the test is skipped and says so.
pub(crate) fn python() -> Option<PathBuf> {
    found("Python with websockets", "PB_TEST_PYTHON", "python3", &["-c", "import websockets"])
}

/// Any Python; without it the test is skipped and says so.
pub(crate) fn plain_python() -> Option<PathBuf> {
    found("Python", "PB_TEST_PYTHON", "python3", &["--version"])
}

/// Where any Python is, for daemons that look for programs in other folders than the test; without it the test
/// is skipped and says so.
#[expect(clippy::disallowed_methods, reason = "the test looks for a program of the person's machine")]
pub(crate) fn python_path() -> Option<String> {
    let told = Command::new(plain_python()?).args(["-c", "import sys; print(sys.executable)"]).output();
    Some(String::from_utf8(told.unwrap().stdout).unwrap().trim_end().to_owned())
}

/// Node's packages of `examples/clients`, for `node` on the path; without them the test is skipped and says so.
pub(crate) fn node_packages() -> Option<PathBuf> {
    let packages = environment::path("PB_TEST_NODE_PACKAGES");
    if packages.is_none() {
        skipped("there is no Node.js with the packages of examples/clients; run: cargo xtask test");
    }
    packages
}

/// Node's packages of `web`, for `node` on the path; without them the test is skipped and says so.
pub(crate) fn web_packages() -> Option<PathBuf> {
    let packages = environment::path("PB_TEST_WEB_PACKAGES");
    if packages.is_none() {
        skipped("there is no Node.js with the packages of web; run: cargo xtask test");
    }
    packages
}

/// curl; without it the test is skipped and says so.
pub(crate) fn curl() -> Option<PathBuf> {
    found("curl", "PB_TEST_CURL", "curl", &["--version"])
}

/// Chromium; without it the test is skipped and says so.
pub(crate) fn chromium() -> Option<PathBuf> {
    found("Chromium", "PB_TEST_CHROMIUM", "chromium", &["--version"])
}

/// git; without it the test is skipped and says so.
pub(crate) fn git() -> Option<PathBuf> {
    found("git", "PB_TEST_GIT", "git", &["--version"])
}

/// What reads the units of systemd, which need not run; without it the test is skipped and says so.
pub(crate) fn systemd_analyze() -> Option<PathBuf> {
    found("systemd", "PB_TEST_SYSTEMD_ANALYZE", "systemd-analyze", &["--version"])
}

/// Whether this kernel confines commands; without it the test is skipped and says so.
pub(crate) fn commands_are_confined() -> bool {
    let support = pb_exec::support();
    let confined = support.fs && support.net && support.scope;
    if !confined {
        skipped(&format!("this kernel confines only {support:?}"));
    }
    confined
}

/// The program that the variable names, else the one on the path if it works.
#[expect(clippy::disallowed_methods, reason = "the test looks for a program of the person's machine")]
fn found(name: &str, variable: &str, program: &str, trial: &[&str]) -> Option<PathBuf> {
    if let Some(path) = environment::path(variable) {
        return Some(path);
    }
    let trial = Command::new(program).args(trial).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if trial.is_ok_and(|status| status.success()) {
        return Some(program.into());
    }
    skipped(&format!("there is no {name}; run: cargo xtask test"));
    None
}

/// Nothing is skipped where nobody would see it.
#[expect(clippy::print_stderr, reason = "this is the one word that a skipped test says")]
pub(crate) fn skipped(why: &str) {
    assert!(environment::text("CI").is_none(), "in CI nothing is skipped: {why}");
    eprintln!("skipped: {why}");
}
