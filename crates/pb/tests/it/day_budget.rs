//! What all goals together may spend, what costs are told, and limits that time sets.

use std::collections::BTreeMap;
use std::fs;

use insta::assert_snapshot;
use pb_model::GoalId;
use pb_model::goal::{Amount, Event, GoalState, GoalStatus, evolve};
use pb_runtime::Clock;
use pb_testkit::model_server::{Conversation, Reply, Wire};
use serde_json::json;

use crate::agent_support::{Log, poll_until};
use crate::env::{TestEnv, wait_until};
use crate::machine::item;
use crate::model::{Scripted, agent_file, finish, plan, planner, shell, worker, write};

const PRICES: &str = "[prices.\"scripted/scripted\"]\ninput = 2.5\noutput = 10\n";
/// Ten cents, in millionths of a US dollar.
const CAP: u64 = 100_000;
const BRANCHES: usize = 16;
const KILLS: usize = 5;

/// A worker that never comes to an end. What it runs tells another thing each time, so no guard stops it.
fn runaway() -> Conversation {
    worker([shell("date +%N >> rounds; date +%N").usage(2000, 100)]).repeat_last()
}

/// Folds the whole log, event by event, and gives the most that was settled and promised at any moment, by
/// all goals together and by each.
fn most_committed(log: &Log) -> (u64, BTreeMap<GoalId, u64>) {
    let mut states: BTreeMap<GoalId, GoalState> = BTreeMap::new();
    let (mut most, mut most_of) = (0, BTreeMap::new());
    for record in log.events() {
        let goal: GoalId = record.goal.parse().unwrap();
        let event: Event = serde_json::from_str(&record.body).unwrap();
        let after = evolve(states.remove(&goal), &event, record.at_ms).unwrap();
        assert!(!after.goal.spending.overrun, "no call cost more than was put aside for it");
        let own = most_of.entry(goal).or_default();
        *own = after.goal.spending.committed().micro_usd.max(*own);
        states.insert(goal, after);
        let all = states.values().map(|state| state.goal.spending.committed());
        most = all.fold(Amount::default(), Amount::plus).micro_usd.max(most);
    }
    (most, most_of)
}

/// Kills the scheduler a few times while models are asked, as long as that goes on.
fn kill_again_and_again(env: &TestEnv, scripted: &Scripted, is_over: impl Fn() -> bool) {
    for kill in 1..=KILLS {
        let asked = || scripted.model.requests().len() > kill;
        poll_until("models are asked", || (asked() || is_over()).then_some(()));
        env.kill9("scheduler");
        env.start_daemon("scheduler");
    }
}

#[test]
fn security_27_sixteen_runaway_goals_promise_no_more_than_the_day_allows_also_across_kills() {
    let scripted = Scripted::on(Wire::OpenAi, &format!("{PRICES}[budget]\nday_usd = 0.10\n"), [runaway()]);
    let env = &scripted.env;
    let goals: Vec<String> = (0..BRANCHES)
        .map(|number| {
            let file = agent_file("Runs away", "").replace("\"out\"", &format!("\"out{number}\""));
            env.write("goal.toml", &file);
            env.detach(&["goal.toml"])
        })
        .collect();
    let log = Log::of(env);
    let is_blocked =
        |goal: &String| log.state(goal).is_some_and(|state| state.goal.status == GoalStatus::Blocked);
    let all_blocked = || goals.iter().all(is_blocked);
    kill_again_and_again(env, &scripted, all_blocked);
    wait_until("the day's budget has stopped them all", || all_blocked().then_some(()));
    let (most, _) = most_committed(&log);
    assert!(most <= CAP, "{most} of {CAP} were settled and promised");
    assert!(most > CAP / 2, "the budget is there to be used: {most}");
    let warned: Vec<_> = log.events().into_iter().filter(|event| event.kind == "budget.warning").collect();
    assert!(warned.len() <= 2, "each mark of the day is told once: {warned:?}");
    // Spending is neither reset by a kill nor counted twice.
    let spent: u64 = goals.iter().map(|goal| log.state(goal).unwrap().goal.spending.settled.micro_usd).sum();
    let told = env.json(["cost", "--json"]);
    assert_eq!(told["total"]["costUsd"], pb_protocol::domain::usd(spent), "{told}");
    let shown = env.pb(["goal", "show", &goals[0]]).stdout;
    let (_, question) = shown.split_once("a human has to decide").unwrap();
    for words in
        ["the budget of the day is used up", "retry: go on: another day has begun", "finish: deliver"]
    {
        assert!(question.contains(words), "{question}");
    }
}

#[test]
fn security_27_sixteen_branches_of_a_goal_promise_no_more_than_its_cap_also_across_kills() {
    let scripted = Scripted::on(Wire::OpenAi, PRICES, [runaway()]);
    let env = &scripted.env;
    let one = agent_file("Branches", "");
    let (head, branch) = one.split_once("[[items]]").unwrap();
    let branches: Vec<String> =
        (0..BRANCHES).map(|number| branch.replace("\"work\"", &format!("\"work{number}\""))).collect();
    let branches = format!("[[items]]{}", branches.join("[[items]]"));
    env.write("goal.toml", &format!("{head}[budget]\ncost_usd = 0.10\n{branches}"));
    let goal = env.detach(&["goal.toml"]);
    let log = Log::of(env);
    let is_blocked = || log.state(&goal).is_some_and(|state| state.goal.status == GoalStatus::Blocked);
    kill_again_and_again(env, &scripted, is_blocked);
    wait_until("its budget has stopped it", || is_blocked().then_some(()));
    let (most, _) = most_committed(&log);
    assert!(most <= CAP && most > CAP / 2, "{most} of {CAP} were settled and promised");
}

