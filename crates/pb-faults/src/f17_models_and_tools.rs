//! F17: models that time out, refuse, break off, answer nonsense or without end; tools that fork and hang,
//! print without end, or ignore that they are to stop.
//!
//! A case is a goal with one agent whose model does several of these before it does its work. However it
//! ends, no budget is broken, nothing that is unsafe is done twice, the provider's bill is covered, and no
//! process is left.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use pb_model::GoalId;
use pb_model::goal::GoalState;
use pb_testkit::model_server::{Conversation, Fault, ModelServer, Reply, Script, When, Wire};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::history::History;
use crate::lanes::{self, Case};
use crate::processes::{self, Process};
use crate::{Run, Tally, asked};

/// Goals of one home, which run side by side.
const GOALS_A_HOME: u64 = 5;
/// Homes side by side: they wait for time limits most of the time.
const LANES: usize = 6;
/// Faulty turns before the work is done.
const FAULTS_MAX: usize = 4;
/// How long all goals of a home may take.
const END_MAX: Duration = Duration::from_mins(2);
/// How long what a goal started may outlive it: the promised two seconds, three times.
const GONE_MAX: Duration = Duration::from_secs(6);

/// Runs the fault.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    run.pb.as_ref().context("F17 needs the `pb` under test: --pb PATH")?;
    let homes = run.size.pick(1, 40, 10_000);
    lanes::run_side_by_side(run, ("F17", LANES), homes, |case, tally| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(one(run, case, tally))
    })
}

/// One home, its model server, and the goals that meet them.
async fn one(run: &Run, mut case: Case, tally: &mut Tally) -> anyhow::Result<()> {
    let whose = format!("home {} of seed {}", case.number, run.seed);
    let home = processes::home(run, &format!("m{}", case.number))?;
    let folder = run.folder.join(format!("m{}.work", case.number));
    let scripts: Vec<Conversation> =
        (0..GOALS_A_HOME).map(|goal| conversation(&mut case.chance, goal)).collect();
    let model = ModelServer::start(Script::conversations(scripts))?;
    std::fs::write(home.config(), config(&model, &folder))?;
    let mut gateway = processes::gateway(run, &home)?;
    processes::gateway_ready(&mut gateway, &home)?;
    let pb = run.pb.as_deref().context("there is no `pb`")?;
    let mut scheduler = Process::start("scheduler", pb, ["scheduler", "start", "--foreground"], &home)?;
    processes::says_ready(&mut scheduler, &home)?;

    let mut goals = Vec::new();
    for goal in 0..GOALS_A_HOME {
        std::fs::create_dir_all(folder.join(format!("w{goal}")))?;
        goals.push(asked::submit(&home, &asked_for(&mut case.chance, goal, &folder)).await?);
    }
    let ended = match asked::all_at_rest(&home, &goals, END_MAX).await {
        Ok(ended) => ended,
        Err(error) => {
            tally.fail(format_args!("{whose}: {error}"));
            return Ok(());
        }
    };
    let left = asked::nobody_in(&folder, GONE_MAX).await;
    if !left.is_empty() {
        tally.fail(format_args!("{whose}: processes outlived their goals: {left:?}"));
    }
    History::audit(&home.state_db(), &whose, tally).await?;
    audit_bill(&ended, &model, &whose, tally);
    for (number, goal) in goals.iter().enumerate() {
        // I5: what an agent did that is unsafe is done once in all attempts together.
        let witness = folder.join(format!("w{number}")).join("witness");
        let times = std::fs::read_to_string(&witness).unwrap_or_default().lines().count(); // It never came so far.
        if times > 1 {
            tally.duplicated += 1;
            tally.fail(format_args!("{whose}: I5: {goal} did its unsafe work {times} times"));
        }
    }
    tally.cases += ended.len() as u64;
    Ok(())
}

/// The provider's bill is covered: what is charged is at least that, and more only where it says `assumed`.
fn audit_bill(ended: &BTreeMap<GoalId, GoalState>, model: &ModelServer, whose: &str, tally: &mut Tally) {
    let (mut charged, mut assumed) = (0, 0);
    for state in ended.values() {
        let spending = &state.goal.spending;
        charged += spending.settled.tokens;
        assumed += spending.assumed.tokens;
        tally.count(state.goal.status.as_str(), 1);
        tally.count("answers", spending.turns.into());
    }
    let counted = model.counted_tokens();
    if !(counted <= charged && charged <= counted + assumed) {
        tally.fail(format_args!(
            "{whose}: the provider counted {counted} tokens, charged are {charged}, of these {assumed} assumed"
        ));
    }
}

