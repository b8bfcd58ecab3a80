//! The supervisor's loop: it hears, decides by [`crate::child`], and does.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pb_runtime::lock::LockError;
use pb_runtime::service_manager::{self, Told};
use pb_runtime::{Clock, Home, ProcessLock, Tasks, halt};
use tokio::net::UnixListener;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::answer::{self, ASKING_MAX};
use crate::child::State;
use crate::control::{Ask, Report, Which};
use crate::kept::{Kept, KeptChild};
use crate::run::{Input, Supervised};
use crate::{Daemon, heard};

/// Most things heard that wait for the loop.
const INPUTS_WAITING_MAX: usize = 64;
/// Most that a service manager has not heard yet.
const TOLD_WAITING_MAX: usize = 64;
/// Pause before the next look where nothing is due: it is woken by what it hears.
const LOOK_AGAIN: Duration = Duration::from_hours(1);
/// A supervisor that wakes so late was stopped, or the machine was, or is very busy.
const LATE_MAX: Duration = Duration::from_millis(100);
/// How long its tasks have to end.
const TASKS_END_MAX: Duration = Duration::from_secs(1);

/// What a supervisor is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything lies.
    pub home: Home,
    /// The clock.
    pub clock: Clock,
    /// What the gateway is started with after `pb gateway start`, unless it runs already.
    pub gateway: Vec<OsString>,
    /// The same for the scheduler.
    pub scheduler: Vec<OsString>,
    /// Whether to go on with what a supervisor kept running that was killed, instead of the two above.
    pub goes_on: bool,
    /// Whether what it runs starts another supervisor when this one dies. Not where a service manager does.
    pub revive: bool,
}

/// Why a supervisor does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another one holds the home.
    #[error("the supervisor is not started: {0}")]
    Lock(#[from] LockError),
    /// It cannot be asked, or cannot hear.
    #[error("cannot listen on {path}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Why a supervisor ended.
#[derive(Debug)]
pub enum Ended {
    /// It was asked to, or nothing is to run any more.
    Stopped,
    /// Something cannot run, and nothing else does.
    Failed(Report),
    /// It is to become this program, which starts both again with these arguments.
    Become {
        /// The binary.
        program: PathBuf,
        /// Whether both tell more about what goes on.
        debug: bool,
        /// What the gateway was started with.
        gateway: Vec<OsString>,
        /// The same for the scheduler.
        scheduler: Vec<OsString>,
    },
}

/// What is needed to start something.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) home: Home,
    pub(crate) inputs: Sender<Input>,
    pub(crate) tasks: Tasks,
    pub(crate) revive: bool,
}

/// A supervisor that holds its home.
#[derive(Debug)]
pub struct Supervisor {
    tools: Tools,
    receiver: Receiver<Input>,
    children: [Supervised; 2],
    waiting: Vec<(Ask, oneshot::Sender<Report>)>,
    /// What comes after everything has stopped; `None` while it is to run.
    stopping: Option<Ended>,
    /// Whether what runs was ended at once.
    is_hurried: bool,
    /// Whether everything has served, or not, for the first time.
    has_begun: bool,
    /// Whether one that cannot begin ends what was started with it.
    all_or_none: bool,
    /// Those that are answered; one place is that of who takes the next one.
    answering: Arc<Semaphore>,
    kept: Option<Kept>,
    status: String,
    /// What a service manager is to hear, in order.
    telling: Sender<Told>,
    _lock: ProcessLock,
}

