//! `pb status`: what runs, where, and how it does.

mod parts;

use std::time::Duration;

use pb_model::Lane;
use pb_protocol::client::Patience;
use pb_protocol::methods::system::{self, DiskStatus, StatusParams, StatusResult};
use pb_runtime::{Clock, Endpoint, Home, Notified, SchedulerInfo, VERSION, halt, lock};
use pb_supervisor::child::State;
use pb_supervisor::control::Report;
use serde::Serialize;

use crate::connection;
use crate::daemon::{self, Daemon};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{WARN, styled};
use crate::{format, output, table, wait};
use parts::{Database, Layers, Today};

/// Show both processes, the link between them, and how many goals are in which state
///
/// Exits 0 when gateway and scheduler run, 3 when one of them does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb status\n  pb status --watch\n  pb status --json")]
pub(crate) struct Args {
    /// Show it anew each second, until Ctrl-C
    #[arg(short, long)]
    watch: bool,
    /// Print one JSON document; with --watch one a line
    #[arg(long)]
    json: bool,
}

/// What `pb gateway status` and `pb scheduler status` take.
#[derive(Debug, clap::Args)]
pub(crate) struct DaemonArgs {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Overview {
    home: String,
    /// Of this command.
    version: &'static str,
    /// Which of the processes are of another version, in words.
    skew: Option<String>,
    /// Whether everything was stopped with `pb stop --all`, so that nothing starts.
    halted: bool,
    gateway: Process,
    scheduler: Process,
    /// How the supervisor sees both; absent where none runs, or it does not answer.
    supervisor: Option<Report>,
    /// What the gateway tells; absent when it does not answer.
    system: Option<StatusResult>,
    /// What the scheduler has to work with; absent until it has told.
    works_with: Option<SchedulerInfo>,
    databases: Vec<Database>,
    /// What all goals may spend today; absent when config.toml does not say.
    today: Option<Today>,
    sandbox: Layers,
    /// How the scheduler tells a person that goals ask or have ended; absent when it does not.
    notifies: Option<Notifies>,
}

/// By which programs a person is told, and what went wrong the last time.
#[derive(Debug, Serialize)]
struct Notifies {
    programs: Vec<String>,
    problem: Option<String>,
}

/// One of the processes, as its lock tells.
#[derive(Debug, Serialize)]
struct Process {
    running: bool,
    /// Whether its lock is held by a process that cannot be seen from here, as one in a container.
    unseen: bool,
    pid: Option<u32>,
    version: Option<String>,
    started_at: Option<u64>,
    uptime_ms: Option<u64>,
    address: Option<String>,
    /// Where the debug server of the gateway listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    debug: Option<String>,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    debug_problem: Option<String>,
    socket: Option<String>,
    log: String,
}

impl Process {
    fn of(home: &Home, daemon: Daemon) -> Self {
        let holder = daemon.holder(home);
        let endpoint = holder
            .as_ref()
            .filter(|_| daemon == Daemon::Gateway)
            .and_then(|holder| Endpoint::read(&home.gateway_json()).filter(|end| end.pid == holder.pid));
        Self {
            running: holder.is_some(),
            unseen: holder.is_none() && lock::is_held(&daemon.lock(home)),
            pid: holder.as_ref().map(|holder| holder.pid),
            version: holder.as_ref().map(|holder| holder.version.clone()),
            started_at: holder.as_ref().map(|holder| holder.started_at_ms),
            uptime_ms: holder.as_ref().map(|one| Clock::System.now_ms().saturating_sub(one.started_at_ms)),
            address: endpoint.as_ref().map(|endpoint| format!("ws://{}", endpoint.address)),
            debug: endpoint.as_ref().and_then(|end| Some(format!("http://{}", end.debug_address?))),
            debug_problem: endpoint.as_ref().and_then(|end| end.debug_problem.clone()),
            socket: endpoint.map(|endpoint| endpoint.socket.display().to_string()),
            log: daemon.log(home).display().to_string(),
        }
    }

    /// Where one can look into what happens.
    fn debug_line(&self) -> Option<String> {
        let problem = self.debug_problem.as_deref();
        let problem = problem.map(|why| {
            let what =
                "no debug server; free the port, or set another with `[debug] port`, and: pb gateway restart";
            styled(WARN, format_args!("{}: {what}", format::line(why)))
        });
        self.debug.clone().or(problem)
    }

