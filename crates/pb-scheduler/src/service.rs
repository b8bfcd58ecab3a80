//! Starting and running the daemon: lock, log, recovery, then the loop and its two helpers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pb_model::goal::{Command, ExecutionOutcome};
use pb_model::session::SessionCommand;
use pb_model::{Epoch, GoalId};
use pb_runtime::config::{Config as Settings, ConfigError};
use pb_runtime::faultpoints::{Bug, planted};
use pb_runtime::lock::LockError;
use pb_runtime::{Clock, Home, Ids, ProcessLock, Tasks};
use pb_store::{Location, Log, LogIdentity, Mark};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::commands::{self, Bell};
use crate::day::DayLedger;
use crate::driver::{Channels, Driver, Input};
use crate::effects::{Context, Machine};
use crate::goals::Goals;
use crate::heart::Heart;
use crate::link::LinkTask;
use crate::notify::Teller;
use crate::retention::{PARTS_WAITING_MAX, Retain};
use crate::sandbox::Sandbox;
use crate::schedules::Schedules;
use crate::trace::{About, Plain, TraceTask, Tracer, What};
use crate::turn::{Papers, Turn};
use crate::{effects, link, recovery, tell, trace};

/// Most inputs that wait for the loop.
pub(crate) const INPUTS_WAITING_MAX: usize = 1024;
/// How long the link has to say goodbye.
const GOODBYE_MAX: Duration = Duration::from_secs(1);
/// How long the helpers of the loop have to end.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// What a scheduler is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything lies.
    pub home: Home,
    /// The log's file.
    pub db: PathBuf,
    /// The gateway's socket.
    pub socket: PathBuf,
    /// The binary that provides `__exec`.
    pub exe: PathBuf,
    /// The clock.
    pub clock: Clock,
    /// Fresh ids.
    pub ids: Ids,
}

