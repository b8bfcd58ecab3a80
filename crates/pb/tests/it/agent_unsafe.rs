//! Agents that are cut off in the middle of one call: what follows depends on what repeating the
//! call means, and what it cost is charged.

use std::fs;

use insta::assert_snapshot;
use pb_testkit::model_server::{Conversation, ModelServer, Reply, Script, When};
use regex::Regex;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::agent_support::{agent_goal, of_kind, results, with_model};
use crate::env::{Ran, TestEnv, wait_until};
use crate::machine::{assert_gapless, item};

const RECEIPT: &str = r#"gates = [{ kind = "file_contains", path = "receipt", text = "paid" }]"#;

/// Arguments of `run_command`, for a shell that leaves a witness first.
fn pay(then: &str) -> Value {
    json!({"argv": ["sh", "-ec", format!("mkdir -p witness; echo x >> witness/pay; {then}")]})
}

fn finish() -> Reply {
    Reply::call("finish", json!({"summary": "paid"})).usage(200, 10)
}

fn run(arguments: Value) -> Reply {
    Reply::call("run_command", arguments).usage(100, 10)
}

/// What was printed, without what was assumed: that depends on the words of the prompts.
fn without_assumed(ran: &Ran) -> String {
    Regex::new(r"\b\d{5} tokens").unwrap().replace_all(&ran.to_string(), "[assumed] tokens").into_owned()
}

/// One agent item, `pay`, of this effect, handed over; its model says what the script tells.
fn paying(script: Script, effect: &str, more: &str) -> (TestEnv, ModelServer, String) {
    let (env, server) = with_model(script);
    let more = format!("effect = \"{effect}\"\n{more}");
    env.write("goal.toml", &agent_goal("Pay a bill", "pay", &more));
    let goal = env.detach(&["goal.toml"]);
    (env, server, goal)
}

fn restart_killed(env: &TestEnv) {
    env.kill9("scheduler");
    env.start_daemon("scheduler");
}

fn sum(events: &[&Value], key: &str) -> u64 {
    events.iter().map(|event| event["data"][key].as_u64().unwrap()).sum()
}

#[test]
fn a_model_that_was_answering_is_paid_and_asked_once_more() {
    let write = json!({"path": "receipt", "content": "paid\n"});
    let script = Script::of([Reply::call("write_file", write).usage(100, 10).hold("first"), finish()]);
    let (env, server, goal) = paying(script, "unsafe", RECEIPT);
    server.wait_until_held("first").unwrap();
    restart_killed(&env);
    let asked = || server.requests().len();
    wait_until("it is asked again", || (asked() == 2).then_some(()));
    server.release("first");

    let watched = env.pb(["goal", "watch", &goal]);
    assert_eq!(watched.exit, Some(0), "{watched}");
    assert_snapshot!("agent_model_lost", without_assumed(&watched));
    let requests = server.requests();
    assert_eq!(requests.iter().map(|request| request.turn).collect::<Vec<_>>(), [0, 0, 1]);
    assert_eq!(requests[0].body, requests[1].body);
    let events = env.events(&goal);
    let [failed] = of_kind(&events, "model.failed")[..] else { panic!("{events:#?}") };
    let reserved = &of_kind(&events, "model.requested")[0]["data"];
    assert_eq!(failed["data"]["assumed"], true);
    assert_eq!(failed["data"]["tokens"], reserved["reservedTokens"]);
    let told = env.show(&goal);
    let assumed = sum(&[failed], "tokens");
    assert_eq!(told["assumed_tokens"], assumed);
    assert_eq!(told["spent_tokens"], assumed + 110 + 210);
}

#[test]
fn an_unsafe_call_of_unknown_outcome_that_the_gates_prove_done_is_not_repeated() {
    let script = Script::of([run(pay("echo paid > receipt; sleep 1000"))]);
    let (env, server, goal) = paying(script, "unsafe", RECEIPT);
    env.wait_lines("out/receipt", 1);
    restart_killed(&env);
    let watched = env.pb(["goal", "watch", &goal]);
    assert_eq!(watched.exit, Some(0), "{watched}");
    assert_snapshot!("agent_unsafe_proven", watched);
    assert_eq!((env.witnesses("out", ["pay"]), server.requests().len()), ([1], 1));
    assert_eq!(env.show(&goal)["verdict"], "verified");
}

