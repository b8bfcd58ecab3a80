//! F9: what no peer should send. Cut, over-long, not UTF-8, with NUL, deep, of wrong types, with keys twice,
//! with huge numbers, one byte at a time; to every parser, and over real sockets to a gateway in a process of
//! its own; and wrong parameters for every method of the table, by sessions of every permission.
//!
//! It passes when nothing panics, what is sound is still understood afterwards, a connection costs the
//! gateway at most 8 MiB, and others are told every event once meanwhile.

mod deluge;
mod generate;
mod methods;
mod parameters;
mod parsers;
mod websocket;

use crate::{Run, Tally};

/// Lines through the parsers.
const LINES: [u64; 3] = [2_000, 200_000, 20_000_000];
/// Messages and lines over sockets.
const OVER_SOCKETS: [u64; 3] = [400, 10_000, 1_000_000];

/// Calls of each method by each session.
const CALLS_EACH: [u64; 3] = [2, 40, 4_000];

/// Runs the fault.
///
/// # Errors
/// The gateway could not be started.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let [lines, over_sockets] = [LINES, OVER_SOCKETS].map(|[smoke, ci, soak]| run.size.pick(smoke, ci, soak));
    let mut tally = parsers::run(run.seed, lines);
    tally.add(deluge::run(run, over_sockets)?);
    let [smoke, ci, soak] = CALLS_EACH;
    tally.add(methods::run(run, run.size.pick(smoke, ci, soak))?);
    Ok(tally)
}
