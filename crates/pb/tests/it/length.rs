//! Conversations that outgrow their model's window: told in short, the same after a crash, and done all the same.

use std::fs;

use pb_testkit::model_server::{Captured, Conversation, Fault, Reply, When, Wire};
use serde_json::{Value, json};

use crate::agent_support::of_kind;
use crate::env::wait_until;
use crate::machine::{assert_gapless, item};
use crate::model::{Scripted, agent_file, finish, said};

/// Files that the agent reads, and how long each is, in bytes.
const FILES: usize = 30;
const FILE_BYTES: usize = 8 * 1024;
/// What the model takes in, in tokens: a seventh of all files.
const CONTEXT_TOKENS: u64 = 16_000;
/// No request may have more bytes than that many tokens.
const REQUEST_BYTES_MAX: usize = 60_000;
/// The file at which the scheduler is killed.
const KILLED_AT: usize = 20;

/// What stands at the beginning of a file, and nowhere else.
fn mark(file: usize) -> String {
    format!("beginning of {file}.")
}

/// The reply to a request whose newest file is this one: scripts go by what they see, for how many answers
/// there were is told in short.
fn after(file: usize, reply: Reply) -> Conversation {
    let when = if file == 0 { When::default() } else { When::contains(mark(file)) };
    Conversation::new(when, [reply]).repeat_last()
}

fn read(file: usize) -> Reply {
    Reply::call("read_file", json!({"path": format!("{file}.txt")})).hold(hold(file))
}

fn hold(file: usize) -> String {
    format!("file {file}")
}

/// Reads one file after the other, writes what was asked for, and ends.
fn reader() -> Vec<Conversation> {
    let done = Reply::call("write_file", json!({"path": "done", "content": "30"}));
    let written = Conversation::new(When::contains("made done"), [finish("all are read")]).repeat_last();
    let mut all = vec![written, after(FILES, done)];
    all.extend((0..FILES).rev().map(|file| after(file, read(file + 1))));
    all
}

fn begin(context_tokens: u64, conversations: Vec<Conversation>) -> (Scripted, String) {
    let settings = format!("[context_tokens]\n\"scripted/scripted\" = {context_tokens}");
    let scripted = Scripted::on(Wire::OpenAi, &settings, conversations);
    let env = &scripted.env;
    fs::create_dir_all(env.file("out")).unwrap();
    for file in 1..=FILES {
        let line = format!("第 {file} 号文件 line\n");
        let text = format!("{}\n{}", mark(file), line.repeat(FILE_BYTES / line.len()));
        fs::write(env.file(&format!("out/{file}.txt")), text).unwrap();
    }
    env.write("goal.toml", &agent_file("读完所有文件", "guards = false\nmax_turns = 60"));
    let goal = env.detach(&["goal.toml"]);
    (scripted, goal)
}

fn bytes(request: &Captured) -> usize {
    request.body["messages"].to_string().len()
}

fn condensed(scripted: &Scripted, goal: &str) -> (Vec<Value>, Vec<Value>) {
    let events = scripted.env.events(goal);
    assert_gapless(&events);
    let condensed = of_kind(&events, "conversation.condensed").into_iter().cloned().collect();
    (events, condensed)
}

