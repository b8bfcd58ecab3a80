//! The smoke size of the faults of whole processes, done to this very binary. The others are in
//! `crates/pb-faults/tests/it`.

use std::path::PathBuf;

use pb_faults::{FAULTS, Run, Size};

#[test]
fn killed_processes_lose_nothing_and_repeat_nothing_in_silence() {
    let folder = tempfile::Builder::new().prefix("pbf").tempdir_in("/tmp").unwrap();
    let pb = PathBuf::from(env!("CARGO_BIN_EXE_pb"));
    // This fault needs no child but `pb`.
    let exe = pb.clone();
    let run =
        Run { size: Size::Smoke, seed: 2, folder: folder.path().to_owned(), exe, pb: Some(pb), bug: None };
    let fault = FAULTS.iter().find(|fault| fault.id == "F2").unwrap();
    let tally = (fault.run)(&run).unwrap();
    assert!(tally.passed(), "{tally:#?}");
}
