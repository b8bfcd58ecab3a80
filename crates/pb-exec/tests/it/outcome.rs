//! How jobs end by themselves, and what comes out of them.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use pb_exec::{
    Enforced, Launcher, OUTPUT_HEAD_BYTES_MAX, OUTPUT_TAIL_BYTES_MAX, Outcome, Policy, SpawnError,
};

use crate::env::{TestEnv, launcher, run, run_well};

#[tokio::test]
async fn exit_codes_and_both_outputs_come_back_in_order() {
    let env = TestEnv::new();
    let finished = run(&env.bash("echo one; echo two >&2; echo three; exit 7")).await;
    assert_eq!(finished.outcome, Outcome::Exited(7));
    assert_eq!(finished.output.text(), "one\ntwo\nthree\n");
    assert_eq!(finished.enforced, Enforced::Full);
    assert_eq!(finished.leftovers_killed, 0);
    assert!(finished.duration < Duration::from_secs(5));
}

#[tokio::test]
async fn a_signal_is_told_from_an_exit() {
    let env = TestEnv::new();
    let finished = run(&env.bash("kill -SEGV $$")).await;
    assert_eq!(finished.outcome, Outcome::Signaled(11));
}

#[tokio::test]
async fn arguments_arrive_as_they_are() {
    let env = TestEnv::new();
    let job = env.job(&["printf", "%s|", "a b", "$HOME", "*", "", "中文", "line\nfeed"]);
    assert_eq!(run_well(&job).await, "a b|$HOME|*||中文|line\nfeed|");
}

#[tokio::test]
async fn a_broken_pipe_ends_a_writer_quietly() {
    let env = TestEnv::new();
    assert_eq!(run_well(&env.bash("yes | head -n 1")).await, "y\n");
}

#[tokio::test]
async fn standard_input_is_empty() {
    let env = TestEnv::new();
    assert_eq!(run_well(&env.bash("readlink /proc/self/fd/0; cat")).await, "/dev/null\n");
}

#[tokio::test]
async fn nothing_but_the_three_standard_descriptors_is_open() {
    let env = TestEnv::new();
    // The fourth is the folder that `ls` reads.
    assert_eq!(run_well(&env.job(&["ls", "/proc/self/fd"])).await, "0\n1\n2\n3\n");
}

#[tokio::test]
async fn the_tool_leads_its_own_session() {
    let env = TestEnv::new();
    let text = run_well(
        &env.bash("read -r pid _ _ _ group session _ </proc/self/stat; echo $$ $pid $group $session"),
    )
    .await;
    let ids: BTreeSet<&str> = text.split_whitespace().collect();
    assert_eq!(ids.len(), 1, "{text}");
}

#[tokio::test]
async fn the_environment_is_exactly_the_list() {
    let env = TestEnv::new();
    let job = env.job(&["env"]);
    let mut expect: BTreeSet<String> =
        job.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    expect.insert(format!("PB_STEP={}", job.step));
    let text = run_well(&job).await;
    let found: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(found, expect);
    // Ours has more than that: cargo sets this one for tests.
    assert!(!text.contains("CARGO_MANIFEST_DIR"));
}

#[tokio::test]
async fn an_api_key_of_ours_does_not_reach_the_tool() {
    let env = TestEnv::new();
    let mut job = env.job(&["env"]);
    let ours = [("MY_API_KEY", "k"), ("PATH", "/usr/bin:/bin"), ("LANG", "C")];
    let ours = ours.map(|(name, value)| (name.to_owned(), value.to_owned()));
    job.env = pb_exec::environment::build(ours, &job.env);
    let text = run_well(&job).await;
    assert!(text.contains("LANG=C") && !text.contains("MY_API_KEY"), "{text}");
}

