//! Runs a fault as `cargo xtask faults smoke` does.

use std::path::Path;

use pb_faults::{FAULTS, Run, Size, Tally};

/// Runs the smoke size of a fault with a fixed seed, and expects that it passes.
pub(crate) fn smoke(id: &str, seed: u64) -> Tally {
    let exe = Path::new(env!("CARGO_BIN_EXE_pb-faults"));
    let folder = tempfile::Builder::new().prefix("pbf").tempdir_in("/tmp").unwrap();
    let run = Run {
        size: Size::Smoke,
        seed,
        folder: folder.path().to_owned(),
        exe: exe.to_owned(),
        pb: None,
        bug: None,
    };
    let fault = FAULTS.iter().find(|fault| fault.id == id).unwrap();
    let tally = (fault.run)(&run).unwrap();
    assert!(tally.passed(), "{id} with seed {seed}: {tally:#?}");
    tally
}

/// Schedules had a part in it.
pub(crate) fn assert_slots(tally: &Tally) {
    let slots = tally.counts.iter().find(|(name, _)| name == "slots").map_or(0, |(_, count)| *count);
    assert!(slots > 0, "{tally:#?}");
}
