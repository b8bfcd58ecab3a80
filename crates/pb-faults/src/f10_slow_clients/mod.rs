//! F10: thousands of clients that do not read, and some healthy ones beside them.
//!
//! ```text
//!   writer (child, honest bell) --> gateway (child) --+--> herd (child): 10,000 clients, SO_RCVBUF 4 KiB
//!                                                     +--> 20 healthy clients (tasks here)
//! ```
//!
//! A quarter of the herd came by an access token that stays, a quarter by one that is revoked in the middle: those are
//! let go of at once, though they read nothing, and do not come in again.
//!
//! Last, as many again that only connect, to a gateway of their own: what one costs is bounded (`idle.rs`).
//!
//! A case is a client of the herd, or one of those. The gateway's memory stays within a bound, healthy clients are told at
//! once, and the slow ones lose nothing: they read on, or were closed with 4008 and go on from their cursor.

mod healthy;
pub(crate) mod herd;
mod idle;
mod memory;
mod tokens;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;
use pb_runtime::{Home, Tasks, environment};
use tokio::time::sleep;

use self::healthy::Healthy;
use self::herd::Report;
use self::memory::Memory;
use self::tokens::Tokens;
use crate::processes::{self, Process};
use crate::{Run, Size, Tally};

/// Another number of slow clients, from the environment: for machines with fewer descriptors.
const CLIENTS_VARIABLE: &str = "PB_FAULTS_SLOW_CLIENTS";
/// Healthy clients.
const HEALTHY: usize = 20;
/// Events that are there before anybody connects: enough to fill every slow client's socket.
const HISTORY: u64 = 1_000;
/// What is committed at once while clients are connected: 5 events, every so many milliseconds.
const PAUSE_MS: u64 = 100;
/// Events a second.
const RATE: u64 = 50;
/// How long connecting all of the herd may take.
const CONNECT_MAX: Duration = Duration::from_mins(4);
/// How long the herd may take for its end.
const END_MAX: Duration = Duration::from_mins(3);
/// Private memory that the gateway may have for a slow client, in KiB.
const CLIENT_KIB_MAX: u64 = 32;
/// Private memory that it may have beside, in KiB.
const OWN_KIB_MAX: u64 = 64 * 1024;
/// What is promised to healthy clients, in milliseconds; the fault fails at three times that. Not at the smoke
/// size: how fast a debug build is beside other tests says nothing.
const HEALTHY_P99_MS: u64 = 100;
/// When a token is revoked: later the gateway has let go of who reads nothing.
const REVOKED_AFTER: Duration = Duration::from_secs(10);
/// Descriptors that the gateway needs beside those of its clients.
const DESCRIPTORS_MORE: u64 = 512;

/// Runs the fault.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let clients = environment::text(CLIENTS_VARIABLE).and_then(|text| text.parse().ok());
    let clients = clients.unwrap_or_else(|| run.size.pick(60, 10_000, 10_000));
    let hold_s = run.size.pick(2, 35, 600);
    processes::allow_descriptors(clients + DESCRIPTORS_MORE)?;
    let home = processes::home(run, "f10")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut tally = runtime.block_on(stand(run, &home, clients, hold_s))?;
    tally.add(idle::run(run, run.size.pick(2_000, 10_000, 10_000))?);
    Ok(tally)
}

