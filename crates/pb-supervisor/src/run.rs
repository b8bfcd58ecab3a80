//! One of the processes with everything that belongs to it, and what the supervisor hears.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use pb_runtime::readiness::Readiness;
use pb_runtime::service_manager::{NOTIFY_SOCKET, WATCHDOG_USEC};
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::Daemon;
use crate::child::{Act, Child, Ending, SILENT_MAX, START_MAX, State};
use crate::control::{Ask, ChildReport, Report};
use crate::launch::{Launch, Word, WordReader};
use crate::running::Running;
use crate::service::Tools;

/// Set for what a supervisor in the background runs: it starts another one when that supervisor dies.
pub const SUPERVISED: &str = "PB_SUPERVISED";
/// The exit code of a process that found another one running (`sysexits.h`).
const EXIT_BUSY: i32 = 75;

/// What the supervisor hears. Of a process, with the number of its start.
#[derive(Debug)]
pub(crate) enum Input {
    /// It is alive.
    Alive(Daemon),
    /// What it says about its start.
    Word(Daemon, u64, Word),
    /// It has ended.
    Ended(Daemon, u64),
    /// A person asks something.
    Asked(Ask, oneshot::Sender<Report>),
}

/// One of the processes.
#[derive(Debug)]
pub(crate) struct Supervised {
    pub(crate) daemon: Daemon,
    pub(crate) child: Child,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) running: Option<Running>,
    /// The number of its start.
    start: u64,
    awaits_word: bool,
    has_ended: bool,
    about: Option<String>,
    exit_code: Option<i32>,
}

impl Supervised {
    pub(crate) fn new(daemon: Daemon, arguments: Vec<OsString>, now: Instant) -> Self {
        Self {
            daemon,
            child: Child::new(now),
            arguments,
            running: None,
            start: 0,
            awaits_word: false,
            has_ended: false,
            about: None,
            exit_code: None,
        }
    }

    /// Goes on with one that runs already; whether there is one.
    pub(crate) fn adopt(&mut self, tools: &Tools, now: Instant) -> bool {
        let home = &tools.home;
        let Some(running) = self.daemon.holder(home).and_then(|holder| Running::found(&holder)) else {
            return false;
        };
        if let Some(arguments) = self.daemon.arguments(home) {
            self.arguments = arguments;
        }
        tracing::info!(name = self.daemon.name(), pid = running.pid, "going on with one that runs");
        let tells_us = tells(running.pid, &home.heard_socket(self.daemon.name()));
        self.begin(running, None, tools);
        self.child.adopt(tells_us, now);
        true
    }

    /// Does what is to be done now.
    pub(crate) fn act(&mut self, may_start: bool, tools: &Tools, now: Instant) {
        while let Some(act) = self.child.act(may_start, now) {
            let name = self.daemon.name();
            match act {
                Act::Start => self.launch(tools, now),
                Act::Terminate => {
                    tracing::info!(name, "stopping it");
                    self.running.iter().for_each(Running::terminate);
                }
                Act::Kill => {
                    tracing::warn!(name, "killing it");
                    self.running.iter().for_each(Running::kill);
                }
            }
        }
    }

    fn launch(&mut self, tools: &Tools, now: Instant) {
        let name = self.daemon.name();
        let start: [OsString; 4] =
            [name.into(), "start".into(), "--foreground".into(), "--report-ready".into()];
        let mut variables = vec![
            (NOTIFY_SOCKET, tools.home.heard_socket(name).into_os_string()),
            (WATCHDOG_USEC, SILENT_MAX.as_micros().to_string().into()),
        ];
        variables.extend(tools.revive.then(|| (SUPERVISED, "1".into())));
        let launch = Launch {
            name,
            arguments: start.into_iter().chain(self.arguments.iter().cloned()).collect(),
            variables,
            without: vec!["WATCHDOG_PID"],
        };
        let launched = launch.start(&tools.home);
        match launched.and_then(|launched| Ok((Running::started(launched.child)?, launched.word))) {
            Ok((running, word)) => {
                tracing::info!(name, pid = running.pid, "started it");
                self.begin(running, Some(word), tools);
            }
            Err(error) => {
                self.child.complains(format!("it cannot be started: {error}"));
                self.child.ended(Ending::Unseen, now);
            }
        }
    }

