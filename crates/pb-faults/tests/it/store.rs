//! The faults below the processes.

use std::path::PathBuf;

use pb_faults::{FAULTS, Run, Size, Tally};
use pb_runtime::faultpoints::Bug;

const SEED: u64 = 20_261_126;

fn smoke(id: &str, bug: Option<Bug>) -> Tally {
    let fault = FAULTS.iter().find(|fault| fault.id == id).unwrap();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let run = Run {
        size: Size::Smoke,
        seed: SEED,
        folder: folder.path().to_owned(),
        exe: PathBuf::from(env!("CARGO_BIN_EXE_pb-faults")),
        pb: None,
        bug,
    };
    (fault.run)(&run).unwrap()
}

#[test]
fn f1_a_killed_writer_loses_nothing() {
    let tally = smoke("F1", None);
    assert!(tally.passed(), "{tally:#?}");
}

#[test]
fn f3_a_power_loss_takes_nothing_that_was_answered() {
    let tally = smoke("F3", None);
    assert!(tally.passed(), "{tally:#?}");
}

#[test]
fn f7_a_failing_call_loses_nothing() {
    let tally = smoke("F7", None);
    assert!(tally.passed(), "{tally:#?}");
}

#[test]
fn f8_a_full_disk_is_waited_out() {
    let tally = smoke("F8", None);
    // Where nothing may be mounted, nothing is done.
    assert!(tally.clean(), "{tally:#?}");
}

#[test]
fn f18_readers_keep_the_wal_bounded() {
    let tally = smoke("F18", None);
    assert!(tally.passed(), "{tally:#?}");
}
