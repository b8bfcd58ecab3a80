//! The commands, one file each. A new one is a file and a line here.

mod backup;
mod chat;
mod completions;
mod console;
mod cost;
mod debug;
mod doctor;
pub(crate) mod gateway;
mod gc;
pub(crate) mod goal;
mod inbox;
mod log;
mod logs;
mod models;
mod notify;
mod reset;
mod restart;
mod restore;
mod run;
mod schedule;
pub(crate) mod scheduler;
mod self_check;
mod service;
mod start;
mod status;
mod stop;
mod supervise;
mod tokens;
mod work;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;

/// What `pb` can be told to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::Args),
    Chat(chat::Args),
    Work(work::Args),
    Goal(goal::Args),
    Schedule(schedule::Args),
    Inbox(inbox::Args),
    #[command(visible_alias = "open")]
    Console(console::Args),
    Models(models::Args),
    Cost(cost::Args),
    Notify(notify::Args),
    Start(start::Args),
    Stop(stop::Args),
    Restart(restart::Args),
    Status(status::Args),
    Doctor(doctor::Args),
    SelfCheck(self_check::Args),
    Logs(logs::Args),
    Log(log::Args),
    Service(service::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Gc(gc::Args),
    Reset(reset::Args),
    Supervise(supervise::Args),
    Gateway(gateway::Args),
    Scheduler(scheduler::Args),
    Debug(debug::Args),
    Completions(completions::Args),
}

impl Command {
    /// Does it.
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Run(args) => run::run(&args),
            Self::Chat(args) => chat::run(args),
            Self::Work(args) => work::run(args),
            Self::Schedule(args) => schedule::run(args),
            Self::Inbox(args) => inbox::run(args),
            Self::Console(args) => console::run(&args),
            Self::Models(args) => models::run(&args),
            Self::Cost(args) => cost::run(args),
            Self::Notify(args) => notify::run(&args),
            Self::Goal(args) => goal::run(args),
            Self::Start(args) => start::run(&args),
            Self::Stop(args) => stop::run(&args),
            Self::Restart(args) => restart::run(&args),
            Self::Status(args) => status::run(&args),
            Self::Doctor(args) => doctor::run(&args),
            Self::SelfCheck(args) => self_check::run(&args),
            Self::Logs(args) => logs::run(&args),
            Self::Log(args) => log::run(args),
            Self::Service(args) => service::run(args),
            Self::Backup(args) => backup::run(&args),
            Self::Restore(args) => restore::run(&args),
            Self::Gc(args) => gc::run(&args),
            Self::Reset(args) => reset::run(&args),
            Self::Supervise(args) => supervise::run(args),
            Self::Gateway(args) => gateway::run(args),
            Self::Scheduler(args) => scheduler::run(args),
            Self::Debug(args) => debug::run(args),
            Self::Completions(args) => completions::run(&args),
        }
    }
}
