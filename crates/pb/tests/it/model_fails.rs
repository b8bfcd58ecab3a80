//! Calls of models that fail: nothing that was done is done again, and what may have cost something is charged.

use insta::assert_snapshot;
use pb_testkit::model_server::{Conversation, Fault, ModelServer, Reply, Script, Wire};
use serde_json::Value;

use crate::env::TestEnv;
use crate::machine::assert_gapless;
use crate::model::{Scripted, agent_file, finish, provider, shell, worker, write};

/// Longest time from a cancellation to the goal's end, in milliseconds.
const CANCEL_MS_MAX: u64 = 2000;

/// A worker that leaves a witness, stumbles once in the turn after it, and then goes on.
fn stumbles(fault: Reply) -> Conversation {
    worker([shell("echo x >> witness")]).turn([fault, write("done", "")]).turn([finish("Done.")])
}

/// The payloads of the events of this name.
fn data<'e>(events: &'e [Value], name: &str) -> Vec<&'e Value> {
    events.iter().filter(|event| event["event"] == name).map(|event| &event["data"]).collect()
}

/// Runs a goal whose model stumbles; it ends verified all the same, and each tool was called once.
/// Returns how much of what it cost is assumed, in tokens, and what the failed call came to.
fn survives(settings: &str, fault: Reply) -> (u64, Value) {
    let scripted = Scripted::on(Wire::OpenAi, settings, [stumbles(fault)]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Stumbles", "max_retries = 0"));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    env.wait_lines("out/witness", 1);
    assert_eq!(std::fs::read_to_string(env.file("out/witness")).unwrap(), "x\n");
    assert_eq!(scripted.turns(), [0, 1, 1, 2], "only the call that failed is made again");

    let goal = env.only_goal();
    let told = env.show(&goal);
    let events = env.events(&goal);
    assert_gapless(&events);
    assert_eq!(data(&events, "run.started").len(), 1, "the attempt goes on");
    assert_eq!(data(&events, "tool.completed").len(), 3);
    let failed = data(&events, "model.failed");
    assert_eq!(failed.len(), 1);
    let reported: u64 = [730, 840, 920].iter().sum();
    let assumed = told["assumed_tokens"].as_u64().unwrap();
    assert_eq!(told["spent_tokens"], reported + assumed, "{told}");
    assert_eq!(failed[0]["tokens"], assumed);
    (assumed, failed[0].clone())
}

fn message(failed: &Value) -> &str {
    failed["error"]["message"].as_str().unwrap()
}

#[test]
fn a_stream_that_is_cut_is_charged_and_asked_for_again() {
    let cut = write("done", "this does not arrive").chunk_bytes(8).fault(Fault::cut_after(3));
    let (assumed, failed) = survives("", cut);
    assert!(assumed > 0, "{failed}");
    assert_eq!(failed["assumed"], true);
}

#[test]
fn a_stream_that_hangs_is_given_up_charged_and_asked_for_again() {
    let hung = write("done", "this does not arrive").chunk_bytes(8).fault(Fault::hang_after(3));
    let (assumed, failed) = survives("silence_limit_s = 2", hung);
    assert!(assumed > 0, "{failed}");
    assert_eq!(message(&failed), "scripted/scripted: nothing more came for 2 s in mid-answer");
}

#[test]
fn a_model_that_never_begins_is_given_up_and_costs_nothing() {
    let mute = Reply::broken(Fault::hang_after(0));
    let (assumed, failed) = survives("first_byte_limit_s = 2", mute);
    assert_eq!(assumed, 0, "{failed}");
    assert_eq!(message(&failed), "scripted/scripted: nothing came within 2 s");
}

#[test]
fn who_is_asked_to_come_back_later_does_and_is_not_charged() {
    let (assumed, failed) = survives("", Reply::broken(Fault::retry_after(429, 2)));
    assert_eq!((assumed, &failed["assumed"]), (0, &false.into()), "{failed}");
    let waited = failed["notBefore"].as_u64().unwrap() - failed["timestamp"].as_u64().unwrap();
    assert!(waited >= 2000, "asked for 2 s, waits {waited} ms");
}

#[test]
fn security_28_an_answer_without_a_count_of_tokens_is_charged_with_all_that_was_put_aside() {
    let scripted = Scripted::saying([worker([write("done", "").no_usage(), finish("Done.")])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Uncounted", ""));
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(0));
    let goal = env.only_goal();
    let events = env.events(&goal);
    let (requested, answered) = (data(&events, "model.requested"), data(&events, "model.answered"));
    assert_eq!((&answered[0]["assumed"], &answered[1]["assumed"]), (&true.into(), &false.into()));
    assert_eq!(answered[0]["tokens"], requested[0]["reservedTokens"]);
    assert_eq!(env.show(&goal)["assumed_tokens"], requested[0]["reservedTokens"]);
}

#[test]
fn a_model_that_fails_again_and_again_fails_the_item() {
    let broken = Reply::broken(Fault::status(400));
    let scripted = Scripted::saying([worker([broken])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Rejected", "max_retries = 0"));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(1), "{ran}");
    assert_snapshot!("model_rejects", ran);
    assert_eq!(scripted.turns(), [0], "what is rejected is not asked again");
}

/// Two servers; the first one only fails, with this.
fn two(fault: Fault) -> (TestEnv, [ModelServer; 2]) {
    let broken = Conversation { repeat_last: true, ..worker([Reply::broken(fault)]) };
    let works = worker([shell("echo x >> witness"), write("done", ""), finish("Done.")]);
    let servers = [broken, works].map(|says| ModelServer::start(Script::conversations([says])).unwrap());
    let env = TestEnv::new();
    env.configure(&format!(
        "{}{}[models]\nmedium = [\"first/big\", \"second/small\"]\n",
        provider("first", Wire::OpenAi, &servers[0]),
        provider("second", Wire::Anthropic, &servers[1]),
    ));
    env.start_daemons();
    env.write("goal.toml", &agent_file("Falls over", "max_retries = 0"));
    (env, servers)
}

#[test]
fn when_the_first_candidate_fails_the_second_one_answers() {
    let (env, servers) = two(Fault::status(500));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let events = env.events(&env.only_goal());
    let models: Vec<&str> =
        data(&events, "model.answered").iter().map(|data| data["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["second/small"; 3]);
    assert_eq!(data(&events, "model.failed").len(), 0, "the call as a whole did not fail");
    assert!(!servers[0].requests().is_empty(), "the preferred one was asked first");
    assert!(servers[0].requests().iter().all(|request| request.body["model"] == "big"));
    let turns: Vec<usize> = servers[1].requests().iter().map(|request| request.turn).collect();
    assert_eq!(turns, [0, 1, 2]);
    assert_eq!(std::fs::read_to_string(env.file("out/witness")).unwrap(), "x\n");
}

#[test]
fn who_names_a_model_gets_that_one_and_no_other() {
    let (env, servers) = two(Fault::status(500));
    let ran = env.pb(["run", "goal.toml", "--model", "second/small"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert_eq!(servers[0].requests().len(), 0);
    let unknown = env.pb(["run", "goal.toml", "--model", "third/tiny"]);
    assert_snapshot!("unknown_model", unknown);
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 1);
}

#[test]
fn cancelled_while_a_model_answers_a_goal_ends_at_once_and_the_call_is_charged() {
    let scripted = Scripted::saying([worker([shell("echo x >> witness"), write("done", "").hold("answer")])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Waits for its model", ""));
    let goal = env.detach(&["goal.toml"]);
    scripted.model.wait_until_held("answer").unwrap();
    assert_eq!(env.pb(["goal", "cancel", &goal]).exit, Some(0));
    let watched = env.pb(["goal", "watch", &goal]);
    assert_eq!(watched.exit, Some(1), "{watched}");

    let events = env.events(&goal);
    let at = |name: &str, key: &str| {
        let found = events.iter().find(|event| event["event"] == name && event["data"].get(key).is_some());
        found.unwrap_or_else(|| panic!("no {name} with {key}"))["at"].as_u64().unwrap()
    };
    let took = at("goal.cancelled", "goal") - at("goal.updated", "cancelledBy");
    assert!(took < CANCEL_MS_MAX, "it took {took} ms");
    let (requested, failed) = (data(&events, "model.requested"), data(&events, "model.failed"));
    let reserved = &requested.last().unwrap()["reservedTokens"];
    assert_eq!((failed.len(), &failed[0]["assumed"], &failed[0]["tokens"]), (1, &true.into(), reserved));
    let told = env.show(&goal);
    assert_eq!((&told["status"], &told["assumed_tokens"]), (&"cancelled".into(), reserved), "{told}");
    // The server sees that nobody waits any more, and nobody asks again.
    scripted.model.release("answer");
    assert_eq!(scripted.turns(), [0, 1]);
    assert!(!env.file("out/done").exists());
}

#[test]
fn cancelled_while_a_tool_runs_a_goal_ends_at_once_with_what_the_tool_started() {
    let stay = "echo $$ > pid; while :; do sleep 1000; done";
    let scripted = Scripted::saying([worker([shell(stay)])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Stays", ""));
    let goal = env.detach(&["goal.toml"]);
    let pid = env.wait_pid("out/pid");
    assert_eq!(env.pb(["goal", "cancel", &goal]).exit, Some(0));
    assert_eq!(env.watch(&goal), Some(1));
    assert!(!crate::machine::is_alive(pid));
    assert_eq!(env.show(&goal)["status"], "cancelled");
}