#[test]
fn an_unsafe_call_of_unknown_outcome_goes_to_a_human_if_its_gates_do_not_pass() {
    let script = Script::of([run(pay("sleep 1000"))]);
    let (env, server, goal) = paying(script, "unsafe", RECEIPT);
    env.wait_lines("out/witness/pay", 1);
    restart_killed(&env);
    assert_snapshot!("agent_unsafe_blocked", env.pb(["goal", "watch", &goal]));
    let told = env.show(&goal);
    let packet = &told["escalations"][0];
    assert_eq!(packet["work_item_id"], item(&told, "pay")["id"]);
    // Starting once more changes nothing: it waits for the human.
    restart_killed(&env);
    assert_eq!(env.watch(&goal), Some(2));
    assert_eq!((env.witnesses("out", ["pay"]), server.requests().len()), ([1], 1));
    assert_gapless(&env.events(&goal));
}

#[test]
fn an_unsafe_call_without_a_gate_that_could_tell_goes_to_a_human() {
    let script = Script::of([run(pay("sleep 1000"))]);
    let (env, server, goal) = paying(script, "unsafe", "");
    env.wait_lines("out/witness/pay", 1);
    restart_killed(&env);
    assert_eq!(env.watch(&goal), Some(2));
    let packet = &env.show(&goal)["escalations"][0]["context_data"];
    assert_eq!(packet["current_state"], "it has no gate that could tell");
    assert_eq!((env.witnesses("out", ["pay"]), server.requests().len()), ([1], 1));
}

/// The first attempt pays and says so, but there is no receipt; the second does what `replies` say.
fn second_attempt(replies: impl IntoIterator<Item = Reply>) -> Script {
    let second = Conversation::new(When::contains("This is attempt 2"), replies);
    let first = Conversation::new(When::default(), [run(pay("true")), finish()]);
    Script::conversations([second, first])
}

