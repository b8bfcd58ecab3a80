//! The bugs of the scheduler that faults found, each alone: the real loop on a machine where nothing ends by
//! itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pb_model::goal::{Command, Execution, ExecutionOutcome, GoalState, GoalStatus, Want};
use pb_model::{GoalId, RunId};
use pb_runtime::{Clock, Home, Ids, Tasks};
use pb_scheduler::simulation::{Incarnation, Results, World};
use pb_store::{Inbox, Location, LogReader, NewCommand};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long anything may take; the clock of these tests stands still while nothing is to be done.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A machine on which nothing ends; it notes what was executed.
#[derive(Debug, Default)]
struct Endless {
    executed: Mutex<Vec<RunId>>,
}

impl World for Endless {
    fn perform(&self, _: GoalState, want: Want, _: CancellationToken) -> BoxFuture<'static, Option<Command>> {
        match want {
            Want::Execute(run) => self.executed.lock().unwrap_or_else(PoisonError::into_inner).push(run),
            Want::Publish => {
                let (rechecked, artifacts) = (Vec::new(), Vec::new());
                let command = Command::FinishPublish { rechecked, round: None, artifacts, unlisted: 0 };
                return async { Some(command) }.boxed();
            }
            Want::Stop(_) => return async { None }.boxed(),
            _ => {}
        }
        std::future::pending().boxed()
    }
}

/// A home, its inbox, and who reads its log.
struct Bench {
    _folder: TempDir,
    home: Home,
    inbox: Inbox,
    machine: Arc<Endless>,
}

/// A scheduler that runs.
struct Running {
    tasks: Tasks,
    results: Results,
    ended: JoinHandle<Result<(), pb_store::Error>>,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path()).unwrap();
        home.prepare().unwrap();
        let inbox = Inbox::open(Location::File(home.gateway_db()), "inbox-1".to_owned()).await.unwrap();
        Self { _folder: folder, home, inbox, machine: Arc::default() }
    }

    #[expect(clippy::disallowed_methods, reason = "the test crashes it, and asks how it ended")]
    async fn start(&self) -> Running {
        let clock = Clock::System;
        let config = pb_scheduler::Config {
            db: self.home.state_db(),
            socket: self.home.gateway_socket(),
            exe: "/bin/false".into(),
            ids: Ids::seeded(clock.clone(), 1),
            clock,
            home: self.home.clone(),
        };
        let incarnation = Incarnation::start(config).await.unwrap();
        let (tasks, results) = (Tasks::new(), incarnation.results());
        let world = Arc::clone(&self.machine) as Arc<dyn World>;
        let ended = tokio::spawn(incarnation.run(world, tasks.clone(), CancellationToken::new()));
        Running { tasks, results, ended }
    }

    async fn put(&self, method: &str, goal: GoalId, params: Value) {
        let command = NewCommand {
            id: format!("{method} {goal}"),
            params_digest: String::new(),
            actor: "ann".to_owned(),
            method: method.to_owned(),
            params: params.to_string(),
            goal: goal.to_string(),
            at_ms: 1,
        };
        self.inbox.put(command).await.unwrap();
    }

    /// Asks for a goal of one unsafe command.
    async fn submit(&self, number: u128) -> GoalId {
        let goal = GoalId::from(uuid::Uuid::from_u128(number));
        let item = json!({"id": "a", "work": {"kind": "command", "argv": ["true"], "effect": "unsafe"}});
        let spec = json!({"title": "a goal", "description": "", "items": [item]});
        self.put("goal.submit", goal, json!({"goalId": goal, "spec": spec})).await;
        goal
    }

    /// Waits until the log shows a goal as it is looked for.
    async fn wait(&self, goal: GoalId, what: &str, is_it: impl Fn(&GoalState) -> bool) -> GoalState {
        let log = LogReader::open(&self.home.state_db()).await.unwrap();
        let looking = async {
            loop {
                if let Some(state) = log.state(goal).await.unwrap().filter(&is_it) {
                    return state;
                }
                tokio::time::sleep(Duration::from_millis(10)).await; // wait: a file rings no bell
            }
        };
        let found = tokio::time::timeout(TIMEOUT, looking).await;
        assert!(found.is_ok(), "not {what}");
        found.unwrap()
    }

    async fn running(&self, goal: GoalId) -> GoalState {
        self.wait(goal, "running", |state| state.running().next().is_some()).await
    }

    fn executed(&self, run: RunId) -> usize {
        let executed = self.machine.executed.lock().unwrap_or_else(PoisonError::into_inner);
        executed.iter().filter(|executed| **executed == run).count()
    }
}

