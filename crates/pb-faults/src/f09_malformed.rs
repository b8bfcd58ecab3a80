//! F9: what no peer should send. Cut, over-long, not UTF-8, with NUL, deep, of wrong types, with keys twice,
//! with huge numbers, one byte at a time; to every parser, and over real sockets to a gateway in a process of
//! its own.
//!
//! It passes when nothing panics, what is sound is still understood afterwards, a connection costs the
//! gateway at most 8 MiB, and others are told every event once meanwhile.

mod deluge;
mod generate;
mod parsers;
mod websocket;

use crate::{Run, Tally};

/// Lines through the parsers.
const LINES: [u64; 3] = [2_000, 200_000, 20_000_000];
/// Messages and lines over sockets.
const OVER_SOCKETS: [u64; 3] = [400, 10_000, 1_000_000];

/// Runs the fault.
///
/// # Errors
/// The gateway could not be started.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let [lines, over_sockets] = [LINES, OVER_SOCKETS].map(|[smoke, ci, soak]| run.size.pick(smoke, ci, soak));
    let mut tally = parsers::run(run.seed, lines);
    tally.add(deluge::run(run, over_sockets)?);
    Ok(tally)
}
