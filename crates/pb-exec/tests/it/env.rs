//! A temporary home with a workspace, and jobs that run in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pb_exec::{Confinement, Enforced, Finished, Job, Launcher, Outcome, Policy, credential_paths};
use tempfile::TempDir;

/// The longest any condition may take to come true.
const WAIT_LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct TestEnv {
    folder: TempDir,
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        let env = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(env.workspace()).unwrap();
        env
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.home().join("work")
    }

    /// Writes a file under the home folder, with the folders above it.
    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.home().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A job for bash, confined to the workspace, with the home's credentials hidden.
    pub(crate) fn bash(&self, script: &str) -> Job {
        self.job(&["bash", "-c", script])
    }

    pub(crate) fn job(&self, argv: &[&str]) -> Job {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let workspace = self.workspace();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        Job {
            step: format!("step_{}_{number}", std::process::id()),
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            env: BTreeMap::from([
                ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned()),
                ("HOME".to_owned(), text(&self.home())),
                ("WORK".to_owned(), text(&workspace)),
            ]),
            confinement: Confinement {
                policy: Policy::Required,
                writable: vec![workspace.clone()],
                hidden: credential_paths(&self.home()),
                tcp_ports: Vec::new(),
            },
            cwd: workspace,
            time_limit: Duration::from_secs(30),
        }
    }

    /// The number that a script wrote into a file of the workspace, once it is there.
    pub(crate) fn wait_number(&self, file: &str) -> u32 {
        let path = self.workspace().join(file);
        let mut number = None;
        wait_until(&format!("{file} holds a number"), || {
            let text = fs::read_to_string(&path).unwrap_or_default();
            number = text.strip_suffix('\n').and_then(|text| text.parse().ok());
            number.is_some()
        });
        number.unwrap()
    }
}

pub(crate) fn launcher() -> Launcher {
    Launcher::new(env!("CARGO_BIN_EXE_pb-exec-child"))
}

pub(crate) async fn run(job: &Job) -> Finished {
    launcher().spawn(job).unwrap().wait().await
}

/// Runs the job and checks that it ended by itself, well, and fully confined; gives its output.
pub(crate) async fn run_well(job: &Job) -> String {
    let finished = run(job).await;
    let text = finished.output.text();
    assert_eq!(finished.outcome, Outcome::Exited(0), "{text}");
    assert_eq!(finished.enforced, Enforced::Full);
    text
}

/// Blocks until the condition is true; looks again every millisecond.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < WAIT_LIMIT, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(1)); // wait: a condition out there rings no bell
    }
}

/// True while the process is there and is not just waiting to be waited for.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}
