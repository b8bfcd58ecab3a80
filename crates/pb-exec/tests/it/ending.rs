//! Nothing is left behind, however a job ends.

use std::process::Stdio;
use std::time::{Duration, Instant};

use pb_exec::{Finished, Outcome, Policy, Running, leftovers};
use rustix::process::{Pid, Signal, kill_process};

use crate::env::{TestEnv, is_alive, launcher, run, wait_until};

/// Everything must be gone this soon after the stop.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// Ignores SIGTERM, and has a grandchild that does so too, in its own session, orphaned.
const STUBBORN: &str = "
    trap '' TERM
    (setsid bash -c 'trap \"\" TERM; echo $$ >grandchild; while :; do sleep 1000; done' &)
    echo $$ >tool
    while :; do sleep 1000; done";

fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// For a person who runs the tests with `--nocapture`.
#[expect(clippy::print_stderr, reason = "a measured time is worth showing")]
fn show(line: &str) {
    eprintln!("{line}");
}

/// Starts the stubborn script, does something to it, and checks that all of it is gone in time,
/// counted from then or from the end of `time_limit`.
async fn end_stubborn(time_limit: Option<Duration>, end: impl Fn(&Running)) -> Finished {
    let env = TestEnv::new();
    let mut job = env.bash(STUBBORN);
    job.time_limit = time_limit.unwrap_or(job.time_limit);
    let running = launcher().spawn(&job).unwrap();
    let pids = [env.wait_number("tool"), env.wait_number("grandchild"), running.keeper_pid()];
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    let started = Instant::now();
    end(&running);
    let finished = running.wait().await;
    let took = started.elapsed();
    let limit = STOP_LIMIT + time_limit.unwrap_or_default();
    assert!(took < limit, "took {took:?}");
    assert!(!pids.iter().any(|pid| is_alive(*pid)), "something survived");
    assert_eq!(leftovers::find(|step| step == job.step), []);
    show(&format!("gone after {took:?}: {finished:?}"));
    finished
}

#[tokio::test]
async fn stop_ends_a_stubborn_tool_and_its_orphan_within_two_seconds() {
    let finished = end_stubborn(None, |running| running.stopper().stop()).await;
    assert_eq!(finished.outcome, Outcome::Stopped);
    // The orphan, and a `sleep` each if they came that far.
    assert!((1..=3).contains(&finished.leftovers_killed), "{finished:?}");
}

#[tokio::test]
async fn sigterm_to_the_keeper_is_a_stop() {
    let finished = end_stubborn(None, |running| kill(running.keeper_pid(), Signal::TERM)).await;
    assert_eq!(finished.outcome, Outcome::Stopped);
}

#[tokio::test]
async fn the_time_limit_ends_everything() {
    let finished = end_stubborn(Some(Duration::from_secs(2)), |_| {}).await;
    assert_eq!(finished.outcome, Outcome::TimedOut);
    assert!(finished.duration >= Duration::from_secs(2));
    assert!(finished.duration < Duration::from_secs(3));
}

#[tokio::test]
async fn a_keeper_that_is_killed_is_lost_and_its_tool_is_ended() {
    let finished = end_stubborn(None, |running| kill(running.keeper_pid(), Signal::KILL)).await;
    assert_eq!(finished.outcome, Outcome::Lost);
    // The tool counts too when the keeper died before it could say which one that is.
    assert!((1..=4).contains(&finished.leftovers_killed), "{finished:?}");
}

#[tokio::test]
async fn dropping_the_handle_ends_everything() {
    let env = TestEnv::new();
    let running = launcher().spawn(&env.bash(STUBBORN)).unwrap();
    let pids = [env.wait_number("tool"), env.wait_number("grandchild"), running.keeper_pid()];
    let stopper = running.stopper();
    let started = Instant::now();
    drop(running);
    wait_until("all are gone", || !pids.iter().any(|pid| is_alive(*pid)));
    assert!(started.elapsed() < STOP_LIMIT, "took {:?}", started.elapsed());
    // A handle that outlives the job does nothing.
    stopper.stop();
}

#[tokio::test]
async fn a_normal_end_takes_the_background_with_it() {
    let env = TestEnv::new();
    let script = "
        (setsid bash -c 'echo $$ >grandchild; exec sleep 1000' >/dev/null 2>&1 &)
        until [ -s grandchild ]; do :; done
        echo done";
    let finished = run(&env.bash(script)).await;
    assert_eq!(finished.outcome, Outcome::Exited(0));
    assert_eq!(finished.output.text(), "done\n");
    assert_eq!(finished.leftovers_killed, 1);
    assert!(!is_alive(env.wait_number("grandchild")));
    // It died of SIGTERM at once, so the grace was not waited for.
    assert!(finished.duration < Duration::from_secs(5));
}