    fn row(&self, daemon: Daemon) -> Vec<String> {
        let name = daemon.name().to_owned();
        let Some(pid) = self.pid else {
            let state =
                if self.unseen { "its lock is held by a process that is not seen" } else { "not running" };
            return vec![name, state.to_owned()];
        };
        vec![
            name,
            "running".to_owned(),
            pid.to_string(),
            self.version.clone().unwrap_or_default(),
            format::duration(self.uptime_ms.unwrap_or_default()),
            self.address.clone().unwrap_or_default(),
        ]
    }
}

/// How often it is shown anew.
const WATCH_EVERY: Duration = Duration::from_secs(1);

const HEADINGS: [&str; 6] = ["PROCESS", "STATE", "PID", "VERSION", "UP", "ADDRESS"];

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    home.check_owner()?;
    if !args.watch {
        return show(&home, args);
    }
    loop {
        output::clear()?;
        show(&home, args)?;
        std::thread::sleep(WATCH_EVERY); // Ctrl-C ends it: there is nothing to be left in order.
    }
}

/// Shows it once.
fn show(home: &Home, args: &Args) -> Result<Exit, Failure> {
    let (overview, silent) = look(home);
    let exit = if overview.gateway.running && overview.scheduler.running { Exit::Ok } else { Exit::Unproven };
    match (args.json, args.watch) {
        (true, true) => output::json_line(&overview)?,
        (true, false) => output::json(&overview)?,
        (false, _) => people(&overview, silent.as_ref())?,
    }
    Ok(exit)
}

/// Everything that is told, and why a gateway that runs does not answer.
fn look(home: &Home) -> (Overview, Option<Failure>) {
    let (gateway, scheduler) = (Process::of(home, Daemon::Gateway), Process::of(home, Daemon::Scheduler));
    let mut today = parts::caps(home);
    let (system, silent) = match gateway.running.then(|| ask(home, today.as_mut())) {
        Some(Ok(system)) => (Some(system), None),
        Some(Err(failure)) => (None, Some(failure)),
        None => (None, None),
    };
    let versions = [("gateway", gateway.version.as_deref()), ("scheduler", scheduler.version.as_deref())];
    let overview = Overview {
        home: home.root().display().to_string(),
        version: VERSION,
        skew: parts::skew(versions),
        halted: halt::is_set(home),
        supervisor: daemon::report(home).and_then(Result::ok),
        works_with: scheduler.pid.and_then(|pid| SchedulerInfo::read(&home.scheduler_json(), pid)),
        notifies: scheduler.pid.and_then(|pid| notifies(home, pid)),
        gateway,
        scheduler,
        system,
        databases: parts::databases(home),
        today,
        sandbox: parts::layers(),
    };
    (overview, silent)
}

/// One screen.
fn people(told: &Overview, silent: Option<&Failure>) -> anyhow::Result<()> {
    let rows = vec![told.gateway.row(Daemon::Gateway), told.scheduler.row(Daemon::Scheduler)];
    output::data(table::render(&HEADINGS, rows))?;
    output::data("")?;
    let line = |label: &str, text: String| output::data(format::field(label, text));
    if let Some(skew) = &told.skew {
        line("versions", styled(WARN, skew))?;
    }
    if let Some(supervisor) = &told.supervisor {
        line("supervisor", supervised(supervisor))?;
    }
    if let Some(debug) = told.gateway.debug_line() {
        line("debug", debug)?;
    }
    let info = told.works_with.as_ref();
    if let Some(system) = &told.system {
        line("link", link(system))?;
        line("goals", goals(system))?;
        line("lanes", lanes(system, info))?;
        if let Some(disk) = &system.disk {
            line("disk", room(disk))?;
        }
    }
    if let Some(failure) = silent {
        output::failure(failure);
    }
    if !told.databases.is_empty() {
        line("databases", parts::sizes(&told.databases))?;
    }
    if let Some(today) = told.today.as_ref().filter(|_| told.gateway.running) {
        line("budget", today.line())?;
    }
    if let Some(info) = info {
        line("models", models(info))?;
        line("agents", agents(info, &told.sandbox))?;
    }
    if let Some(notifies) = &told.notifies {
        line("notify", notified(notifies))?;
    }
    if told.halted {
        let text = "everything was stopped with pb stop --all; nothing starts until: pb start";
        line("halted", styled(WARN, text))?;
    }
    line("home", told.home.clone())
}

/// Shows one of the processes.
pub(super) fn daemon(home: &Home, daemon: Daemon, args: &DaemonArgs) -> Result<Exit, Failure> {
    let process = Process::of(home, daemon);
    if args.json {
        output::json(&process)?;
    } else {
        output::data(table::render(&HEADINGS, vec![process.row(daemon)]))?;
    }
    Ok(if process.running { Exit::Ok } else { Exit::Unproven })
}

