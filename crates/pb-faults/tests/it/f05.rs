use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pb_model::goal::{Command, GoalState, Want};
use pb_runtime::{Clock, Home, Ids, Tasks};
use pb_scheduler::simulation::{Incarnation, World};
use pb_store::{Inbox, Location, NewCommand};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::smoke;

/// Among its seeds are two that found bugs. 12: a goal was cancelled, the scheduler died while a command ran,
/// and the next one could never end the goal. 4: while results were decided one by one after a commit that
/// failed, the command of a later one was run again.
#[test]
fn whatever_crashes_when_every_goal_ends_once() {
    smoke("F5", 1);
}

/// A machine on which nothing ever happens.
#[derive(Debug)]
struct Idle;

impl World for Idle {
    fn perform(&self, _: GoalState, _: Want, _: CancellationToken) -> BoxFuture<'static, Option<Command>> {
        std::future::pending().boxed()
    }
}

#[tokio::test]
async fn a_scheduler_whose_store_fails_ends_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path()).unwrap();
    home.prepare().unwrap();
    let config = pb_scheduler::Config {
        db: home.state_db(),
        socket: home.gateway_socket(),
        exe: "/bin/false".into(),
        clock: Clock::System,
        ids: Ids::seeded(Clock::System, 1),
        home: home.clone(),
    };
    let inbox = Inbox::open(Location::File(home.gateway_db()), "inbox-1".to_owned()).await.unwrap();
    let incarnation = Incarnation::start(config).await.unwrap();
    rusqlite::Connection::open(home.state_db()).unwrap().execute_batch("DROP TABLE event").unwrap();
    let goal = "goal_00000000000000000000000000000001";
    let spec = json!({"title": "a goal", "description": "", "items": [
        {"id": "a", "work": {"kind": "command", "argv": ["true"]}}
    ]});
    let command = NewCommand {
        id: "1".to_owned(),
        params_digest: String::new(),
        actor: "ann".to_owned(),
        method: "goal.submit".to_owned(),
        params: json!({"goalId": goal, "spec": spec}).to_string(),
        goal: goal.to_owned(),
        at_ms: 1,
    };
    inbox.put(command).await.unwrap();
    let tasks = Tasks::new();
    let ended = incarnation.run(Arc::new(Idle), tasks.clone(), CancellationToken::new());
    let ended = tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it goes on half dead");
    assert!(ended.is_err(), "{ended:?}");
    assert!(tasks.stop(Duration::from_secs(5)).await);
}