#[test]
fn what_an_earlier_attempt_did_is_withheld_from_the_next_one_which_is_told_so() {
    let mend = json!({"path": "receipt", "content": "paid\n"});
    let script = second_attempt([run(pay("true")), Reply::call("write_file", mend), finish()]);
    let (env, server, goal) = paying(script, "unsafe", RECEIPT);
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!(env.witnesses("out", ["pay"]), [1]);
    let told = server.requests().iter().map(results).filter(|told| !told.is_empty()).collect::<Vec<_>>();
    let withheld = &told.last().unwrap()[0];
    assert!(
        withheld.contains("not done: an earlier attempt made exactly this call (outcome: ok)"),
        "{withheld}"
    );
    let outcomes: Vec<_> = of_kind(&env.events(&goal), "tool.completed")
        .iter()
        .map(|event| event["data"]["outcome"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes, ["ok", "finished", "withheld", "ok", "finished"]);
}

#[test]
fn a_model_that_insists_on_repeating_what_is_unsafe_meets_a_human() {
    let again = || run(pay("true"));
    let (env, server, goal) = paying(second_attempt([again(), again()]), "unsafe", RECEIPT);
    let watched = env.pb(["goal", "watch", &goal]);
    assert_eq!(watched.exit, Some(2), "{watched}");
    assert_snapshot!("agent_insists", watched);
    assert_eq!((env.witnesses("out", ["pay"]), server.requests().len()), ([1], 4));
}

#[test]
fn a_call_whose_keeper_was_killed_is_made_again_if_it_is_idempotent() {
    let script = Script::of([
        Reply::call(
            "run_command",
            pay("echo $$ > pid; until [ -e ../go ]; do sleep 0.01; done; echo paid > receipt"),
        ),
        finish(),
    ]);
    let (env, server, goal) = paying(script, "idempotent", RECEIPT);
    kill_keeper_of(env.wait_pid("out/pid"));
    env.wait_lines("out/witness/pay", 2);
    fs::write(env.file("go"), "").unwrap();
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!((env.witnesses("out", ["pay"]), server.requests().len()), ([2], 2));
    let events = env.events(&goal);
    let continued = of_kind(&events, "run.continued");
    assert_eq!(continued.iter().map(|event| &event["data"]["ranAgain"]).collect::<Vec<_>>(), [true]);
    assert_eq!(of_kind(&events, "tool.completed")[0]["data"]["again"], true);
}

#[test]
fn a_call_whose_keeper_was_killed_goes_to_a_human_if_it_is_unsafe() {
    let script = Script::of([run(pay("echo $$ > pid; sleep 1000"))]);
    let (env, _server, goal) = paying(script, "unsafe", RECEIPT);
    kill_keeper_of(env.wait_pid("out/pid"));
    assert_eq!(env.watch(&goal), Some(2));
    assert_eq!(env.witnesses("out", ["pay"]), [1]);
}

#[test]
fn a_call_that_was_cut_off_over_and_over_is_for_a_human_and_the_next_attempt_goes_on() {
    /// One more than a run may be repeated.
    const KILLS: usize = 4;
    let mend = json!({"path": "receipt", "content": "paid\n"});
    let second = [Reply::call("write_file", mend), finish()];
    let script = Script::conversations([
        Conversation::new(When::contains("This is attempt 2"), second),
        Conversation::new(When::default(), [run(pay("sleep 1000"))]),
    ]);
    let (env, server, goal) = paying(script, "idempotent", RECEIPT);
    for kill in 1..=KILLS {
        env.wait_lines("out/witness/pay", kill);
        restart_killed(&env);
    }
    assert_eq!(env.watch(&goal), Some(2), "what may have stopped the scheduler is not begun by itself");
    assert_eq!(env.pb(["goal", "resume", &goal, "--answer", "retry"]).exit, Some(0));
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!((env.witnesses("out", ["pay"]), server.requests().len()), ([KILLS], 3));
    let told = env.show(&goal);
    let runs = item(&told, "pay")["runs"].as_array().unwrap();
    let statuses: Vec<_> = runs.iter().map(|run| run["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["failure", "success"]);
}

/// Ends the parent of a tool without asking it.
fn kill_keeper_of(tool: u32) {
    let stat = fs::read_to_string(format!("/proc/{tool}/stat")).unwrap();
    let parent = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap();
    kill_process(Pid::from_raw(parent.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
}

/// A goal that a model has to plan, handed over and being planned.
fn planning(env: &TestEnv) -> String {
    env.write("goal.toml", "title = \"写一张收据\"\nworkspace = \"out\"\n");
    env.detach(&["goal.toml"])
}

#[test]
fn a_plan_that_was_being_made_is_made_once() {
    let plan = json!({"items": [{
        "id": "pay",
        "kind": "command",
        "argv": ["sh", "-ec", "mkdir -p witness; echo x >> witness/pay; echo paid > receipt"],
        "gates": [{"kind": "file_contains", "path": "receipt", "text": "paid"}],
    }]});
    let script = Script::of([
        Reply::call("list_dir", json!({})).hold("look"),
        Reply::call("submit_plan", plan).hold("plan"),
    ]);
    let (env, server) = with_model(script);
    fs::create_dir(env.file("out")).unwrap();
    let goal = planning(&env);
    for held in ["look", "plan"] {
        server.wait_until_held(held).unwrap();
        let asked = server.requests().len();
        restart_killed(&env);
        wait_until("it is asked again", || (server.requests().len() > asked).then_some(()));
        server.release(held);
    }
    let watched = env.pb(["goal", "watch", &goal]);
    assert_eq!(watched.exit, Some(0), "{watched}");
    assert_eq!(env.witnesses("out", ["pay"]), [1]);
    assert_eq!(server.requests().iter().map(|request| request.turn).collect::<Vec<_>>(), [0, 0, 1, 1]);
    let events = env.events(&goal);
    assert_gapless(&events);
    assert_eq!(of_kind(&events, "workitem.created").len(), 1);
    assert_eq!(of_kind(&events, "run.started").len(), 2, "one for the plan, one for its item");
    let told = env.show(&goal);
    let failed = of_kind(&events, "model.failed");
    assert_eq!((failed.len(), &told["assumed_tokens"]), (2, &sum(&failed, "tokens").into()));
    let charged = [failed, of_kind(&events, "model.answered")].concat();
    assert_eq!(told["spent_tokens"], sum(&charged, "tokens"));
}

#[test]
fn both_daemons_killed_in_the_middle_of_an_answer_and_a_client_that_goes_on_from_its_cursor() {
    let write = json!({"path": "receipt", "content": "paid\n"});
    let script = Script::of([Reply::call("write_file", write).hold("first"), finish().hold("last")]);
    let (env, server, goal) = paying(script, "unsafe", RECEIPT);
    // Nothing happens between connecting and subscribing: until then, all events come.
    let subscribed = |after: &Value| {
        env.wait_linked(true);
        let mut client = env.connect();
        client.call("events.subscribe", &json!({"goalId": goal, "after": after}));
        client
    };
    server.wait_until_held("first").unwrap();
    let mut client = subscribed(&"start".into());
    server.release("first");
    let mut seen = client.events_until("tool.completed");
    server.wait_until_held("last").unwrap();
    env.kill9("gateway");
    env.kill9("scheduler");
    while let Some(event) = client.next_event() {
        seen.push(event); // What was on its way.
    }
    env.start_daemons();
    wait_until("it is asked again", || (server.requests().len() == 3).then_some(()));
    let mut client = subscribed(&seen.last().unwrap()["cursor"]);
    server.release("last");
    seen.extend(client.events_until("goal.completed"));
    assert_gapless(&seen);
    let names = |events: &[Value]| events.iter().map(|event| event["event"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&seen), names(&env.events(&goal)));
    assert_eq!(of_kind(&seen, "model.failed").len(), 1);
}