#[test]
fn a_budget_that_ends_in_the_middle_of_two_branches_is_raised_and_both_go_on() {
    let turns = [shell("date +%N"), shell("date +%N"), write("done", ""), finish("done")];
    let turns = turns.map(|reply: Reply| reply.usage(6_000, 100));
    let scripted = Scripted::saying([worker(turns)]);
    let env = &scripted.env;
    let command = "\n[[items]]\nid = \"other\"\nkind = \"command\"\neffect = \"unsafe\"\n\
        argv = [\"sh\", \"-ec\", \"echo x >> other; until [ -e go ]; do sleep 0.01; done; touch other.done\"]\n\
        gates = [{ kind = \"file_exists\", path = \"other.done\" }]\n";
    let file = agent_file("两个分支", "").replace("[[items]]", "[budget]\ntokens = 20000\n\n[[items]]");
    env.write("goal.toml", &format!("{file}{command}"));
    let goal = env.detach(&["goal.toml"]);
    env.wait_lines("out/other", 1);
    let is = |key: &str, status: &str| item(&env.show(&goal), key)["status"] == status;
    wait_until("one branch is at the cap", || is("work", "blocked").then_some(()));
    // The other one is not disturbed, and the goal waits for it before it is blocked.
    assert!(is("other", "in_progress"));
    assert_eq!(env.show(&goal)["status"], "active");
    fs::write(env.file("out/go"), "").unwrap();
    wait_until("the goal is blocked", || (env.show(&goal)["status"] == "blocked").then_some(()));
    assert!(is("other", "done"));

    let resumed = env.pb(["goal", "resume", &goal, "--answer", "raise", "--to", "100000"]);
    assert_eq!(resumed.exit, Some(0), "{resumed}");
    let watched = env.pb(["goal", "watch", &goal]);
    assert_eq!(watched.exit, Some(0), "{watched}");
    assert_eq!(env.witnesses("out", ["other"]).len(), 1);
    assert_eq!(env.show(&goal)["verdict"], "verified");
}

#[test]
fn costs_are_told_by_goal_model_and_day() {
    let items = json!([{
        "id": "hello",
        "kind": "agent",
        "prompt": "Write Hello.",
        "gates": [{"kind": "file_exists", "path": "hello.txt"}],
    }]);
    let script = [planner([plan(&items)]), worker([write("hello.txt", "Hello"), finish("Done.")])];
    let scripted =
        Scripted::on(Wire::OpenAi, &format!("{PRICES}[budget]\ntimezone = \"Asia/Shanghai\"\n"), script);
    let env = &scripted.env;
    assert_snapshot!("cost_nothing", env.pb(["cost"]));
    let ran = env.pb(["run", "写一个文件"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert_snapshot!("cost_by_goal", env.pb(["cost", "--by", "goal"]));
    assert_snapshot!("cost_by_model", env.pb(["cost", "--by", "model"]));
    let by_day = env.json(["cost", "--json"]);
    assert_eq!((&by_day["count"], &by_day["rows"][0]["about"]), (&json!(1), &json!("Asia/Shanghai")));
    assert_eq!(by_day["total"]["costUsd"], 0.00835);
}

#[test]
fn an_item_whose_tools_take_too_long_is_stopped_at_its_own_limit() {
    let scripted = Scripted::saying([worker([shell("echo x >> began; sleep 60"), finish("done")])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("慢", "time_limit = \"1s\""));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert!(ran.stdout.contains("the item's time limit is used up"), "{ran}");
    assert_eq!(env.witnesses("out", ["began"]).len(), 1);
    assert!(env.show(&env.only_goal())["spent_time_ms"].as_u64().unwrap() < 30_000);
}

#[test]
fn a_deadline_stops_what_is_not_done_and_more_time_has_it_go_on() {
    let env = TestEnv::new();
    env.start_daemons();
    let at = i64::try_from(Clock::System.now_ms() + 1_500).unwrap();
    let at = jiff::Timestamp::from_millisecond(at).unwrap();
    let waits = crate::life::WAITS.replace("[[items]]", &format!("deadline = {at}\n\n[[items]]"));
    let after = "\n[[items]]\nid = \"after\"\nneeds = [\"wait\"]\nkind = \"command\"\nargv = [\"true\"]\neffect = \"pure\"\n";
    env.write("goal.toml", &format!("{waits}{after}"));
    let goal = env.detach(&["goal.toml"]);
    env.wait_lines("out/witness/wait", 1);
    wait_until("a person is asked", || {
        (!env.show(&goal)["escalations"].as_array()?.is_empty()).then_some(())
    });
    // What runs ends; nothing new starts.
    fs::write(env.file("out/go"), "").unwrap();
    wait_until("the goal is blocked", || (env.show(&goal)["status"] == "blocked").then_some(()));
    assert_snapshot!("deadline_watch", env.pb(["goal", "watch", &goal]));
    let resumed = env.pb(["goal", "resume", &goal, "--answer", "raise", "--to", "5"]);
    assert_eq!(resumed.exit, Some(0), "{resumed}");
    assert_eq!(env.pb(["goal", "watch", &goal]).exit, Some(3), "done, without a gate for all of it");
}