fn ask(home: &Home, today: Option<&mut Today>) -> Result<StatusResult, Failure> {
    wait::client(async {
        let client = connection::client(home, Patience::None);
        let told = client.call::<system::Status>(&StatusParams { brief: true }).await?;
        if let Some(today) = today {
            today.ask(&client).await;
        }
        Ok(told)
    })
}

/// What the supervisor keeps running, and what it could not.
fn supervised(report: &Report) -> String {
    let told = report.children.iter().filter_map(|child| {
        let restarts = match child.restarts {
            0 => String::new(),
            times => format!(", started again {}", format::count(times, "time")),
        };
        let why = child
            .why
            .as_deref()
            .map(|why| format!(" ({})", format::excerpt(why.trim_start_matches("error: "))))
            .unwrap_or_default();
        let is_well = child.state == State::Running && child.restarts == 0;
        (!is_well).then(|| format!("{} {}{restarts}{why}", child.daemon.name(), child.state.as_str()))
    });
    let told: Vec<_> = told.collect();
    let pid = report.pid;
    if told.is_empty() { format!("keeps both running (pid {pid})") } else { styled(WARN, told.join("; ")) }
}

fn link(system: &StatusResult) -> String {
    let scheduler = &system.scheduler;
    let waiting = match scheduler.waiting_commands {
        0 => String::new(),
        commands => format!(", {} waiting", format::count(commands, "command")),
    };
    let legacy = match scheduler.legacy_peers {
        0 => String::new(),
        peers => format!(", {} without a log shown live", format::count(peers, "scheduler")),
    };
    if scheduler.is_connected {
        format!("connected, {} behind{waiting}{legacy}", format::count(scheduler.lag_events, "event"))
    } else {
        format!("no scheduler is connected{waiting}{legacy}")
    }
}

/// What runs in each lane of how much may, and what waits.
fn lanes(system: &StatusResult, info: Option<&SchedulerInfo>) -> String {
    let told = Lane::ALL.into_iter().filter_map(|lane| {
        let now = system.lanes.get(lane.as_str())?;
        let limit = info.and_then(|info| info.lanes.get(lane.as_str()));
        let of = limit.map_or_else(String::new, |limit| format!("/{limit}"));
        let ready = if now.ready > 0 { format!(" ({} ready)", now.ready) } else { String::new() };
        Some(format!("{} {}{of}{ready}", lane.as_str(), now.running))
    });
    told.collect::<Vec<_>>().join(", ")
}

fn room(disk: &DiskStatus) -> String {
    let free = format!("{} free", format::size(disk.free_bytes));
    if disk.free_bytes >= disk.needed_bytes {
        return free;
    }
    let needed = format::size(disk.needed_bytes);
    styled(WARN, format_args!("{free}; new goals are refused below {needed}"))
}

fn models(info: &SchedulerInfo) -> String {
    if let Some(problem) = &info.problem {
        return styled(WARN, format::line(problem));
    }
    match info.models.as_slice() {
        [] => "none; see pb models list".to_owned(),
        models => {
            let shown: Vec<String> = models.iter().map(|model| with_rest(model, info)).collect();
            format::line(&shown.join(", "))
        }
    }
}

/// A model, and for how long it still goes last because it failed.
fn with_rest(model: &str, info: &SchedulerInfo) -> String {
    let left = info.cooling.get(model).map(|until| until.saturating_sub(Clock::System.now_ms()));
    match left.filter(|left| *left > 0) {
        Some(left) => format!("{model} (failed; goes last for {})", format::duration(left)),
        None => model.to_owned(),
    }
}

fn notifies(home: &Home, scheduler: u32) -> Option<Notifies> {
    let told = Notified::read(&home.notified_json()).filter(|told| told.pid == scheduler)?;
    Some(Notifies { programs: told.programs, problem: told.problem })
}

fn notified(by: &Notifies) -> String {
    match &by.problem {
        Some(problem) => styled(WARN, format_args!("{}; try: pb notify test", format::line(problem))),
        None => format!("by {}", format::line(&by.programs.join(", "))),
    }
}

/// How what agents run is held (`security.md` 20).
fn agents(info: &SchedulerInfo, sandbox: &Layers) -> String {
    match (info.confines, info.allow_unconfined_agents) {
        (true, false) => format!("confined by the kernel ({})", sandbox.line()),
        (true, true) => {
            let layers = sandbox.line();
            styled(
                WARN,
                format_args!("confined by the kernel ({layers}); config.toml allows them where it cannot"),
            )
        }
        (false, true) => styled(WARN, "NOT confined: this kernel cannot, and config.toml allows it"),
        (false, false) => "refused: this kernel cannot confine them".to_owned(),
    }
}

fn goals(system: &StatusResult) -> String {
    let parts: Vec<String> = system
        .goals
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}
