//! What is told about the link.

use std::time::Duration;

use super::{LINE_BYTES, Round};
use crate::commands::bench::figures::{Row, median, number};

/// What is aimed at and what the first implementation came to: processor time of both ends for a message, in
/// microseconds, and messages a second.
const CPU: (f64, f64) = (1.5, 10.2);
const RATE: (f64, f64) = (1_000_000.0, 177_000.0);

pub(super) fn ours(told: &str, rounds: &[Round]) -> [Row; 5] {
    let [cpu, sender, receiver, rate, lost] = of(&format!("{told}, {LINE_BYTES} bytes"), rounds);
    [cpu.target(CPU.0).first(CPU.1), sender, receiver, rate.target(RATE.0).first(RATE.1), lost]
}

pub(super) fn plain(rounds: &[Round]) -> [Row; 5] {
    of("plain lines, one way, parsed", rounds)
}

fn of(told: &str, rounds: &[Round]) -> [Row; 5] {
    let each = |of: fn(&Round) -> Duration| {
        median(rounds.iter().map(|round| of(round).as_secs_f64() * 1e6 / number(round.messages)))
    };
    let rate = median(rounds.iter().map(|round| number(round.messages) / round.took.as_secs_f64()));
    let lost = rounds.iter().map(|round| round.lost).sum();
    [
        Row::new(format!("{told}: CPU of both"), "us", each(|round| round.sender + round.receiver)),
        Row::new("  of the sender", "us", each(|round| round.sender)),
        Row::new("  of the receiver", "us", each(|round| round.receiver)),
        Row::new("  rate", "/s", rate),
        Row::new("  lost", "", number(lost)),
    ]
}