    fn begin(&mut self, running: Running, word: Option<WordReader>, tools: &Tools) {
        self.start += 1;
        (self.about, self.exit_code, self.has_ended) = (None, None, false);
        self.awaits_word = word.is_some();
        let (daemon, start) = (self.daemon, self.start);
        if let Some(word) = word {
            let inputs = tools.inputs.clone();
            tools.tasks.spawn("word", async move {
                // Longer than the child has: its own limit ends it, and that ends this.
                let read = spawn_blocking(move || word.read(2 * START_MAX));
                let word = read.await.unwrap_or(Word::Gone(None));
                let _ = inputs.send(Input::Word(daemon, start, word)).await; // The supervisor ends.
            });
        }
        match running.watched() {
            Ok(process) => {
                let inputs = tools.inputs.clone();
                tools.tasks.spawn("end", watch_end(process, daemon, start, inputs));
            }
            Err(error) => tracing::error!(%error, name = daemon.name(), "its end will not be seen"),
        }
        self.running = Some(running);
    }

    /// What it says about its start.
    pub(crate) fn said(&mut self, start: u64, word: Word, tools: &Tools, now: Instant) {
        if start != self.start {
            return;
        }
        self.awaits_word = false;
        match word {
            Word::Said(Readiness::Ready(about)) => {
                self.about = Some(about);
                self.child.ready(now);
                // A port that was to be any free one is this one from now on.
                if let Some(arguments) = self.daemon.arguments(&tools.home) {
                    self.arguments = arguments;
                }
            }
            Word::Said(Readiness::Failed { error, .. }) => self.child.complains(error),
            Word::Gone(Some(printed)) => self.child.complains(format!("it printed:\n{printed}")),
            Word::Gone(None) | Word::Late => {}
        }
        self.finish_end(tools, now);
    }

    /// It has ended. Why it did is in its last word.
    pub(crate) fn ended(&mut self, start: u64, tools: &Tools, now: Instant) {
        if start == self.start {
            self.has_ended = true;
            self.finish_end(tools, now);
        }
    }

    fn finish_end(&mut self, tools: &Tools, now: Instant) {
        if !self.has_ended || self.awaits_word {
            return;
        }
        self.has_ended = false;
        let Some(mut running) = self.running.take() else { return };
        let how = running.ending();
        // Started by somebody else in the same moment, or left by an earlier supervisor.
        if how == Ending::Code(EXIT_BUSY) && self.child.is_wanted() && self.adopt(tools, now) {
            return;
        }
        self.about = None;
        self.exit_code = match how {
            Ending::Code(code) => Some(code),
            Ending::Signal(_) | Ending::Unseen => None,
        };
        self.child.ended(how, now);
        let (name, pid, state) = (self.daemon.name(), running.pid, self.child.state().as_str());
        if self.child.state() == State::Stopped {
            tracing::info!(name, pid, "it stopped");
        } else {
            tracing::error!(name, pid, state, why = self.child.why(), "it failed");
        }
    }

    /// Whether nothing changes until somebody asks.
    pub(crate) fn is_settled(&self) -> bool {
        let is_about_to = self.child.state() == State::Stopped && self.child.is_wanted();
        self.child.state().is_settled() && !is_about_to
    }

    /// Leaves one alone that was there before us.
    pub(crate) fn let_go(&mut self) {
        if self.running.as_ref().is_some_and(Running::is_adopted) {
            self.running = None;
            self.child = Child::new(Instant::now());
        }
    }

    /// How it is.
    pub(crate) fn report(&self, now: Instant) -> ChildReport {
        let for_ms = now.duration_since(self.child.since()).as_millis();
        ChildReport {
            daemon: self.daemon,
            state: self.child.state(),
            for_ms: u64::try_from(for_ms).unwrap_or(u64::MAX),
            pid: self.running.as_ref().map(|running| running.pid),
            restarts: self.child.restarts(),
            about: self.about.clone(),
            why: self.child.why().map(str::to_owned),
            exit_code: self.exit_code,
        }
    }
}

/// Whether this process was told to say on that socket that it is alive.
fn tells(pid: u32, socket: &Path) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let wanted = [NOTIFY_SOCKET.as_bytes(), b"=", socket.as_os_str().as_bytes()].concat();
    environment.split(|byte| *byte == 0).any(|variable| variable == wanted)
}

async fn watch_end(process: pb_runtime::process::Process, daemon: Daemon, start: u64, inputs: Sender<Input>) {
    if let Err(error) = process.ended().await {
        tracing::error!(%error, name = daemon.name(), "its end is not seen");
        return;
    }
    let _ = inputs.send(Input::Ended(daemon, start)).await; // The supervisor ends.
}
