//! `goal.diff`: the scheduler is asked over the link, and what it says is told.

use pb_protocol::ipc::{Frame, GoalDiffTold};
use pb_protocol::methods::goal_diff::{DiffResult, FileChange};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Client, Scheduler, TestHome, eventually, goal_params};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduler_compares_the_folder_and_says_why_it_cannot() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let mut client = Client::connect(gateway.address).await;
    eventually("the scheduler is connected", async || {
        client.call("system.status", json!({"brief": true})).await.unwrap()["scheduler"]["isConnected"]
            == true
    })
    .await;
    let goal = client.call("goal.submit", goal_params("mine")).await.unwrap();
    let id = goal["id"].as_str().unwrap().to_owned();
    scheduler.execute().await;

    let change = FileChange {
        path: "报告.md".to_owned(),
        change: "added".to_owned(),
        diff: Some("--- /dev/null\n+++ b/报告.md\n@@ -0,0 +1 @@\n+周报\n".to_owned()),
    };
    let result = DiffResult { changes: vec![change], left_out: 3 };
    for (result, error) in [(Some(result.clone()), None), (None, Some("it was not kept".to_owned()))] {
        let asking = client.call("goal.diff", json!({"goalId": id}));
        let answering = async {
            let asked = loop {
                match scheduler.link().frame().await {
                    Some(Frame::GoalDiff(asked)) => break asked,
                    Some(_) => {}
                    None => panic!("the link ended"),
                }
            };
            assert_eq!(asked.goal_id, id);
            let told =
                GoalDiffTold { request_id: asked.request_id, result: result.clone(), error: error.clone() };
            scheduler.link().send(&Frame::GoalDiffTold(Box::new(told))).await;
        };
        let (told, ()) = tokio::join!(asking, answering);
        match (result, error) {
            (Some(result), _) => assert_eq!(told.unwrap(), serde_json::to_value(result).unwrap()),
            (None, error) => {
                let hint = format!("on the machine itself: pb goal diff {id}");
                let expected = json!({"code": -32022, "message": error, "data": {"hint": hint}});
                assert_eq!(told.unwrap_err(), expected);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_scheduler_nobody_compares() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::start(&at).await;
    let mut client = Client::connect(gateway.address).await;
    let goal = client.call("goal.submit", goal_params("mine")).await.unwrap();
    scheduler.execute().await;
    let refused = client.call("goal.diff", json!({"goalId": goal["id"]})).await.unwrap_err();
    assert_eq!(refused["message"], "the scheduler compares the files: it is not connected");
}
