//! A workspace with a secret beside it, and a runner that only remembers.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use pb_exec::{Enforced, Finished, Outcome, SpawnError};
use pb_tools::{Allowed, Command, Output, Registry, Runner, Scope, ToolError, policy};
use serde_json::Value;
use tempfile::TempDir;

/// The content of the file that no tool may show or change.
pub(crate) const SECRET: &str = "the secret 秘密\n";

pub(crate) struct Env {
    folder: TempDir,
    pub(crate) scope: Scope,
    pub(crate) runner: FakeRunner,
}

impl Env {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let workspace = folder.path().canonicalize().unwrap().join("workspace");
        fs::create_dir(&workspace).unwrap();
        fs::write(folder.path().join("secret.txt"), SECRET).unwrap();
        let runner = FakeRunner::default();
        let scope = Scope { workspace, runner: Box::new(runner.clone()), again: false };
        Self { folder, scope, runner }
    }

    pub(crate) fn again(mut self) -> Self {
        self.scope.again = true;
        self
    }

    pub(crate) fn with(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn with_link(self, path: &str, target: impl AsRef<Path>) -> Self {
        std::os::unix::fs::symlink(target, self.path(path)).unwrap();
        self
    }

    pub(crate) fn with_pipe(self, path: &str) -> Self {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        mknodat(CWD, self.path(path), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        self
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.scope.workspace.join(path)
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.scope.workspace.parent().unwrap().to_owned()
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// That what is outside is as it was: one secret, unchanged, and nothing more.
    pub(crate) fn assert_untouched(&self) {
        assert_eq!(fs::read_to_string(self.outside().join("secret.txt")).unwrap(), SECRET);
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 2);
    }

    /// The names in a folder of the workspace.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(path))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) async fn try_call(&self, name: &str, arguments: Value) -> Result<Output, ToolError> {
        let call = policy::approve(&Registry::builtin(), &Allowed::everything(), name, arguments)
            .map_err(|denied| ToolError::Model(denied.to_string()))?;
        call.run(&self.scope).await
    }

    /// What the call came to, as one text.
    pub(crate) async fn call(&self, name: &str, arguments: Value) -> String {
        match self.try_call(name, arguments).await {
            Ok(Output { text, ok: true }) => text,
            Ok(Output { text, ok: false }) => format!("NOT OK: {text}"),
            Err(ToolError::Model(text)) => format!("MODEL: {text}"),
            Err(ToolError::Host(text)) => format!("HOST: {text}"),
            Err(ToolError::Unknown(text)) => format!("UNKNOWN: {text}"),
        }
    }
}

/// Remembers what it was asked to run, and answers what it was told to.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeRunner {
    pub(crate) asked: Arc<Mutex<Vec<Command>>>,
    answer: Arc<Mutex<Option<Result<Finished, SpawnError>>>>,
}

impl FakeRunner {
    pub(crate) fn answers(&self, outcome: Outcome, output: &str) {
        self.answers_with(Ok(finished(outcome, output)));
    }

    pub(crate) fn answers_with(&self, answer: Result<Finished, SpawnError>) {
        *self.answer.lock().unwrap() = Some(answer);
    }
}

pub(crate) fn finished(outcome: Outcome, output: &str) -> Finished {
    let output = pb_exec::Output {
        head: output.as_bytes().to_vec(),
        tail: Vec::new(),
        bytes_total: output.len() as u64,
        digest: String::new(),
    };
    let duration = Duration::from_secs(1);
    Finished { outcome, duration, output, enforced: Enforced::Full, leftovers_killed: 0 }
}

impl Runner for FakeRunner {
    fn run<'a>(&'a self, command: &'a Command) -> BoxFuture<'a, Result<Finished, SpawnError>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(command.clone());
            self.answer.lock().unwrap().take().unwrap()
        })
    }
}