impl Running {
    async fn crash(self) {
        self.ended.abort();
        assert!(self.tasks.stop(TIMEOUT).await);
        assert!(self.ended.await.is_err_and(|error| error.is_cancelled()));
    }
}

fn succeeded(state: &GoalState) -> (Want, Command) {
    let run = state.running().next().unwrap();
    let execution = Execution {
        outcome: ExecutionOutcome::Exited { code: 0 },
        duration_ms: 1,
        output_digest: String::new(),
        output_bytes: 0,
        output_tail: String::new(),
        unconfined: None,
    };
    let command = Command::FinishExecution { run: run.id, epoch: run.epoch, execution: Box::new(execution) };
    (Want::Execute(run.id), command)
}

fn sql(home: &Home, text: &str) {
    rusqlite::Connection::open(home.state_db()).unwrap().execute_batch(text).unwrap();
}

/// F5 found: the result of the stop had no step to be written to, was refused by the store, and came again.
#[tokio::test(start_paused = true)]
async fn a_goal_that_was_cancelled_before_a_crash_ends_after_it() {
    let bench = Bench::new().await;
    let first = bench.start().await;
    let goal = bench.submit(1).await;
    bench.running(goal).await;
    bench.put("goal.cancel", goal, json!({"goalId": goal})).await;
    bench.wait(goal, "being cancelled", |state| state.goal.cancel.is_some()).await;
    first.crash().await;
    let second = bench.start().await;
    bench.wait(goal, "cancelled", |state| state.goal.status == GoalStatus::Cancelled).await;
    second.crash().await;
}

/// F5 found: while results of a batch that the store refused were decided one by one, those that still waited
/// counted as not in flight, and what they were the results of was done again.
#[tokio::test(start_paused = true)]
async fn a_batch_that_is_refused_makes_nothing_run_twice() {
    let bench = Bench::new().await;
    let running = bench.start().await;
    let (bad, good) = (bench.submit(1).await, bench.submit(2).await);
    let (bad_state, good_state) = (bench.running(bad).await, bench.running(good).await);
    let (bad_run, good_run) = (bad_state.runs[0].id, good_state.runs[0].id);
    // The store will refuse the result of a step that is not there.
    sql(&bench.home, &format!("DELETE FROM step WHERE run = '{bad_run}'"));
    for state in [&bad_state, &good_state] {
        let (want, command) = succeeded(state);
        running.results.hand_in(state, want, command).await;
    }
    bench.wait(good, "completed", |state| state.goal.status == GoalStatus::Completed).await;
    assert_eq!((bench.executed(bad_run), bench.executed(good_run)), (1, 1));
    running.crash().await;
}

/// What comes late from an earlier incarnation changes nothing, and ends nothing that is in flight.
#[tokio::test(start_paused = true)]
async fn a_late_result_of_an_earlier_incarnation_changes_nothing() {
    let bench = Bench::new().await;
    let first = bench.start().await;
    let goal = bench.submit(1).await;
    let before = bench.running(goal).await;
    first.crash().await;
    let second = bench.start().await;
    let blocked = bench.wait(goal, "blocked", |state| state.goal.status == GoalStatus::Blocked).await;
    let (want, command) = succeeded(&before);
    second.results.hand_in(&before, want, command).await;
    let other = bench.submit(2).await;
    bench.running(other).await;
    assert_eq!(bench.wait(goal, "there", |_| true).await, blocked);
    assert_eq!(bench.executed(before.runs[0].id), 1);
    second.crash().await;
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_whose_store_fails_ends_and_says_so() {
    let bench = Bench::new().await;
    let running = bench.start().await;
    sql(&bench.home, "DROP TABLE event");
    bench.submit(1).await;
    let ended = tokio::time::timeout(TIMEOUT, running.ended).await.expect("it goes on half dead").unwrap();
    assert!(ended.is_err(), "{ended:?}");
    assert!(running.tasks.stop(TIMEOUT).await);
}
