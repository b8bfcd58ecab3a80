//! What the tests need beside Rust. A new need is a row here.

use std::fs;
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
            let installed = fs::read_to_string(tools.join(PYTHON_LIST)).ok()?;
            let works = process::succeeds(
                process::command(&python).args(["-c", "import websockets, prometheus_client"]),
            );
            (works && installed == PYTHON_PACKAGES).then_some(python)
        },
        install: install_python_packages,
    },
    Requirement {
        name: "Node.js with the packages of examples/clients",
        used_by: "the WebSocket client in Node, and the example in TypeScript",
        variable: "PB_TEST_NODE_PACKAGES",
        find: |tools| EXAMPLES.find(tools),
        install: |tools| EXAMPLES.install(tools),
    },
    Requirement {
        name: "Node.js with the packages of web",
        used_by: "the console in a browser",
        variable: "PB_TEST_WEB_PACKAGES",
        find: |tools| CONSOLE.find(tools),
        install: |tools| CONSOLE.install(tools),
    },
    Requirement {
        name: "curl",
        used_by: "the example in shell",
        variable: "PB_TEST_CURL",
        find: |_| {
            install::on_path("curl").filter(|curl| process::succeeds(process::command(curl).arg("--version")))
        },
        install: |_| install::debian(&["curl"]),
    },
    Requirement {
        name: "Chromium",
        used_by: "the pages that try to get in",
        variable: "PB_TEST_CHROMIUM",
        find: |_| {
            install::on_path("chromium")
                .filter(|chromium| process::succeeds(process::command(chromium).arg("--version")))
        },
        install: |_| install::debian(&["chromium"]),
    },
    Requirement {
        name: "systemd",
        used_by: "what reads the unit of the service",
        variable: "PB_TEST_SYSTEMD_ANALYZE",
        find: |_| {
            install::on_path("systemd-analyze")
                .filter(|analyze| process::succeeds(process::command(analyze).arg("--version")))
        },
        install: |_| install::debian(&["systemd"]),
    },
];

/// Python's packages, at versions that the tests are known to pass with, and their digests: of the wheels
/// without compiled parts, which every Python takes, and of the sources.
const PYTHON_PACKAGES: &str = include_str!("python.txt");
/// Where the list of what is installed is kept, among our own tools.
const PYTHON_LIST: &str = "python.txt";

/// Packages of Node, as a folder of ours lists them; who works there takes them from the same files.
struct NodePackages {
    /// Their folder among our own tools.
    folder: &'static str,
    list: &'static str,
    lock: &'static str,
    /// One of them, which works if all do.
    trial: &'static str,
}

const EXAMPLES: NodePackages = NodePackages {
    folder: "node",
    list: include_str!("../../../../examples/clients/package.json"),
    lock: include_str!("../../../../examples/clients/package-lock.json"),
    trial: "ws",
};
const CONSOLE: NodePackages = NodePackages {
    folder: "web",
    list: include_str!("../../../../web/package.json"),
    lock: include_str!("../../../../web/package-lock.json"),
    trial: "playwright-core",
};

fn venv_python(tools: &Path) -> PathBuf {
    install::venv_python(&tools.join("python"))
}

fn install_python_packages(tools: &Path) -> anyhow::Result<()> {
    install::venv(&tools.join("python"))?;
    let list = tools.join(PYTHON_LIST);
    fs::write(&list, PYTHON_PACKAGES)?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"];
    process::run(process::command(venv_python(tools)).args(pip).arg(list))
}

impl NodePackages {
    fn find(&self, tools: &Path) -> Option<PathBuf> {
        let folder = tools.join(self.folder);
        let installed = fs::read_to_string(folder.join("package-lock.json")).ok()?;
        let trial = format!("require('{}')", self.trial);
        let works = process::succeeds(process::command("node").args(["-e", &trial]).current_dir(&folder));
        (works && installed == self.lock).then(|| folder.join("node_modules"))
    }

    fn install(&self, tools: &Path) -> anyhow::Result<()> {
        if install::on_path("npm").is_none() {
            install::debian(&["nodejs", "npm"])?;
        }
        let folder = tools.join(self.folder);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("package.json"), self.list)?;
        fs::write(folder.join("package-lock.json"), self.lock)?;
        // Nothing of a package runs while it is installed.
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        process::run(process::command("npm").args(arguments).current_dir(folder))
    }
}
