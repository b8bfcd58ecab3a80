//! F12: the clock jumps in the middle of work: years back and forth, an hour back, a night of sleep. The same
//! simulation as F5; each goal has a budget of time that is smaller than a jump, and no jump uses it up.

use crate::f05_simulation::life::Clocks;
use crate::{Run, Tally, f05_simulation};

/// Runs the fault.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    f05_simulation::seeds(run, ("F12", Clocks::Jumping), run.size.pick(10, 300, 50_000))
}
