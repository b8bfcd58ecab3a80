//! How many events a second so many clients can be told for seconds on end.

use std::time::Duration;

use pb_runtime::Home;

use super::point::{Load, Point};
use super::stand_in::StandIn;
use crate::commands::bench::figures::number;
use crate::output;

/// Clients, and the rates that are tried, one after the other.
pub(in crate::commands::bench) const LADDERS: [(usize, &[u64]); 3] = [
    (1, &[10_000, 20_000, 40_000, 60_000, 80_000, 100_000]),
    (100, &[10_000, 15_000, 20_000, 25_000, 30_000, 40_000]),
    (500, &[1_500, 2_000, 3_000, 4_000, 5_000, 6_000]),
];
/// Everybody has everything so soon after the last commit, or the rate is not sustained.
pub(in crate::commands::bench) const DRAINED_WITHIN: Duration = Duration::from_millis(250);
/// How long each rate is tried.
const LASTS: Duration = Duration::from_secs(3);
/// A stand-in that comes to less than so much of a rate has committed what it can.
const KEPT_UP: f64 = 0.97;

/// What was reached.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::commands::bench) struct Sustained {
    /// Events a second.
    pub(in crate::commands::bench) rate: f64,
    /// What the next step came to, where it failed for the clients.
    pub(in crate::commands::bench) beyond: Option<(u64, Duration)>,
    /// Whether the writer was the limit.
    pub(in crate::commands::bench) is_writer: bool,
}

impl Sustained {
    /// The rate without what is behind the point.
    pub(in crate::commands::bench) fn whole_rate(self) -> u64 {
        Duration::try_from_secs_f64(self.rate).unwrap_or_default().as_secs()
    }
}

/// Tries the rates until one is too much.
pub(in crate::commands::bench) async fn climb(
    stand_in: &mut StandIn,
    home: &Home,
    (clients, rates): (usize, &[u64]),
) -> anyhow::Result<Sustained> {
    let mut held = Sustained::default();
    for rate in rates {
        let point = Point::measure(stand_in, home, Load { clients, rate: *rate, lasts: LASTS }).await?;
        let cpu = point.cpu.as_secs_f64() * 1e6 / number(point.frames);
        let drained = point.drained.as_millis();
        output::note(format_args!(
            "  {rate}/s: {:.0} committed, drained after {drained} ms, CPU a frame {cpu:.2} us",
            point.committed
        ));
        if point.drained > DRAINED_WITHIN {
            held.beyond = Some((*rate, point.drained));
            break;
        }
        held.rate = point.committed;
        held.is_writer = point.committed < KEPT_UP * number(*rate);
        if held.is_writer {
            break;
        }
    }
    Ok(held)
}
