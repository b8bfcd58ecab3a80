//! `pb status`: what runs, where, and how it does.

use std::time::Duration;

use pb_model::Lane;
use pb_protocol::client::Patience;
use pb_protocol::methods::system::{self, DiskStatus, StatusParams, StatusResult};
use pb_runtime::{Clock, Endpoint, Home, Notified, SchedulerInfo, halt};
use serde::Serialize;

use crate::connection;
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{WARN, styled};
use crate::{format, output, table, wait};

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
    /// Whether everything was stopped with `pb stop --all`, so that nothing starts.
    halted: bool,
    gateway: Process,
    scheduler: Process,
    /// What the gateway tells; absent when it does not answer.
    system: Option<StatusResult>,
    /// What the scheduler has to work with; absent until it has told.
    works_with: Option<SchedulerInfo>,
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
    pid: Option<u32>,
    version: Option<String>,
    started_at: Option<u64>,
    address: Option<String>,
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
            pid: holder.as_ref().map(|holder| holder.pid),
            version: holder.as_ref().map(|holder| holder.version.clone()),
            started_at: holder.as_ref().map(|holder| holder.started_at_ms),
            address: endpoint.as_ref().map(|endpoint| format!("ws://{}", endpoint.address)),
            socket: endpoint.map(|endpoint| endpoint.socket.display().to_string()),
            log: daemon.log(home).display().to_string(),
        }
    }

    fn row(&self, daemon: Daemon) -> Vec<String> {
        let name = daemon.name().to_owned();
        let Some(pid) = self.pid else {
            return vec![name, "not running".to_owned()];
        };
        let up = Clock::System.now_ms().saturating_sub(self.started_at.unwrap_or_default());
        vec![
            name,
            "running".to_owned(),
            pid.to_string(),
            self.version.clone().unwrap_or_default(),
            format::duration(up),
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
    let (gateway, scheduler) = (Process::of(home, Daemon::Gateway), Process::of(home, Daemon::Scheduler));
    let info = scheduler.pid.and_then(|pid| SchedulerInfo::read(&home.scheduler_json(), pid));
    let notifies = scheduler.pid.and_then(|pid| notifies(home, pid));
    let told = gateway.running.then(|| ask(home));
    let halted = halt::is_set(home);
    let exit = if gateway.running && scheduler.running { Exit::Ok } else { Exit::Unproven };
    if args.json {
        let overview = Overview {
            home: home.root().display().to_string(),
            halted,
            gateway,
            scheduler,
            system: told.and_then(Result::ok),
            works_with: info,
            notifies,
        };
        if args.watch {
            output::json_line(&overview)?;
        } else {
            output::json(&overview)?;
        }
        return Ok(exit);
    }
    let rows = vec![gateway.row(Daemon::Gateway), scheduler.row(Daemon::Scheduler)];
    output::data(table::render(&HEADINGS, rows))?;
    output::data("")?;
    match &told {
        Some(Ok(system)) => {
            output::data(format::field("link", link(system)))?;
            output::data(format::field("goals", goals(system)))?;
            output::data(format::field("lanes", lanes(system, info.as_ref())))?;
            if let Some(disk) = &system.disk {
                output::data(format::field("disk", room(disk)))?;
            }
        }
        Some(Err(failure)) => output::failure(failure),
        None => {}
    }
    if let Some(info) = &info {
        output::data(format::field("models", models(info)))?;
        output::data(format::field("agents", agents(info)))?;
    }
    if let Some(notifies) = &notifies {
        output::data(format::field("notify", notified(notifies)))?;
    }
    if halted {
        let text = "everything was stopped with pb stop --all; nothing starts until: pb start";
        output::data(format::field("halted", styled(WARN, text)))?;
    }
    output::data(format::field("home", home.root().display()))?;
    Ok(exit)
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

fn ask(home: &Home) -> Result<StatusResult, Failure> {
    wait::client(async {
        Ok(connection::client(home, Patience::None)
            .call::<system::Status>(&StatusParams { brief: true })
            .await?)
    })
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
        models => format::line(&models.join(", ")),
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
fn agents(info: &SchedulerInfo) -> String {
    match (info.confines, info.allow_unconfined_agents) {
        (true, false) => "confined by the kernel".to_owned(),
        (true, true) => styled(WARN, "confined by the kernel; config.toml allows them where it cannot"),
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
