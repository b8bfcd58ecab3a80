//! A home of its own for each test, the real binary, and its output in a form that compares.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use pb_runtime::LockHolder;
use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take; a test that needs longer hangs.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(40);
/// Says that nothing is started again by itself: most tests are about one process, which they kill.
const SUPERVISE: &str = "PB_SUPERVISE";
/// Pause between two looks of [`wait_until`].
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Waits until `look` finds something.
pub(crate) fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < TIMEOUT, "waited {} s in vain until {what}", TIMEOUT.as_secs());
        std::thread::sleep(LOOK_AGAIN); // wait: other processes ring no bell
    }
}

/// One person on one machine. What it started is gone when it is dropped.
pub(crate) struct TestEnv {
    root: TempDir,
    /// More variables for every command.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl TestEnv {
    /// An empty machine. Its paths are short, as a Unix socket's path must be.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("pb").rand_bytes(6).tempdir_in("/tmp").unwrap();
        for folder in ["user", "work"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        Self { root, variables: vec![("PB_PORT", "0".to_owned()), (SUPERVISE, "0".to_owned())] }
    }

    /// The same with processes that are started again by themselves.
    pub(crate) fn supervised() -> Self {
        let mut env = Self::new();
        env.variables.retain(|(name, _)| *name != SUPERVISE);
        env
    }

    /// `PB_HOME`; not made yet.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// The person's own folder, `HOME`.
    pub(crate) fn user(&self) -> PathBuf {
        self.root.path().join("user")
    }

    /// Everything of this test lies below it.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The folder in which commands run.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Writes a file into the folder in which commands run.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs `pb` to its end.
    #[must_use = "either compare the output or look at the exit code"]
    pub(crate) fn pb<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Ran {
        self.spawn(arguments).wait()
    }

    /// Starts `pb`.
    pub(crate) fn spawn<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Running<'_> {
        self.spawn_in(&self.work(), arguments)
    }

    /// Starts `pb` in another folder.
    #[expect(clippy::disallowed_methods, reason = "the test is the person who types the command")]
    pub(crate) fn spawn_in<I: IntoIterator<Item: AsRef<OsStr>>>(
        &self,
        folder: &Path,
        arguments: I,
    ) -> Running<'_> {
        let output = tempfile::tempdir_in(self.root.path()).unwrap();
        let file = |name: &str| File::create(output.path().join(name)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_pb"))
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.user())
            .env("PB_HOME", self.home())
            .env("TZ", "UTC")
            // What else runs on the machine is no model of this test.
            .env("PB_LOCAL_MODEL_PORTS", "none")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        Running { env: self, child, output }
    }

    /// Runs `pb` to its end, which must be a success, and reads the JSON that it prints.
    pub(crate) fn json<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Value {
        let ran = self.pb(arguments);
        assert_eq!(ran.exit, Some(0), "{ran}");
        serde_json::from_str(&ran.raw_stdout).unwrap()
    }

    /// The running process that holds this lock: `gateway` or `scheduler`.
    pub(crate) fn holder(&self, name: &str) -> Option<LockHolder> {
        LockHolder::alive(&self.home().join(format!("{name}.lock")))
    }

    /// What is the same in every run: no ids, pids, ports, times and folders of this one.
    fn normalised(&self, text: &str) -> String {
        static FILTERS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
            [
                (r"\b(goal|item|run|esc|art|sched|sess)_[0-9a-f]{32}\b", "[$1]"),
                (r"\b[0-9a-f]{16}…", "[digest]…"),
                (r"\bpid \d+", "pid [pid]"),
                (r"process \d+", "process [pid]"),
                (r"127\.0\.0\.1:[1-9]\d*", "127.0.0.1:[port]"),
                (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b", "[moment]"),
                (r"\b\d+(\.\d+)? (ms|s)\b", "[time]"),
                (r"\b\d+\.\d [MGT]B free\b", "[size] free"),
                (r"(?m)^(databases +).*$", "$1[sizes]"),
                (r#""sandbox": \{[^}]*\}"#, r#""sandbox": "[layers]""#),
                (r#""version": "\d+\.\d+\.\d+""#, r#""version": "[version]""#),
                (r"\bLandlock ABI \d+: [^)]*", "[layers]"),
                (r"(?m)\brunning +\d+ +\d+\.\d+\.\d+\b", "running  [pid]  [version]"),
                (r"\bpb \d+\.\d+\.\d+\b", "pb [version]"),
            ]
            .map(|(pattern, name)| (Regex::new(pattern).unwrap(), name))
            .to_vec()
        });
        let text = text.replace(self.root.path().to_str().unwrap(), "[root]");
        let text =
            FILTERS.iter().fold(text, |text, (pattern, name)| pattern.replace_all(&text, *name).into_owned());
        text.split("\n\n").map(unaligned).collect::<Vec<_>>().join("\n\n")
    }
}

/// A block whose columns are as wide as its times: what they are wide for differs from run to run.
fn unaligned(block: &str) -> String {
    static SPACES: LazyLock<Regex> = LazyLock::new(|| Regex::new(" {2,}").unwrap());
    if block.contains("[time]") { SPACES.replace_all(block, "  ").into_owned() } else { block.to_owned() }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        // From here on nothing starts anything again.
        if self.home().is_dir() {
            fs::write(self.home().join("halt"), "").unwrap();
        }
        for name in ["supervisor", "scheduler", "gateway"] {
            // The keepers of a killed scheduler end its tools.
            if self.holder(name).is_some() {
                self.kill9(name);
            }
        }
        // A test that failed shows why it did, and not what that left behind.
        if !std::thread::panicking() {
            wait_until("everything that the test started is gone", || {
                self.processes().is_empty().then_some(())
            });
            crate::audit::audit(&self.home().join("state.db"));
            crate::traced::audit(&self.home().join("trace.db"));
        }
    }
}

/// A command that has not ended.
pub(crate) struct Running<'e> {
    env: &'e TestEnv,
    pub(crate) child: Child,
    output: TempDir,
}

impl Running<'_> {
    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ran {
        let status = wait_until("pb ends", || self.child.try_wait().unwrap());
        let (stdout, stderr) = (self.printed("stdout"), self.printed("stderr"));
        Ran {
            stdout: self.env.normalised(&stdout),
            stderr: self.env.normalised(&stderr),
            raw_stdout: stdout,
            raw_stderr: stderr,
            exit: status.code(),
        }
    }

    /// What it printed to `stdout` or `stderr` so far.
    pub(crate) fn printed(&self, stream: &str) -> String {
        fs::read_to_string(self.output.path().join(stream)).unwrap()
    }

    /// Waits until it has printed a text to standard error.
    pub(crate) fn wait_for_note(&self, text: &str) {
        wait_until(&format!("pb prints {text:?}"), || self.printed("stderr").contains(text).then_some(()));
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // It has ended unless the test failed.
        if self.child.try_wait().unwrap().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// How a command ended, with everything that it printed.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// With the ids and times of this run.
    pub(crate) raw_stdout: String,
    /// As above.
    pub(crate) raw_stderr: String,
    pub(crate) exit: Option<i32>,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exit = self.exit.map_or("signal".to_owned(), |code| code.to_string());
        writeln!(f, "exit: {exit}")?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "--- {name}\n{}", text.trim_end())?;
            }
        }
        Ok(())
    }
}