#[test]
fn an_agent_reads_more_than_its_model_takes_in_and_goes_on_the_same_after_a_kill() {
    let (scripted, goal) = begin(CONTEXT_TOKENS, reader());
    let (env, model) = (&scripted.env, &scripted.model);
    for file in 1..KILLED_AT {
        model.release(&hold(file));
    }
    model.wait_until_held(&hold(KILLED_AT)).unwrap();
    env.kill9("scheduler");
    let before = model.requests();
    let last = before.last().unwrap().clone();
    env.start_daemon("scheduler");
    wait_until("the model is asked again", || (model.requests().len() > before.len()).then_some(()));
    let again = model.requests()[before.len()].clone();
    assert_eq!(again.body, last.body, "a continued conversation is the same");
    for file in KILLED_AT..=FILES {
        model.release(&hold(file));
    }
    assert_eq!(env.watch(&goal), Some(0));

    let requests = model.requests();
    assert!(requests.len() > FILES, "{}", requests.len());
    let longest = requests.iter().map(bytes).max().unwrap();
    assert!(longest < REQUEST_BYTES_MAX, "{longest} bytes");
    let (_, condensed) = condensed(&scripted, &goal);
    let times = condensed.len();
    assert!((2..FILES / 2).contains(&times), "told in short {times} times");
    let sum: u64 = condensed.iter().map(|event| event["data"]["bytes"].as_u64().unwrap()).sum();
    assert!(sum > 100_000, "{sum} bytes were left out");
    // In between each request begins with all of the one before it.
    let begins = |pair: &&[Captured]| {
        let [one, next] = [0, 1].map(|place| pair[place].body["messages"].as_array().unwrap());
        next.starts_with(one)
    };
    let same = requests.windows(2).filter(begins).count();
    assert!(same + times >= requests.len() - 1, "{same} of {} begin as the one before", requests.len());

    // The end: what was asked for stands first and last of what is told in short.
    let end = requests.last().unwrap();
    let text = said(end);
    for told in [
        "You are a worker in a folder",
        "Make the file done.",
        "- read_file {\"path\":\"1.txt\"}: done, ",
        "# What still counts",
        "- Checked when you finish: done exists",
        "- Limit: 60 answers in all",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let shown = env.show(&goal);
    assert_eq!((&shown["status"], &shown["verdict"]), (&json!("completed"), &json!("verified")));
    let traced = env.pb(["debug", "events", "--goal", &goal, "--type", "scheduler.conversation", "--json"]);
    assert!(traced.raw_stdout.contains("scheduler.conversation.condensed"), "{traced}");
    let told = env.pb(["goal", "watch", &goal]);
    assert!(told.stderr.contains("the conversation is too long for the model: "), "{told}");
}

/// A server that takes in less than it is thought to.
#[test]
fn a_request_that_is_refused_for_its_length_is_made_shorter_and_asked_again() {
    /// The place of its conversation in the script.
    const REFUSED: usize = 2;
    let body = json!({"error": {"message": "This model's maximum context length is 4096 tokens"}});
    let refused =
        Conversation::new(When::contains(mark(6)), [Reply::broken(Fault::status_with_body(400, body))]);
    let done = Conversation::new(
        When::contains("left out to make room"),
        [Reply::call("write_file", json!({"path": "done", "content": "6"}))],
    );
    let mut all = vec![
        Conversation::new(When::contains("made done"), [finish("all are read")]).repeat_last(),
        done.repeat_last(),
        refused.repeat_last(),
    ];
    all.extend((0..6).rev().map(|file| after(file, Reply { hold: None, ..read(file + 1) })));
    let (scripted, goal) = begin(200_000, all);
    assert_eq!(scripted.env.watch(&goal), Some(0));
    let (events, condensed) = condensed(&scripted, &goal);
    assert_eq!((condensed.len(), of_kind(&events, "model.failed").len()), (1, 1));
    let requests = scripted.model.requests();
    let refused = requests.iter().position(|request| request.conversation == Some(REFUSED)).unwrap();
    let (refused, next) = (bytes(&requests[refused]), bytes(&requests[refused + 1]));
    assert!(next * 3 < refused * 2, "{next} after {refused}");
    let shown = scripted.env.show(&goal);
    assert_eq!(item(&shown, "work")["runs"].as_array().unwrap().len(), 1, "the attempt goes on");
}

#[test]
fn a_task_that_does_not_fit_its_model_fails_and_costs_nothing() {
    let (scripted, goal) = begin(2_048, reader());
    assert_eq!(scripted.env.watch(&goal), Some(1));
    assert!(scripted.model.requests().is_empty());
    let error = &scripted.env.show(&goal)["error"]["message"];
    let told = error.as_str().unwrap();
    assert!(told.contains("the task does not fit the model `scripted/scripted`"), "{told}");
    assert!(
        told.contains("the model takes in 2048, 512 of them for its answer; nothing was asked"),
        "{told}"
    );
}
