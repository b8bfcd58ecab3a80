//! A browser with a page, driven by `page.mjs`.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::tools;

/// Width of the page of most tests, in pixels.
const WIDE: u32 = 1280;

/// A person at a browser; gone when it is dropped.
pub(super) struct Page {
    child: Child,
    /// Taken at the end, at which the browser is closed.
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Page {
    /// Opens a browser that shows nothing yet; `None`, and a word about it, where there is none.
    pub(super) fn new(env: &TestEnv) -> Option<Self> {
        Self::of_width(env, WIDE)
    }

    /// The same with a window of this width, in pixels.
    #[expect(clippy::disallowed_methods, reason = "the test is the person who has a browser")]
    pub(super) fn of_width(env: &TestEnv, width: u32) -> Option<Self> {
        let (chromium, packages) = (tools::chromium()?, tools::web_packages()?);
        let script = env.write("page.mjs", include_str!("page.mjs"));
        symlink(packages, env.file("node_modules")).unwrap();
        let mut child = Command::new("node")
            .arg(script)
            .arg(chromium)
            .arg(width.to_string())
            .current_dir(env.work())
            .env("HOME", env.user())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().unwrap());
        Some(Self { child, to, from })
    }

    /// Has the person do something; what comes of it.
    pub(super) fn does(&mut self, command: &Value) -> Value {
        writeln!(self.to.as_mut().unwrap(), "{command}").unwrap();
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer.get("error").is_none(), "{command}: {answer:#}");
        answer["ok"].take()
    }

    pub(super) fn open(&mut self, url: &str) {
        self.does(&json!(["open", url]));
    }

    /// Waits until this can be seen.
    pub(super) fn sees(&mut self, selector: &str) {
        self.does(&json!(["see", selector]));
    }

    pub(super) fn press(&mut self, keys: &str) {
        self.does(&json!(["press", keys]));
    }

    pub(super) fn click(&mut self, selector: &str) {
        self.does(&json!(["click", selector]));
    }

    /// How many events of the log the page has taken.
    pub(super) fn events(&mut self) -> u64 {
        let told = self.does(&json!(["attribute", ".shell", "data-events"]));
        told.as_str().unwrap().parse().unwrap()
    }

    /// Nothing went wrong in the page, and it asked nobody but its own origin for anything.
    pub(super) fn is_well(&mut self, origin: &str) {
        let told = self.does(&json!(["told"]));
        assert_eq!(told, json!({"errors": [], "asked": [origin]}));
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // At the end of its input it closes the browser, and ends.
        drop(self.to.take());
        let _ = self.child.wait();
    }
}
