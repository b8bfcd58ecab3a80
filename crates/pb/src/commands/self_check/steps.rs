//! What is tried, in order; each step needs those before it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::pin::Pin;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use pb_exec::{Confinement, Enforced, Finished, Job, Launcher, Outcome, Policy};
use pb_model::Verdict;
use pb_model::goal_file::{self, ResolveContext};
use pb_protocol::client::Patience;
use pb_protocol::methods::goal::{GoalIdParams, Status, Submit, SubmitParams};
use pb_runtime::{Clock, Ids};
use pb_store::{Location, Log, health};

use super::scratch::Scratch;
use crate::daemon::{self, Daemon};
use crate::failure::Failure;
use crate::{connection, format};

/// How long it is looked between two steps whether Ctrl-C came.
pub(super) const SIGNAL_LOOK: Duration = Duration::from_millis(1);
/// How long a command may take that does next to nothing.
const COMMAND_LIMIT: Duration = Duration::from_secs(20);
/// How long the goal may take.
const GOAL_LIMIT: Duration = Duration::from_secs(30);
/// Pause between two looks at the goal.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How long a database that is empty may be looked through.
const CHECK_LIMIT: Duration = Duration::from_secs(10);
/// Where commands look for programs.
const SEARCH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A step: what was found, or why it does not work.
type Step = for<'s> fn(&'s Scratch) -> Pin<Box<dyn Future<Output = anyhow::Result<String>> + 's>>;

/// Every step by its name, in order.
pub(super) const ALL: [(&str, Step); 7] = [
    ("confine", |scratch| Box::pin(confine(scratch))),
    ("database", |scratch| Box::pin(database(scratch))),
    ("disk", |scratch| Box::pin(async { disk(scratch) })),
    ("start gateway", |scratch| Box::pin(async { gateway(scratch) })),
    ("start scheduler", |scratch| Box::pin(async { scheduler(scratch) })),
    ("goal", |scratch| Box::pin(goal(scratch))),
    ("stop both", |scratch| Box::pin(async { stop(scratch) })),
];

/// Writes where it may, and tries to read and to write where it may not. Exits 0 when all is as it should be.
const TRY: &str = "echo yes > inside || exit 3; cat \"$HIDDEN/secret\" && exit 4; echo no > \"$HIDDEN/new\" && exit 5; \
                   exit 0";

/// The keeper of this very binary runs a command that reaches what it may, and nothing else.
async fn confine(scratch: &Scratch) -> anyhow::Result<String> {
    fs::write(scratch.hidden().join("secret"), "secret")?;
    let env = BTreeMap::from([
        ("PATH".to_owned(), SEARCH.to_owned()),
        ("HIDDEN".to_owned(), scratch.hidden().display().to_string()),
    ]);
    let job = Job {
        step: "self-check".to_owned(),
        argv: ["sh", "-c", TRY].map(str::to_owned).to_vec(),
        cwd: scratch.work(),
        env,
        time_limit: COMMAND_LIMIT,
        confinement: Confinement {
            policy: Policy::Required,
            writable: vec![scratch.work()],
            hidden: vec![scratch.hidden()],
            tcp_ports: Vec::new(),
        },
    };
    let Finished { outcome, output, enforced, .. } =
        Launcher::new("/proc/self/exe").spawn(&job)?.wait().await;
    match outcome {
        Outcome::Exited(0) => {}
        Outcome::Exited(4 | 5) => bail!("a confined command reached what was hidden from it"),
        other => bail!("the command did not run as it should ({other:?}): {}", format::line(&output.text())),
    }
    ensure!(scratch.work().join("inside").exists(), "the command did not write in its own folder");
    let abi = pb_exec::support().abi;
    Ok(match enforced {
        Enforced::Full => format!("Landlock ABI {abi} confines all of it"),
        Enforced::Partial(missing) => format!("Landlock ABI {abi}: {missing}"),
        Enforced::None => bail!("the kernel confined nothing"),
    })
}