#[tokio::test]
async fn a_background_that_holds_the_output_open_does_not_hold_up_the_end() {
    let env = TestEnv::new();
    let started = Instant::now();
    let finished = run(&env.bash("sleep 1000 & echo done")).await;
    assert_eq!(finished.outcome, Outcome::Exited(0));
    assert_eq!(finished.output.text(), "done\n");
    assert!(started.elapsed() < STOP_LIMIT);
}

#[tokio::test]
async fn a_tool_that_forks_all_the_time_is_ended() {
    let env = TestEnv::new();
    // Each process starts its successor in a new session and ends: no pid lives long.
    env.write("work/hop", "echo $$ >tool; setsid bash hop & sleep 0.002");
    let job = env.bash("trap '' TERM; bash hop; sleep 1000");
    let running = launcher().spawn(&job).unwrap();
    env.wait_number("tool");
    let started = Instant::now();
    running.stopper().stop();
    let finished = running.wait().await;
    assert_eq!(finished.outcome, Outcome::Stopped);
    assert!(started.elapsed() < STOP_LIMIT, "took {:?}", started.elapsed());
    assert_eq!(leftovers::find(|step| step == job.step), []);
}

#[tokio::test]
async fn a_stop_that_comes_at_once_is_heard() {
    let env = TestEnv::new();
    let running = launcher().spawn(&env.bash("sleep 1000")).unwrap();
    running.stopper().stop();
    assert_eq!(running.wait().await.outcome, Outcome::Stopped);
}

#[tokio::test]
async fn a_time_limit_of_nothing_is_a_time_limit() {
    let env = TestEnv::new();
    let mut job = env.bash("sleep 1000");
    job.time_limit = Duration::ZERO;
    assert_eq!(run(&job).await.outcome, Outcome::TimedOut);
    job.argv = vec!["true".to_owned()];
    job.time_limit = Duration::MAX;
    assert_eq!(run(&job).await.outcome, Outcome::Exited(0));
}

#[tokio::test]
async fn leftovers_are_found_and_ended_with_and_without_a_keeper() {
    for kill_keeper in [true, false] {
        let env = TestEnv::new();
        let mut job = env.bash(STUBBORN);
        // As a scheduler that was killed would leave it: nobody listens any more.
        let running = launcher().spawn(&job).unwrap();
        let pids = [env.wait_number("tool"), env.wait_number("grandchild")];
        if kill_keeper {
            kill(running.keeper_pid(), Signal::KILL);
            wait_until("the keeper is dead", || !is_alive(running.keeper_pid()));
        }
        let found = leftovers::find(|step| step == job.step);
        assert_eq!(found.iter().any(|found| found.keeper), !kill_keeper);
        assert!(pids.iter().all(|pid| found.iter().any(|found| found.pid == *pid)));
        let started = Instant::now();
        assert_eq!(leftovers::end(&found, STOP_LIMIT), 0);
        assert!(started.elapsed() < STOP_LIMIT);
        assert!(!pids.iter().any(|pid| is_alive(*pid)));
        job.step.push('x');
        assert_eq!(leftovers::find(|step| step.starts_with(&job.step)), []);
    }
}

#[tokio::test]
async fn a_leftover_whose_pid_means_another_process_is_not_touched() {
    let env = TestEnv::new();
    let running = launcher().spawn(&env.bash("echo $$ >tool; sleep 1000")).unwrap();
    let tool = env.wait_number("tool");
    let mut found = leftovers::find(|_| true);
    found.retain(|found| found.pid == tool);
    found[0].start_time += 1;
    assert_eq!(leftovers::end(&found, STOP_LIMIT), 0);
    assert!(is_alive(tool));
    running.stopper().stop();
    running.wait().await;
}

#[tokio::test]
async fn a_tool_cannot_kill_its_keeper_and_unconfined_it_does_not_matter() {
    let env = TestEnv::new();
    let script = "kill -KILL $PPID; echo $?; kill -TERM $PPID; kill -STOP $PPID; exit 3";
    let finished = run(&env.bash(script)).await;
    assert_eq!(finished.outcome, Outcome::Exited(3), "{}", finished.output.text());
    assert!(finished.output.text().contains("Operation not permitted"));

    let mut job = env.bash("echo $$ >tool; kill -KILL $PPID; sleep 1000");
    job.confinement.policy = Policy::Off;
    let finished = run(&job).await;
    assert_eq!(finished.outcome, Outcome::Lost);
    assert!(!is_alive(env.wait_number("tool")));
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a keeper that nothing talks to")]
async fn a_keeper_without_a_job_ends() {
    let status = tokio::process::Command::new(env!("CARGO_BIN_EXE_pb-exec-child"))
        .arg(pb_exec::KEEPER_WORD)
        .stdin(Stdio::null())
        .status();
    assert!(!status.await.unwrap().success());
}
