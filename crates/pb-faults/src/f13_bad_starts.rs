//! F13: starts that cannot succeed, and starts after what should not have happened.
//!
//! A case is a start. What cannot run is said with the right exit code and is not tried in a hot loop; what can run
//! runs, whatever was left behind; and a stranger who has the process id that a lock names is never touched.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use pb_runtime::process;
use pb_supervisor::child::{FAILURES_MAX, State};
use rand::RngExt;
use rusqlite::Connection;
use serde_json::json;

use crate::lanes::{self, Case};
use crate::supervised::Supervised;
use crate::{Run, Tally};

/// A start that fails five times waits four times in between: 1.5 s at least.
const FAILS_AFTER_MIN: Duration = Duration::from_millis(1_500);
/// Exit codes of `sysexits.h`.
const UNAVAILABLE: i32 = 69;
const CONFIG: i32 = 78;

/// Runs the fault.
///
/// # Errors
/// The suite cannot go on.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let kinds = KINDS.len() as u64;
    lanes::run(run, "F13", run.size.pick(kinds, 5 * kinds, 1_000 * kinds), |mut case, tally| {
        let (name, kind) = KINDS[usize::try_from(case.number % kinds)?];
        let supervised = Supervised::empty(run, &format!("b{}", case.number))?;
        let whose = format!("{name}, case {} of seed {}", case.number, run.seed);
        let mut start = Start { supervised: &supervised, whose: &whose, tally };
        kind(&mut start, &mut case)?;
        tally.cases += 1;
        tally.count(name, 1);
        Ok(())
    })
}

type Kind = fn(&mut Start<'_>, &mut Case) -> anyhow::Result<()>;

const KINDS: [(&str, Kind); 8] = [
    ("wrong settings", wrong_settings),
    ("newer log", newer_log),
    ("newer inbox", newer_inbox),
    ("damaged log", damaged_log),
    ("port taken", port_taken),
    ("stale sockets", stale_sockets),
    ("reused pid", reused_pid),
    ("killed in its start", killed_in_its_start),
];

struct Start<'a> {
    supervised: &'a Supervised,
    whose: &'a str,
    tally: &'a mut Tally,
}

impl Start<'_> {
    /// Starts, which is to fail with this code and leave nothing running.
    fn fails(&mut self, wanted: i32, arguments: &[&str]) -> anyhow::Result<Output> {
        let output = self.supervised.pb(arguments)?;
        if output.status.code() != Some(wanted) {
            let said = String::from_utf8_lossy(&output.stderr);
            self.tally.fail(format_args!("{}: {} instead of {wanted}: {said}", self.whose, output.status));
        }
        let left: Vec<_> = self.supervised.all().into_iter().filter(|(_, holder)| holder.is_some()).collect();
        if !left.is_empty() {
            self.tally.fail(format_args!("{}: it left {left:?}", self.whose));
        }
        Ok(output)
    }

    /// Starts, does a goal, and stops.
    fn works(&mut self) -> anyhow::Result<()> {
        self.supervised.done(&["start"])?;
        let goal = self.supervised.home.root().with_extension("goal.toml");
        let workspace = self.supervised.home.root().with_extension("work");
        let text = format!(
            "title = \"a goal after a bad start\"\nworkspace = \"{}\"\n[[items]]\nid = \"a\"\nkind = \"command\"\n\
             argv = [\"sh\", \"-c\", \"echo x > done\"]\neffect = \"idempotent\"\n\
             gates = [{{ kind = \"file_exists\", path = \"done\" }}]\n",
            workspace.display()
        );
        fs::write(&goal, text)?;
        self.supervised.done(&["run", goal.to_str().context("the folder's name is no text")?])?;
        self.supervised.done(&["stop"])
    }
}

fn wrong_settings(start: &mut Start<'_>, case: &mut Case) -> anyhow::Result<()> {
    let config = start.supervised.home.config();
    let texts = [
        "[gateway\n",
        "port = \"x\n",
        "[lanes]\nmain = -1\n",
        "\u{0}",
        "[disk]\nfree_bytes_min = \"much\"\n",
    ];
    fs::write(&config, texts[case.chance.random_range(0..texts.len())])?;
    start.fails(CONFIG, &["start"])?;
    fs::remove_file(config)?;
    start.works()
}

fn newer_log(start: &mut Start<'_>, _: &mut Case) -> anyhow::Result<()> {
    newer(start, &start.supervised.home.state_db().clone())
}

fn newer_inbox(start: &mut Start<'_>, _: &mut Case) -> anyhow::Result<()> {
    newer(start, &start.supervised.home.gateway_db().clone())
}