/// A log is made, and looked through as `pb doctor` does it.
async fn database(scratch: &Scratch) -> anyhow::Result<String> {
    let path = scratch.work().join("state.db");
    let id = Ids::random(Clock::System).uuid().simple().to_string();
    let log = Log::open(Location::File(path.clone()), id, None).await.context("cannot make a database")?;
    drop(log);
    let found = health::look_at(&path, health::Kind::Log, CHECK_LIMIT).await?;
    let found = found.ok_or_else(|| anyhow!("the database is not there"))?;
    ensure!(found.damage.is_none(), "the database is damaged: {}", found.damage.unwrap_or_default());
    Ok(format!("schema {}", found.schema))
}

/// Something is written, and on the disk.
fn disk(scratch: &Scratch) -> anyhow::Result<String> {
    let path = scratch.work().join("synced");
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    file.write_all(b"on the disk").context("cannot write")?;
    let began = Instant::now();
    file.sync_all().context("cannot sync")?;
    let took = began.elapsed().as_micros();
    Ok(format!("fsync {}.{} ms", took / 1000, took % 1000 / 100))
}

fn gateway(scratch: &Scratch) -> anyhow::Result<String> {
    let arguments = ["--host", "127.0.0.1", "--port", "0"].map(OsString::from);
    start(scratch, Daemon::Gateway, &arguments)
}

fn scheduler(scratch: &Scratch) -> anyhow::Result<String> {
    start(scratch, Daemon::Scheduler, &[])
}

fn start(scratch: &Scratch, daemon: Daemon, arguments: &[OsString]) -> anyhow::Result<String> {
    match daemon::start(&scratch.home, daemon, arguments) {
        Ok(started) if daemon == Daemon::Gateway => Ok(started.about),
        Ok(started) => Ok(format!("pid {}", started.pid)),
        Err(failure) => Err(anyhow!("{failure}")),
    }
}

/// One command, proven by a gate.
const GOAL: &str = r#"
title = "pb self-check"
workspace = "goal"

[[items]]
id = "write"
kind = "command"
argv = ["sh", "-c", "echo works > works.txt"]
effect = "idempotent"
gates = [{ kind = "file_contains", path = "works.txt", text = "works" }]
"#;

async fn goal(scratch: &Scratch) -> anyhow::Result<String> {
    let folder = scratch.work();
    let file = goal_file::parse(GOAL).map_err(|problems| wrong(&problems))?;
    let context = ResolveContext { cwd: &folder, file_dir: &folder, set: &BTreeMap::new() };
    let spec = file.resolve(&context).map_err(|problems| wrong(&problems))?;
    let client = connection::client(&scratch.home, Patience::Within(GOAL_LIMIT));
    let key = Ids::random(Clock::System).uuid().to_string();
    let goal = client.call::<Submit>(&SubmitParams { spec, idempotency_key: Some(key) }).await?;
    let began = Instant::now();
    let ended = loop {
        let told = client.call::<Status>(&GoalIdParams { goal_id: goal.id.clone() }).await?;
        if told.goal.completed_at.is_some() {
            break told.goal;
        }
        ensure!(
            began.elapsed() < GOAL_LIMIT,
            "the goal is {} after {} s",
            told.goal.status,
            GOAL_LIMIT.as_secs()
        );
        tokio::time::sleep(LOOK_AGAIN).await; // One look is cheaper than a subscription for so short a goal.
    };
    let why = ended.summary.unwrap_or_default();
    ensure!(ended.verdict == Some(Verdict::Verified), "the goal is {}: {}", ended.status, format::line(&why));
    let written = fs::read_to_string(folder.join("goal/works.txt")).context("the goal left no file")?;
    ensure!(written == "works\n", "the goal wrote something else");
    Ok("verified".to_owned())
}

fn wrong(problems: &goal_file::Problems) -> anyhow::Error {
    anyhow!("{}", Failure::of_problems("the goal file of the check", problems))
}

fn stop(scratch: &Scratch) -> anyhow::Result<String> {
    let stopped = scratch.stop()?;
    ensure!(stopped == 2, "{} ended before", format::count((2 - stopped) as u64, "process"));
    Ok("both ended by themselves".to_owned())
}