async fn stand(run: &Run, home: &Home, clients: u64, hold_s: u64) -> anyhow::Result<Tally> {
    let mut gateway = processes::gateway(run, home)?;
    processes::gateway_ready(&mut gateway, home)?;
    let writer = write(run, home, HISTORY, 0)?;
    wait_for_history(home).await?;
    writer.kill9()?;
    let tasks = Tasks::new();
    let memory = Memory::watch(gateway.pid(), &tasks);

    let tokens = Tokens::make(home).await?;
    let report_at = home.root().join("herd.json");
    // What is written while the herd holds still: the writer begins when it is connected.
    let events = HISTORY + RATE * hold_s;
    let numbers = [clients, hold_s, events].map(|number| number.to_string());
    let arguments = [
        "child",
        "herd",
        "--clients",
        &numbers[0],
        "--hold-s",
        &numbers[1],
        "--events",
        &numbers[2],
        "--report",
    ];
    let arguments = arguments.iter().map(std::ffi::OsStr::new);
    let places = [report_at.as_os_str(), std::ffi::OsStr::new("--tokens"), tokens.file().as_os_str()];
    let arguments = arguments.chain(places);
    let mut herd = Process::start("herd", &run.exe, arguments, home)?;
    let first = wait_for(&mut herd, &report_at, CONNECT_MAX, |_| true).await?;
    crate::progress::tell(format_args!("F10: {} slow clients are connected", first.connected));

    let healthy = Healthy::spawn(home, HEALTHY, HISTORY, &tasks);
    let _writer = write(run, home, events, PAUSE_MS)?;
    sleep(REVOKED_AFTER.min(Duration::from_secs(hold_s) / 2)).await; // wait: so long they read nothing
    let revoked_after = tokens.revoke(home, first.to_be_revoked).await?;
    let is_over = |report: &Report| report.is_over;
    let most = Duration::from_secs(hold_s) + END_MAX;
    let report = wait_for(&mut herd, &report_at, most, is_over).await?;
    if !healthy.have(events, END_MAX).await {
        bail!("healthy clients do not get the end");
    }
    tasks.stop(Duration::from_secs(5)).await;
    let mut tally = judge(run.size, &report, &healthy, memory.peak_kib(), (clients, events));
    tokens::judge(&report, revoked_after, &mut tally);
    Ok(tally)
}

fn judge(
    size: Size,
    report: &Report,
    healthy: &Healthy,
    peak_kib: u64,
    (clients, events): (u64, u64),
) -> Tally {
    let mut tally = Tally {
        cases: report.connected,
        lost: report.lost,
        duplicated: report.duplicated,
        reordered: report.reordered,
        failures: report.failures.clone(),
        ..Tally::default()
    };
    let (p50_ms, p99_ms) = healthy.audit(events, &mut tally);
    if report.connected < clients {
        tally.fail(format_args!("only {} of {clients} slow clients got a subscription", report.connected));
    }
    let bound_kib = OWN_KIB_MAX + CLIENT_KIB_MAX * clients;
    if peak_kib > bound_kib {
        tally.fail(format_args!("the gateway had {peak_kib} KiB of its own, the bound is {bound_kib}"));
    }
    if size != Size::Smoke && p99_ms > 3 * HEALTHY_P99_MS {
        tally.fail(format_args!("healthy clients wait {p99_ms} ms (p99), the limit is {HEALTHY_P99_MS}"));
    }
    tally.count("audited", report.audited);
    tally.count("closed_4008", report.closed);
    tally.count("cut_off", report.cut_off);
    tally.count("events", events);
    tally.count("gateway_peak_kib", peak_kib);
    tally.count("bound_kib", bound_kib);
    tally.count("healthy_p50_ms", p50_ms);
    tally.count("healthy_p99_ms", p99_ms);
    tally
}

/// A writer that tampers with nothing, up to a position.
fn write(run: &Run, home: &Home, events: u64, pause_ms: u64) -> anyhow::Result<Process> {
    let numbers = [run.seed, events, pause_ms].map(|number| number.to_string());
    let arguments = [
        "child",
        "writer",
        "--honest",
        "--seed",
        &numbers[0],
        "--events",
        &numbers[1],
        "--pause-ms",
        &numbers[2],
    ];
    Process::start("writer", &run.exe, arguments, home)
}

async fn wait_for_history(home: &Home) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        // The writer may be just making the file.
        if let Ok(log) = pb_store::LogReader::open(&home.state_db()).await
            && log.last_pos().await.unwrap_or_default() >= HISTORY
        {
            return Ok(());
        }
        if began.elapsed() > processes::READY_MAX {
            bail!("the writer does not write");
        }
        sleep(Duration::from_millis(10)).await; // wait: a file rings no bell
    }
}

/// Waits for a report of the herd that is as it should be.
async fn wait_for(
    herd: &mut Process,
    report: &Path,
    at_most: Duration,
    is_it: impl Fn(&Report) -> bool,
) -> anyhow::Result<Report> {
    let began = Instant::now();
    loop {
        // Whether it has ended is asked first: what it wrote last is then there.
        let ended = herd.ended()?;
        if let Some(report) = Report::read(report).filter(&is_it) {
            return Ok(report);
        }
        if let Some(status) = ended {
            bail!("the herd ended with {status}; see herd.log");
        }
        if began.elapsed() > at_most {
            bail!("the herd did not report within {} s", at_most.as_secs());
        }
        sleep(Duration::from_millis(20)).await; // wait: a file rings no bell
    }
}