fn config(model: &ModelServer, folder: &Path) -> String {
    let url = model.base_url(Wire::OpenAi);
    format!(
        "[providers.scripted]\nkind = \"openai\"\nbase_url = \"{url}\"\n\
         [models]\nmedium = \"scripted/scripted\"\nfirst_byte_limit_s = 1\nsilence_limit_s = 1\n\
         [sandbox]\nallow_unconfined_agents = true\ntool_caches = [{:?}]\n",
        folder.to_string_lossy()
    )
}

fn asked_for(chance: &mut StdRng, goal: u64, folder: &Path) -> Value {
    let mut asked = json!({
        "title": format!("goal {goal}"),
        "description": "its model and its tools do what they should not 坏",
        "workspace": folder.join(format!("w{goal}")),
        "items": [{
            "id": "work",
            "max_retries": chance.random_range(0..3),
            "work": {"kind": "agent", "prompt": format!("You are agent {goal}."), "effect": "unsafe"},
            "gates": [{"kind": "file_exists", "path": "done"}],
        }],
        "idempotencyKey": format!("goal {goal}"),
    });
    if chance.random_bool(0.3) {
        asked["budget_tokens"] = json!(chance.random_range(10_000..120_000));
    }
    asked
}

/// What the model of a goal says: faults, then its work.
fn conversation(chance: &mut StdRng, goal: u64) -> Conversation {
    let mut talk = Conversation::new(When::contains(format!("You are agent {goal}.")), []);
    for _ in 0..chance.random_range(1..=FAULTS_MAX) {
        talk = match chance.random_range(0..9) {
            // A call that fails is made again with the same messages: its last reply is one that goes well.
            0 => talk.turn(storm(chance, Fault::retry_after(429, 0))),
            1 => talk.turn(storm(chance, Fault::status(500))),
            2 => talk.turn(storm(chance, Fault::cut_after(1))),
            3 => talk.turn([look().fault(Fault::hang_after(1)), look()]),
            4 => talk.turn([Reply::raw_call("write_file", "{\"path\": \"a\", \"conte").usage(300, 9)]),
            5 => talk.turn([Reply::call("launch_rockets", json!({}))
                .usage(300, 9)
                .and_call("list_dir", json!({}))]),
            6 => talk.turn([look().no_usage()]),
            // What it reports is less than any reservation: of an answer that nobody heard to its end it is
            // not known by how much the provider went beyond what was asked for.
            7 => talk.turn([Reply::text("words ".repeat(20_000))
                .usage(300, 200)
                .and_call("list_dir", json!({"path": "."}))]),
            _ => talk.turn([tool(chance)]),
        };
    }
    let work = Reply::call("run_command", json!({"argv": ["sh", "-c", "echo \"$PB_STEP\" >> witness"]}))
        .usage(400, 20);
    let write = Reply::call("write_file", json!({"path": "done", "content": "完\n"})).usage(400, 20);
    talk.turn([work]).turn([write]).turn([Reply::call("finish", json!({"summary": "done"})).usage(400, 5)])
}

fn look() -> Reply {
    Reply::call("list_dir", json!({"path": "."})).usage(300, 20)
}

fn storm(chance: &mut StdRng, fault: Fault) -> Vec<Reply> {
    let mut replies = vec![look().fault(fault); chance.random_range(1..7)];
    replies.push(look());
    replies
}

/// A tool that does not do what tools should.
fn tool(chance: &mut StdRng) -> Reply {
    let line = match chance.random_range(0..4) {
        0 => "yes '没完没了'",
        1 => "(trap '' TERM HUP; sleep 300) & setsid sleep 300 & sleep 300",
        2 => "trap '' TERM INT HUP; while :; do sleep 0.05; done",
        _ => "head -c 30000000 /dev/zero | tr '\\0' x; kill -SEGV $$",
    };
    // Another line each time: an agent that does the same again is another fault.
    let line = format!("# {}\n{line}", chance.random_range(0..u32::MAX));
    Reply::call("run_command", json!({"argv": ["sh", "-c", line], "time_limit_s": 1})).usage(300, 20)
}