impl Supervisor {
    /// Takes the lock, listens, and goes on with what runs already.
    ///
    /// # Errors
    /// Another one runs, or the home cannot be used.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let Config { home, clock, gateway, scheduler, goes_on, revive } = config;
        let lock = ProcessLock::acquire(&home.supervisor_lock(), clock.now_ms())?;
        let (inputs, receiver) = mpsc::channel(INPUTS_WAITING_MAX);
        let tasks = Tasks::new();
        let path = home.supervisor_socket();
        let _ = std::fs::remove_file(&path); // Left by one that was killed: we hold the lock.
        let listener = UnixListener::bind(&path).map_err(|source| StartError::Socket { path, source })?;
        let answering = Arc::new(Semaphore::new(ASKING_MAX));
        let places = Arc::clone(&answering);
        tasks.spawn("asked", answer::serve(listener, places, tasks.clone(), inputs.clone()));
        for daemon in Daemon::ALL {
            let path = home.heard_socket(daemon.name());
            let socket = heard::listen(&path).map_err(|source| StartError::Socket { path, source })?;
            tasks.spawn("heard", heard::hear(socket, daemon, inputs.clone()));
        }
        let (telling, mut to_tell) = mpsc::channel(TOLD_WAITING_MAX);
        tasks.spawn("tell", async move {
            while let Some(told) = to_tell.recv().await {
                service_manager::tell(told).await;
            }
        });
        let now = Instant::now();
        let tools = Tools { home, inputs, tasks, revive };
        let kept = goes_on.then(|| Kept::read(&tools.home.supervisor_json())).flatten().unwrap_or_default();
        let children = [(Daemon::Gateway, gateway), (Daemon::Scheduler, scheduler)].map(|(daemon, given)| {
            let kept = kept.children.get(&daemon).cloned();
            let kept = kept.unwrap_or(KeptChild { wanted: true, arguments: given });
            let mut child = Supervised::new(daemon, kept.arguments, now);
            if !child.adopt(&tools, now) && kept.wanted {
                child.child.start(now);
            }
            child
        });
        Ok(Self {
            tools,
            receiver,
            children,
            waiting: Vec::new(),
            stopping: None,
            is_hurried: false,
            has_begun: false,
            all_or_none: !goes_on,
            answering,
            kept: None,
            status: String::new(),
            telling,
            _lock: lock,
        })
    }

    /// Keeps both running until `stop` is cancelled or nothing can run. `at_once` ends what does not stop by
    /// itself. `began` is told how everything is when all has served or cannot.
    pub async fn run(
        mut self,
        stop: CancellationToken,
        at_once: CancellationToken,
        began: impl FnOnce(&Report),
    ) -> Ended {
        let mut began = Some(began);
        let mut pulse =
            tokio::time::interval(service_manager::watchdog().map_or(LOOK_AGAIN, |limit| limit / 3));
        let ended = loop {
            self.settle();
            self.tell_status();
            if !self.has_begun && self.has_settled() {
                self.has_begun = true;
                if self.gives_up_at_first() {
                    continue;
                }
                if let Some(began) = began.take() {
                    began(&self.report());
                    self.tell(Told::Ready);
                }
            }
            self.answer_waiting();
            self.keep();
            if let Some(ended) = self.over() {
                break ended;
            }
            let due = self.children.iter().filter_map(|one| one.child.due()).min();
            let pause = due.map_or(LOOK_AGAIN, |due| due.saturating_duration_since(Instant::now()));
            let slept = Instant::now();
            tokio::select! {
                biased;
                input = self.receiver.recv() => if let Some(input) = input { self.hear(input) },
                () = stop.cancelled(), if matches!(self.stopping, None | Some(Ended::Become { .. })) => {
                    self.stopping = Some(Ended::Stopped);
                }
                () = at_once.cancelled(), if !self.is_hurried => self.kill(),
                _ = pulse.tick() => self.tell(Told::Alive),
                () = tokio::time::sleep(pause) => {}
            }
            self.note_away(slept.elapsed().saturating_sub(pause));
        };
        for path in [self.tools.home.supervisor_socket(), self.tools.home.supervisor_json()] {
            let _ = std::fs::remove_file(path); // What is left is of nobody, and is seen to be.
        }
        for daemon in Daemon::ALL {
            let _ = std::fs::remove_file(self.tools.home.heard_socket(daemon.name())); // As above.
        }
        self.let_answers_go().await;
        // Who becomes another program goes on: systemd would end what says that it stops.
        if !matches!(ended, Ended::Become { .. }) {
            let _ = timeout(TASKS_END_MAX, service_manager::tell(Told::Stopping)).await; // It may read nothing.
        }
        self.tools.tasks.stop(TASKS_END_MAX).await;
        ended
    }

    /// What was answered is to arrive; what was not is asked of the next one.
    async fn let_answers_go(&mut self) {
        self.waiting.clear();
        self.receiver.close();
        while self.receiver.try_recv().is_ok() {}
        let all_but_the_next = u32::try_from(ASKING_MAX - 1).unwrap_or(u32::MAX);
        let _ = timeout(TASKS_END_MAX, self.answering.acquire_many(all_but_the_next)).await; // It may read nothing.
    }

    /// Does all that can be done now.
    fn settle(&mut self) {
        let now = Instant::now();
        if self.stopping.is_none() && halt::is_set(&self.tools.home) {
            tracing::warn!("everything was stopped with pb stop --all");
            self.stopping = Some(Ended::Stopped);
        }
        let is_stopping = self.stopping.is_some();
        let [gateway, scheduler] = &mut self.children;
        if is_stopping {
            // The scheduler first, so that clients see its last events.
            scheduler.child.stop();
            if !scheduler.child.state().is_alive() {
                gateway.child.stop();
            }
        }
        gateway.act(!is_stopping, &self.tools, now);
        // The gateway first, so that the scheduler finds its socket at once; but goals go on without one.
        let waits = gateway.child.is_wanted()
            && matches!(gateway.child.state(), State::Stopped | State::Starting | State::Stopping);
        scheduler.act(!is_stopping && !waits, &self.tools, now);
        if is_stopping && !scheduler.child.state().is_alive() {
            gateway.child.stop();
            gateway.act(false, &self.tools, now);
        }
    }

    fn hear(&mut self, input: Input) {
        let now = Instant::now();
        match input {
            Input::Alive(daemon) => self.of(daemon).child.heard(now),
            Input::Word(daemon, start, word) => {
                self.with(daemon, |one, tools| one.said(start, word, tools, now));
            }
            Input::Ended(daemon, start) => self.with(daemon, |one, tools| one.ended(start, tools, now)),
            Input::Asked(Ask::Report, answer) => drop(answer.send(self.report())),
            // What is asked while everything stops is asked of the next one.
            Input::Asked(..) if self.stopping.is_some() => {}
            Input::Asked(Ask::Become { program, debug }, answer) => {
                let [gateway, scheduler] = self.children.each_ref().map(|one| one.arguments.clone());
                self.stopping = Some(Ended::Become { program, debug, gateway, scheduler });
                let _ = answer.send(self.report()); // Who asked may be gone.
            }
            Input::Asked(ask, answer) => {
                self.take(&ask, now);
                self.waiting.push((ask, answer));
            }
        }
    }

    fn take(&mut self, ask: &Ask, now: Instant) {
        let (Ask::Start(which) | Ask::Stop(which) | Ask::Restart(which)) = ask else { return };
        for one in self.children.iter_mut().filter(|one| which.is(one.daemon)) {
            if let Some(arguments) = &which.arguments {
                one.arguments.clone_from(arguments);
            }
            match ask {
                Ask::Start(_) => one.child.start(now),
                Ask::Stop(_) => one.child.stop(),
                Ask::Restart(_) => one.child.restart(now),
                Ask::Report | Ask::Become { .. } => {}
            }
        }
    }

    fn of(&mut self, daemon: Daemon) -> &mut Supervised {
        let [gateway, scheduler] = &mut self.children;
        match daemon {
            Daemon::Gateway => gateway,
            Daemon::Scheduler => scheduler,
        }
    }

    fn with(&mut self, daemon: Daemon, work: impl FnOnce(&mut Supervised, &Tools)) {
        let Self { children: [gateway, scheduler], tools, .. } = self;
        match daemon {
            Daemon::Gateway => work(gateway, tools),
            Daemon::Scheduler => work(scheduler, tools),
        }
    }

    /// Whether nothing changes by itself any more.
    fn has_settled(&self) -> bool {
        self.children.iter().all(Supervised::is_settled)
    }

    /// A person's start is of both or of none: one that cannot begin ends what was started with it.
    fn gives_up_at_first(&mut self) -> bool {
        let cannot = |one: &Supervised| matches!(one.child.state(), State::Exited | State::Fatal);
        if !self.all_or_none || self.stopping.is_some() || !self.children.iter().any(cannot) {
            return false;
        }
        self.stopping = Some(Ended::Failed(self.report()));
        for one in &mut self.children {
            one.let_go();
        }
        true
    }

    fn answer_waiting(&mut self) {
        let children = &self.children;
        let is_done = |ask: &Ask| match ask {
            Ask::Start(which) | Ask::Restart(which) => named(children, which).all(Supervised::is_settled),
            // One that is to run again by somebody else's word was stopped, or is not going to be.
            Ask::Stop(which) => {
                named(children, which).all(|one| one.running.is_none() || one.child.is_wanted())
            }
            Ask::Report | Ask::Become { .. } => true,
        };
        let (done, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(ask, _)| is_done(ask));
        self.waiting = waiting;
        for (_, answer) in done {
            let _ = answer.send(self.report()); // Who asked may be gone.
        }
    }

    /// What came of it, once nothing runs and nothing is to.
    fn over(&mut self) -> Option<Ended> {
        if self.children.iter().any(|one| one.running.is_some()) {
            return None;
        }
        if let Some(ended) = self.stopping.take() {
            return Some(ended);
        }
        let is_idle = self.children.iter().all(Supervised::is_settled);
        let has_failed = self.children.iter().any(|one| one.child.state() != State::Stopped);
        match (is_idle, has_failed) {
            (false, _) => None,
            (true, true) => Some(Ended::Failed(self.report())),
            (true, false) => Some(Ended::Stopped),
        }
    }

    /// Who was stopped itself has heard nothing meanwhile: nobody hangs because of that.
    fn note_away(&mut self, late: Duration) {
        if late > LATE_MAX {
            let now = Instant::now();
            self.children.iter_mut().for_each(|one| one.child.was_away(late, now));
        }
    }

    fn kill(&mut self) {
        self.is_hurried = true;
        for one in &mut self.children {
            one.child.stop();
            if let Some(running) = &one.running {
                running.kill();
            }
        }
    }

    /// Writes down what is to run, when that has changed.
    fn keep(&mut self) {
        if self.stopping.is_some() {
            return; // Whoever comes next goes on with what was to run.
        }
        let kept = |one: &Supervised| {
            (one.daemon, KeptChild { wanted: one.child.is_wanted(), arguments: one.arguments.clone() })
        };
        let kept = Kept { children: self.children.iter().map(kept).collect() };
        if self.kept.as_ref() == Some(&kept) {
            return;
        }
        match kept.write(&self.tools.home.supervisor_json()) {
            Ok(()) => self.kept = Some(kept),
            Err(error) => tracing::warn!(%error, "what is kept running is not written down"),
        }
    }

    fn tell_status(&mut self) {
        let told = |one: &Supervised| format!("{} {}", one.daemon.name(), one.child.state().as_str());
        let status = self.children.each_ref().map(told).join(", ");
        if status == self.status {
            return;
        }
        self.tell(Told::Status(status.clone()));
        self.status = status;
    }

    fn tell(&self, told: Told) {
        let _ = self.telling.try_send(told); // One that reads nothing is not waited for.
    }

    /// How everything is.
    fn report(&self) -> Report {
        let now = Instant::now();
        Report {
            pid: std::process::id(),
            version: pb_runtime::VERSION.to_owned(),
            children: self.children.iter().map(|one| one.report(now)).collect(),
        }
    }
}

fn named<'a>(children: &'a [Supervised], which: &'a Which) -> impl Iterator<Item = &'a Supervised> {
    children.iter().filter(|one| which.is(one.daemon))
}
