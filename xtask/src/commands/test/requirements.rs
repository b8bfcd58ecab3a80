//! What the tests need beside Rust. A new need is a row here.

use std::path::{Path, PathBuf};

use crate::{install, process};

/// A program that some tests need.
#[derive(Debug)]
pub(super) struct Requirement {
    pub(super) name: &'static str,
    /// The tests that are skipped without it.
    pub(super) used_by: &'static str,
    /// Tells the tests where it is; they skip, and say so, where this is not set.
    pub(super) variable: &'static str,
    /// Where it is, if it works. The argument is the folder of our own tools.
    pub(super) find: fn(&Path) -> Option<PathBuf>,
    pub(super) install: fn(&Path) -> anyhow::Result<()>,
}

/// Every need, in the order in which they are installed.
pub(super) const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        name: "git",
        used_by: "the example that writes a changelog",
        variable: "PB_TEST_GIT",
        find: |_| {
            install::on_path("git").filter(|git| process::succeeds(process::command(git).arg("--version")))
        },
        install: |_| install::debian(&["git"]),
    },
    Requirement {
        name: "Python with the packages `websockets` and `prometheus_client`",
        used_by: "the plain WebSocket client, and the reader of metrics",
        variable: "PB_TEST_PYTHON",
        find: |tools| {
            let python = venv_python(tools);
            let trial = ["-c", "import websockets, prometheus_client"];
            process::succeeds(process::command(&python).args(trial)).then_some(python)
        },
        install: install_packages,
    },
];

/// Versions that are known to work; the tests use nothing that changed since.
const PACKAGES: [&str; 2] = ["websockets>=12,<17", "prometheus_client>=0.20,<1"];

fn venv_python(tools: &Path) -> PathBuf {
    install::venv_python(&tools.join("python"))
}

fn install_packages(tools: &Path) -> anyhow::Result<()> {
    install::venv(&tools.join("python"))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    process::run(process::command(venv_python(tools)).args(pip).args(PACKAGES))
}