/// A newer version wrote the file: it is refused, and left as it is.
fn newer(start: &mut Start<'_>, path: &std::path::Path) -> anyhow::Result<()> {
    start.works()?;
    let version = |file: &Connection| file.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    let known = version(&Connection::open(path)?)?;
    Connection::open(path)?.pragma_update(None, "user_version", known + 1)?;
    let before = fs::read(path)?;
    let output = start.fails(CONFIG, &["start"])?;
    if !String::from_utf8_lossy(&output.stderr).contains("a newer pb wrote it") || fs::read(path)? != before {
        start.tally.fail(format_args!("{}: the newer file was changed, or that was not said", start.whose));
    }
    Connection::open(path)?.pragma_update(None, "user_version", known)?;
    start.works()
}

/// It fails each time: five times with pauses, and then it is left alone.
fn damaged_log(start: &mut Start<'_>, _: &mut Case) -> anyhow::Result<()> {
    start.works()?;
    let log = OpenOptions::new().read(true).write(true).open(start.supervised.home.state_db())?;
    let mut whole = [0; 2_000];
    log.read_exact_at(&mut whole, 100)?;
    log.write_all_at(&[0xff; 2_000], 100)?;
    let began = Instant::now();
    start.fails(UNAVAILABLE, &["start"])?;
    let took = began.elapsed();
    let told = fs::read_to_string(start.supervised.home.logs().join("supervisor.log"))?;
    let failed =
        told.lines().filter(|line| line.contains("\"it failed\"") && line.contains("scheduler")).count();
    if failed != FAILURES_MAX || took < FAILS_AFTER_MIN {
        start.tally.fail(format_args!("{}: it failed {failed} times in {took:?}", start.whose));
    }
    log.write_all_at(&whole, 100)?;
    start.works()
}

fn port_taken(start: &mut Start<'_>, _: &mut Case) -> anyhow::Result<()> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port().to_string();
    start.fails(CONFIG, &["start", "--port", &port])?;
    drop(taken);
    start.works()
}

/// Sockets and notes of processes that died; nobody listens on them.
fn stale_sockets(start: &mut Start<'_>, _: &mut Case) -> anyhow::Result<()> {
    let home = &start.supervised.home;
    drop(UnixListener::bind(home.gateway_socket())?);
    drop(UnixListener::bind(home.supervisor_socket())?);
    for name in ["gateway", "scheduler"] {
        drop(UnixDatagram::bind(home.heard_socket(name))?);
    }
    for note in [home.gateway_json(), home.supervisor_json(), home.scheduler_json()] {
        fs::write(note, "{\"pid\":")?;
    }
    start.works()
}

/// A stranger has the process id that each lock names, or one that started at the same time.
#[expect(clippy::disallowed_methods, reason = "the suite starts the stranger")]
fn reused_pid(start: &mut Start<'_>, case: &mut Case) -> anyhow::Result<()> {
    let mut stranger = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn()?;
    let pid = stranger.id();
    let exact = process::start_time(pid).context("the stranger has no start time")?;
    let holder = json!({
        "pid": pid, "boot_id": process::boot_id(),
        "start_time": if case.chance.random_bool(0.5) { exact } else { exact + 1 },
        "version": "0.1.0", "started_at_ms": 1,
    });
    let home = &start.supervised.home;
    for lock in [home.supervisor_lock(), home.gateway_lock(), home.scheduler_lock()] {
        fs::write(lock, holder.to_string())?;
    }
    start.supervised.done(&["stop"])?;
    let worked = start.works();
    let lives = stranger.try_wait()?.is_none();
    stranger.kill()?;
    stranger.wait()?;
    if !lives {
        start.tally.fail(format_args!("{}: the stranger was ended", start.whose));
    }
    worked
}

/// Everything is killed while it starts, at some moment.
fn killed_in_its_start(start: &mut Start<'_>, case: &mut Case) -> anyhow::Result<()> {
    let mut command = start.supervised.command(&["start"]);
    let mut starting = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    std::thread::sleep(Duration::from_micros(case.chance.random_range(0..80_000))); // The very moment of the kill.
    starting.kill()?;
    starting.wait()?;
    // Who is there now; one that starts right after comes up, and is found by the next start.
    for (_, holder) in start.supervised.all() {
        if let Some(process) = holder.and_then(|holder| holder.process()) {
            process.kill();
        }
    }
    start.works()?;
    let is_idle = |start: &Start<'_>| {
        start
            .supervised
            .report()
            .is_none_or(|report| report.children.iter().all(|child| child.state != State::Fatal))
    };
    if !is_idle(start) {
        start.tally.fail(format_args!("{}: something failed for good", start.whose));
    }
    Ok(())
}
