//! What the processes write into their logs is asked and changed over the link; who may not, or asks wrongly, changes
//! nothing.

use pb_protocol::ipc::{Frame, LogLevels, LogLevelsChange, LogLevelsTold};
use pb_protocol::methods::log::Levels;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Client, Scheduler, TestHome, eventually};

/// The next question about the log, past pings and bells.
async fn asked(scheduler: &mut Scheduler) -> LogLevels {
    loop {
        match scheduler.link().frame().await {
            Some(Frame::LogLevels(asked)) => return asked,
            Some(_) => {}
            None => panic!("the link ended"),
        }
    }
}

async fn answer(scheduler: &mut Scheduler, asked: &LogLevels, levels: Result<&str, &str>) {
    let told = LogLevelsTold {
        request_id: asked.request_id.clone(),
        levels: levels.ok().map(|now| Levels { now: now.to_owned(), usual: "info".to_owned(), kept: None }),
        error: levels.err().map(str::to_owned),
    };
    scheduler.link().send(&Frame::LogLevelsTold(Box::new(told))).await;
}

fn of<'v>(told: &'v Value, process: &str) -> &'v Value {
    told["processes"].as_array().unwrap().iter().find(|one| one["process"] == process).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scheduler_is_asked_over_the_link_and_what_it_says_is_told() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let told = client.call("log.levels", json!({})).await.unwrap();
    assert_eq!(of(&told, "scheduler")["problem"], "it is not connected");

    let mut scheduler = Scheduler::connected(&at).await;
    eventually("the scheduler is connected", async || {
        client.call("system.status", json!({})).await.unwrap()["scheduler"]["isConnected"] == true
    })
    .await;
    let params = json!({"filter": "scheduler=debug", "keep": true, "process": "scheduler"});
    let (told, question) = tokio::join!(client.call("log.setLevels", params), async {
        let question = asked(&mut scheduler).await;
        answer(&mut scheduler, &question, Ok("info,scheduler=debug")).await;
        question
    });
    let change = LogLevelsChange { filter: Some("pb_scheduler=debug".to_owned()), keep: true };
    assert_eq!(question.change, Some(change));
    let levels = json!({"now": "info,scheduler=debug", "usual": "info"});
    assert_eq!(told.unwrap(), json!({"processes": [{"process": "scheduler", "levels": levels}]}));

    let (told, question) = tokio::join!(client.call("log.levels", json!({})), async {
        let question = asked(&mut scheduler).await;
        // An answer to nothing that was asked is passed over.
        answer(&mut scheduler, &LogLevels { request_id: "other".to_owned(), change: None }, Ok("lies")).await;
        answer(&mut scheduler, &question, Err("this process has no log")).await;
        question
    });
    assert_eq!(question.change, None);
    assert_eq!(of(&told.unwrap(), "scheduler")["problem"], "this process has no log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_that_is_wrong_is_refused_and_nobody_is_asked() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut told = Vec::new();
    for params in [
        json!({"filter": "scheduler=debg"}),
        json!({"filter": "info,genai=trace"}),
        json!({"filter": ""}),
        json!({"filter": "info", "process": "keeper"}),
    ] {
        told.push(client.call("log.setLevels", params).await.unwrap_err().to_string());
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    {"code":-32602,"message":"Invalid params: filter: `debg` is no level","data":{"hint":"such as scheduler=debug,store=trace; levels are off, error, warn, info, debug, trace; parts are gateway, scheduler, store, exec, llm, tools, protocol, runtime and names of crates"}}
    {"code":-32602,"message":"Invalid params: filter: what `genai` tells is never written: it may quote a key","data":{"hint":"such as scheduler=debug,store=trace; levels are off, error, warn, info, debug, trace; parts are gateway, scheduler, store, exec, llm, tools, protocol, runtime and names of crates"}}
    {"code":-32602,"message":"Invalid params: filter: a filter says which levels are told, and this one is empty","data":{"hint":"such as scheduler=debug,store=trace; levels are off, error, warn, info, debug, trace; parts are gateway, scheduler, store, exec, llm, tools, protocol, runtime and names of crates"}}
    {"code":-32602,"message":"Invalid params: process: `keeper` is neither gateway nor scheduler"}
    "#);
}
