//! F9 in its smoke size.

use pb_faults::{FAULTS, Run, Size};

#[test]
fn what_no_peer_should_send_costs_nobody_anything() {
    let folder = tempfile::Builder::new().prefix("pb").tempdir_in("/tmp").unwrap();
    let run = Run {
        size: Size::Smoke,
        seed: 20_261_126,
        folder: folder.path().to_owned(),
        exe: env!("CARGO_BIN_EXE_pb-faults").into(),
        pb: None,
        bug: None,
    };
    let fault = FAULTS.iter().find(|fault| fault.id == "F9").unwrap();
    let tally = (fault.run)(&run).unwrap();
    assert!(tally.passed(), "seed {}: {tally:#?}", run.seed);
}
