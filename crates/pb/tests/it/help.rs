//! Help is read before anything else works.

use insta::assert_snapshot;

use crate::env::TestEnv;

#[test]
fn every_command_explains_itself() {
    let env = TestEnv::new();
    let pages = [
        "",
        "run",
        "goal",
        "goal list",
        "goal show",
        "goal watch",
        "goal cancel",
        "goal check",
        "goal plan",
        "goal logs",
        "goal schema",
        "start",
        "stop",
        "restart",
        "status",
        "doctor",
        "self-check",
        "logs",
        "backup",
        "restore",
        "gc",
        "reset",
        "console",
        "gateway",
        "gateway start",
        "gateway stop",
        "gateway restart",
        "gateway status",
        "scheduler",
        "scheduler start",
        "scheduler stop",
        "scheduler restart",
        "scheduler status",
        "service",
        "service install",
        "service uninstall",
        "debug",
        "debug events",
        "completions",
    ];
    for page in pages {
        let name = if page.is_empty() { "pb" } else { page };
        assert_snapshot!(name.replace(' ', "_"), env.pb(page.split_whitespace().chain(["--help"])));
    }
}

#[test]
fn the_version_is_told() {
    assert_snapshot!(TestEnv::new().pb(["--version"]));
}