#[tokio::test]
async fn output_is_bounded_and_all_of_it_is_taken() {
    const BYTES: usize = 50_000_000;
    let env = TestEnv::new();
    let finished = run(&env.bash("echo head; head -c 50000000 /dev/zero; echo tail")).await;
    assert_eq!(finished.outcome, Outcome::Exited(0));
    let output = finished.output;
    assert_eq!(output.bytes_total, 50_000_010);
    assert_eq!(output.head.len(), OUTPUT_HEAD_BYTES_MAX);
    assert_eq!(output.tail.len(), OUTPUT_TAIL_BYTES_MAX);
    let whole = [b"head\n".as_slice(), &vec![0; BYTES], b"tail\n"].concat();
    assert!(whole.starts_with(&output.head) && whole.ends_with(&output.tail));
    assert_eq!(output.digest, blake3::hash(&whole).to_hex().to_string());
    assert!(output.text().contains(" bytes left out …\n"));
}

#[tokio::test]
async fn chinese_text_survives_being_written_in_pieces() {
    let env = TestEnv::new();
    // 3,000 characters, each torn apart by two writes.
    let script = r"for i in {1..3000}; do printf '\xe4\xb8'; printf '\xad'; done";
    assert_eq!(run_well(&env.bash(script)).await, "中".repeat(3000));
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let env = TestEnv::new();
    let script = env.write("work/no-interpreter", "#!/no/such/interpreter\n");
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    env.write("work/not-executable", "text");
    let check = async |argv: &[&str], cwd: &str, words: &[&str]| {
        let mut job = env.job(argv);
        job.cwd = env.home().join(cwd);
        let finished = run(&job).await;
        let Outcome::NotStarted(why) = &finished.outcome else {
            unreachable!("{argv:?} in {cwd}: {finished:?}");
        };
        for word in words {
            assert!(why.contains(word), "{argv:?} in {cwd}: {why}");
        }
        assert_eq!(finished.output.bytes_total, 0);
    };
    check(&["no-such-program"], "work", &["not found", "no-such-program", "/usr/bin"]).await;
    check(&["./no-such-file"], "work", &["not found", "./no-such-file"]).await;
    check(&["./no-interpreter"], "work", &["interpreter"]).await;
    check(&["./not-executable"], "work", &["not-executable", "denied"]).await;
    check(&["true"], "no-such-folder", &["working folder", "no-such-folder"]).await;
    check(&["true"], "work/not-executable", &["working folder", "Not a directory"]).await;
    check(&["a\0b"], "work", &["nul byte"]).await;
    check(&[], "work", &["empty"]).await;
}

#[tokio::test]
async fn programs_are_looked_up_in_the_path_of_the_job() {
    let env = TestEnv::new();
    let program = env.write("work/tools/say", "#!/bin/sh\necho said\n");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut job = env.job(&["say"]);
    job.env.insert("PATH".to_owned(), "tools:/usr/bin:/bin".to_owned());
    assert_eq!(run_well(&job).await, "said\n");
    assert_eq!(run_well(&env.job(&["tools/say"])).await, "said\n");
}

#[tokio::test]
async fn a_job_that_is_too_large_is_refused_and_one_below_runs() {
    let env = TestEnv::new();
    let mut job = env.job(&["true"]);
    job.argv.extend((0..7).map(|_| "a".repeat(120_000)));
    assert_eq!(run_well(&job).await, "");
    job.argv.extend((0..2).map(|_| "a".repeat(120_000)));
    let error = launcher().spawn(&job).unwrap_err();
    assert!(matches!(error, SpawnError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_binary_is_an_error() {
    let error = Launcher::new("/no/such/pb").spawn(&TestEnv::new().bash("")).unwrap_err();
    assert!(matches!(error, SpawnError::Keeper { .. }), "{error}");
}

#[tokio::test]
async fn without_confinement_it_says_so() {
    let env = TestEnv::new();
    let mut job = env.bash("true");
    job.confinement.policy = Policy::Off;
    let finished = run(&job).await;
    assert_eq!(finished.outcome, Outcome::Exited(0));
    assert_eq!(finished.enforced, Enforced::None);
}