/// Why a scheduler does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another one holds the home.
    #[error("the scheduler is not started: {0}")]
    Lock(#[from] LockError),
    /// The log cannot be used.
    #[error("the log cannot be used")]
    Store(#[from] pb_store::Error),
    /// The settings are wrong.
    #[error("the settings cannot be used")]
    Config(#[from] ConfigError),
}

/// A scheduler that holds its home.
#[derive(Debug)]
pub struct Scheduler {
    core: Core,
    link_task: LinkTask,
    trace_task: TraceTask,
    /// Absent where nobody is to be told.
    teller: Option<Teller>,
    /// Held for as long as anything of ours may write the log.
    lock: ProcessLock,
}

impl Scheduler {
    /// Takes the lock, opens the log and takes over what an earlier incarnation left.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let settings = Settings::read(&config.home.config())?;
        let lock = ProcessLock::acquire(&config.home.scheduler_lock(), config.clock.now_ms())?;
        let mark = Mark::read(&config.home.state_mark());
        let fresh_id = config.ids.uuid().simple().to_string();
        let log = Log::open(Location::File(config.db.clone()), fresh_id, mark.clone()).await?;
        let epoch = log.identity().incarnation;
        let sandbox = Sandbox::new(config.home.clone(), &config.db, &settings.sandbox);
        let bell = Bell::default();
        let (link, link_task) = link::link(config.clone(), log.identity(), bell.clone());
        let (tracer, trace_task) = trace::trace(config.clone(), settings.trace, link.clone());
        tracer.tell(About::default(), || startup(epoch));
        let teller =
            Teller::new(config.clone(), settings.notify.clone(), log.reader(), log.identity()).await?;
        let goals = Goals::new(DayLedger::new(&settings.budget));
        let goals = take_over(&config, &log, mark.map(|mark| mark.at_ms), (goals, &tracer)).await?;
        let told = (link, tracer);
        let context = Arc::new(Context::new(config.clone(), (log.reader(), epoch), sandbox, told, settings));
        recovery::clear_temporary(&config.home).await;
        Ok(Self { core: Core { context, log, goals, bell }, link_task, trace_task, teller, lock })
    }

    /// The loop and its lock, to be run on another machine.
    pub(crate) fn into_core(self) -> (Core, ProcessLock) {
        (self.core, self.lock)
    }

    /// Which history it writes.
    pub fn log(&self) -> &LogIdentity {
        self.core.log.identity()
    }

    /// Whether it lives.
    pub fn heart(&self) -> Heart {
        Heart { turns: self.core.context.turns.subscribe(), log: self.core.log.reader() }
    }

    /// Runs until `stop` is cancelled, then lets running steps end for a while.
    ///
    /// # Errors
    /// The store failed in a way that only a new start can mend.
    pub async fn run(self, stop: CancellationToken) -> Result<(), pb_store::Error> {
        let tasks = Tasks::new();
        let context = Arc::clone(&self.core.context);
        let started_ms = context.config.clock.now_ms();
        tasks.spawn("models", tell::models(Arc::clone(&context)));
        if let Some(teller) = self.teller {
            let (bell, stopping) = (context.notify.clone(), stop.clone());
            tasks.spawn("notify", async move {
                // What is not told is told at the next start.
                let _ = Box::pin(stopping.run_until_cancelled(teller.run(bell))).await;
            });
        }
        let (stop_link, stop_trace) = (CancellationToken::new(), CancellationToken::new());
        // Apart from the others, which the loop cancels when it ends: the link says goodbye after that.
        let link_tasks = Tasks::new();
        let linked = link_tasks.spawn("link", link::run(self.link_task, stop_link.clone()));
        let tracing = tasks.spawn("trace", trace::run(self.trace_task, stop_trace.clone()));
        let (sender, receiver) = mpsc::channel::<Input>(INPUTS_WAITING_MAX);
        let (compacted, parts) = mpsc::channel(PARTS_WAITING_MAX);
        let retain = Retain {
            home: context.config.home.clone(),
            db: context.config.db.clone(),
            settings: context.settings.retention.clone(),
            clock: context.config.clock.clone(),
            ids: context.config.ids.clone(),
            bell: context.retention.clone(),
            inputs: sender.clone(),
            parts,
        };
        let stopping = stop.clone();
        tasks.spawn("retention", async move {
            // What is half compacted goes on at the next start.
            let _ = stopping.run_until_cancelled(retain.run()).await;
        });
        let machine = Arc::clone(&context) as Arc<dyn Machine>;
        let channels = Channels { sender, receiver, compacted };
        let ended = self.core.run(machine, channels, tasks.clone(), stop).await;
        let reason = ended.as_ref().err().map_or_else(|| "stopped".to_owned(), ToString::to_string);
        let duration_ms = context.config.clock.now_ms().saturating_sub(started_ms);
        context.tracer.tell(About::default(), || What::Shutdown { reason, duration_ms });
        stop_trace.cancel();
        // What cannot be written in time is not worth more.
        let _ = tokio::time::timeout(STOP_DEADLINE, tracing).await;
        stop_link.cancel();
        // A gateway that does not read is not waited for.
        let _ = tokio::time::timeout(GOODBYE_MAX, linked).await;
        link_tasks.stop(GOODBYE_MAX).await;
        tasks.stop(STOP_DEADLINE).await;
        ended
    }
}

/// What the loop works with: the scheduler without what only other processes see.
#[derive(Debug)]
pub(crate) struct Core {
    context: Arc<Context>,
    log: Log,
    goals: Goals,
    bell: Bell,
}

impl Core {
    /// Runs until `stop` is cancelled, then lets running steps end for a while.
    pub(crate) async fn run(
        self,
        machine: Arc<dyn Machine>,
        channels: Channels,
        tasks: Tasks,
        stop: CancellationToken,
    ) -> Result<(), pb_store::Error> {
        let watch =
            commands::watch(Arc::clone(&self.context), self.log.reader(), self.bell, channels.sender.clone());
        let watching = tasks.spawn("inbox", watch).abort_handle();
        let asked = stop.clone();
        tasks.spawn("draining", async move {
            asked.cancelled().await;
            watching.abort(); // No new commands while draining; they stay in the inbox.
        });
        let parts = (self.context, machine);
        // When the store fails this ends at once, asked or not: only a new start can mend it.
        Driver::new(parts, self.log, self.goals, channels, tasks).run(stop).await
    }
}

fn startup(epoch: Epoch) -> What {
    let config = json!({"version": pb_runtime::VERSION, "pid": std::process::id(), "epoch": epoch});
    What::Startup { config: Plain(config) }
}

/// Loads every goal that has not ended, and claims what an earlier incarnation was doing.
async fn take_over(
    config: &Config,
    log: &Log,
    alive_until_ms: Option<u64>,
    (mut goals, tracer): (Goals, &Tracer),
) -> Result<Goals, StartError> {
    let states = log.reader().open_goals().await?;
    recovery::end_leftovers(&states).await;
    recovery::remove_unfinished(&states).await;
    let epoch = log.identity().incarnation;
    let mut turn = Turn::new(config.clock.clone(), config.ids.clone(), tracer);
    let running: Vec<_> = states
        .iter()
        .filter(|state| state.running().next().is_some())
        .map(|state| (state.goal.id, alive_until_ms.unwrap_or(0).max(state.goal.updated_at_ms)))
        .collect();
    for state in states {
        goals.put(state);
    }
    *goals.schedules_mut() = Schedules::load(&log.reader()).await?;
    goals.load_sessions(&log.reader()).await?;
    goals.turn_day(config.clock.now_ms(), &log.reader()).await?;
    for (id, last_seen) in running {
        if planted(Bug::StartsOver) {
            start_over(&mut turn, &mut goals, id);
        }
        let command = Command::TakeOver { epoch, alive_until_ms: last_seen };
        if let Err(rejection) = turn.decide(&mut goals, id, command, &Papers::default()) {
            tracing::error!(goal = %id, %rejection, "cannot take a goal over");
        }
    }
    let talking: Vec<_> =
        goals.sessions().iter().filter(|session| session.call.is_some()).map(|session| session.id).collect();
    for id in talking {
        if let Err(rejection) = turn.decide_session(&mut goals, id, SessionCommand::TakeOver) {
            tracing::error!(session = %id, %rejection, "cannot take a conversation over");
        }
    }
    if !turn.is_empty() {
        let outcome = turn.finish();
        log.commit(outcome.batch).await?;
        for note in outcome.notes {
            tracer.note(note);
        }
    }
    Ok(goals)
}

/// The planted bug: every command that was running has failed, so another attempt is made, or none.
fn start_over(turn: &mut Turn, goals: &mut Goals, goal: GoalId) {
    let Some(state) = goals.get(goal) else { return };
    let runs: Vec<_> = state.running().map(|run| (run.id, run.epoch)).collect();
    for (run, epoch) in runs {
        let execution = Box::new(effects::nothing(ExecutionOutcome::Signaled { signal: 9 }));
        let command = Command::FinishExecution { run, epoch, execution };
        // A conversation has no command that could have failed.
        let _ = turn.decide(goals, goal, command, &Papers::default());
    }
}
