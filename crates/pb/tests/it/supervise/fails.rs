//! What cannot run is left alone, said, and goes on when it is mended.

use std::fs;
use std::os::unix::fs::FileExt;

use insta::assert_snapshot;

use super::started;
use crate::env::TestEnv;

#[test]
fn settings_that_do_not_work_start_nothing() {
    let env = TestEnv::supervised();
    fs::create_dir_all(env.home()).unwrap();
    fs::write(env.home().join("config.toml"), "[gateway\n").unwrap();
    assert_snapshot!("wrong_settings", env.pb(["start"]));
    assert_eq!(env.processes(), Vec::<u32>::new());
    let supervise = env.pb(["supervise"]);
    assert_eq!(supervise.exit, Some(78), "{supervise}");
}

#[test]
fn settings_that_went_wrong_are_not_tried_again_and_the_other_goes_on() {
    let env = started();
    let gateway = env.pids()[1];
    fs::write(env.home().join("config.toml"), "[gateway\n").unwrap();
    env.kill9("scheduler");
    env.wait_states(["running", "exited"]);
    let told = env.told().unwrap();
    assert_eq!(
        (&told["children"][1]["exit_code"], &told["children"][1]["restarts"]),
        (&78.into(), &1.into())
    );
    assert_snapshot!("exited_status", env.pb(["status"]));
    assert_snapshot!("exited_start", env.pb(["start"]));
    fs::remove_file(env.home().join("config.toml")).unwrap();
    env.assert_works();
    assert_eq!(env.pids()[1], gateway);
}

/// Nor does another supervisor try it again, or end because of it.
#[test]
fn what_was_left_alone_stays_so_when_the_supervisor_dies() {
    let env = started();
    let gateway = env.pids()[1];
    fs::write(env.home().join("config.toml"), "[gateway\n").unwrap();
    env.kill9("scheduler");
    env.wait_states(["running", "exited"]);
    env.kill9("supervisor");
    env.wait_states(["running", "exited"]);
    assert_eq!(env.told().unwrap()["children"][1]["restarts"], 0);
    assert_eq!(env.holder("gateway").unwrap().pid, gateway);
    fs::remove_file(env.home().join("config.toml")).unwrap();
    env.assert_works();
}

#[test]
fn what_fails_five_times_is_left_alone_until_a_person_says_so() {
    let env = started();
    assert_eq!(env.pb(["scheduler", "stop"]).exit, Some(0));
    // In place, as a disk does it: the gateway has the file open. Its header says that it is one of ours.
    let log = fs::OpenOptions::new().read(true).write(true).open(env.home().join("state.db")).unwrap();
    let mut whole = [0; 2000];
    log.read_exact_at(&mut whole, 100).unwrap();
    log.write_all_at(&[0xff; 2000], 100).unwrap();
    let failed = env.pb(["scheduler", "start"]);
    assert_eq!(failed.exit, Some(69), "{failed}");
    assert_snapshot!("fatal_start", failed);
    env.wait_states(["running", "fatal"]);
    assert_eq!(env.told().unwrap()["children"][1]["restarts"], 4);
    assert_snapshot!("fatal_status", env.pb(["status"]));
    log.write_all_at(&whole, 100).unwrap();
    env.assert_works();
    env.wait_running();
}

/// One that cannot begin ends what was started with it, and not what ran before.
#[test]
fn a_start_is_of_both_or_of_none() {
    let env = TestEnv::supervised();
    env.start_daemon("gateway");
    let gateway = env.holder("gateway").unwrap().pid;
    fs::create_dir(env.home().join("state.db")).unwrap();
    let failed = env.pb(["start"]);
    assert_ne!(failed.exit, Some(0), "{failed}");
    assert_eq!(env.processes(), [gateway]);
    fs::remove_dir(env.home().join("state.db")).unwrap();
    env.start_daemons();
    assert_eq!(env.pids()[1], gateway, "it goes on with the one that ran");
}
