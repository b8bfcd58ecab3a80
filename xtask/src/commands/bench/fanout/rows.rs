//! What is told about fan-out, beside what is aimed at and what the first implementation came to.

use std::time::Duration;

use super::deaf::Deaf;
use super::outage::{Outage, RATE};
use super::point::{Backlog, Point, ratio};
use super::stand_in::Sync;
use super::sustained::Sustained;
use crate::commands::bench::figures::{Percentiles, Row, median, ms, number};

/// How late one client is told. The targets are those of durable commits.
pub(super) fn late(sync: Sync, points: &[Point]) -> [Row; 5] {
    let mode = if sync == Sync::Full { "FULL" } else { "NORMAL" };
    let of = |part: fn(&Point) -> Percentiles, of: fn(Percentiles) -> f64| {
        median(points.iter().map(|point| of(part(point))))
    };
    let (p50, p99) = (|times: Percentiles| times.p50_ms, |times: Percentiles| times.p99_ms);
    let row = |text: &str, measured| Row::new(format!("{mode}, 1 client, 1,000/s: {text}"), "ms", measured);
    let rows = [
        row("end to end, p50", of(|point| point.end_to_end, p50)).first(0.15),
        row("end to end, p99", of(|point| point.end_to_end, p99)).first(1.0),
        row("after the commit, p50", of(|point| point.after_commit, p50)),
        row("after the commit, p99", of(|point| point.after_commit, p99)),
    ];
    let [whole, slow, after, slow_after] = rows;
    let lost = Row::new("  frames lost", "", number(points.iter().map(Point::lost).sum()));
    match sync {
        Sync::Full => [whole.target(0.8), slow.target(3.0), after.target(0.3), slow_after, lost],
        Sync::Normal => [whole, slow, after, slow_after, lost],
    }
}

/// What telling costs the gateway.
pub(super) fn cost((clients, rate): (usize, u64), points: &[Point]) -> Vec<Row> {
    let cpu = median(points.iter().map(|point| micros(point.cpu, point.frames)));
    let cpu = Row::new(format!("{clients} clients, {rate}/s: CPU a frame"), "us", cpu);
    let cpu = match (clients, rate) {
        (100, 10_000) => cpu.target(0.5).first(9.8),
        (500, 1_500) => cpu.target(1.0).first(12.6),
        _ => cpu,
    };
    vec![
        cpu,
        Row::new("  drained after", "ms", median(points.iter().map(|point| ms(point.drained)))),
        Row::new("  frames lost", "", number(points.iter().map(Point::lost).sum())),
        Row::new("  gateway memory", "KiB", median(points.iter().map(|point| number(point.gateway_kib)))),
    ]
}

pub(super) fn sustained(clients: usize, held: Sustained) -> Vec<Row> {
    let limit = if held.is_writer { ", as many as are committed" } else { "" };
    let row = Row::new(format!("sustained to {clients} client(s){limit}"), "/s", held.rate);
    let mut rows = vec![match clients {
        1 => row.first(30_000.0),
        100 => row.target(30_000.0).first(1_000.0),
        _ => row.target(4_000.0).first(150.0),
    }];
    rows.extend(
        held.beyond.map(|(rate, drained)| Row::new(format!("  {rate}/s drain after"), "ms", ms(drained))),
    );
    rows
}

pub(super) fn outage(outage: Outage) -> [Row; 4] {
    let first = if outage.down.as_secs() > 10 { 60_022.0 } else { 6_016.0 };
    let what = format!("gateway away {} s at {RATE}/s: lost", outage.down.as_secs());
    [
        Row::new(what, "", number(outage.lost)).first(first),
        Row::new("  of events", "", number(outage.events)),
        Row::new("  twice, or out of order", "", number(outage.twice + outage.out_of_order)),
        Row::new("  caught up after its return", "ms", ms(outage.caught_up)).target(3_000.0),
    ]
}

pub(super) fn deaf(deaf: Deaf) -> [Row; 2] {
    [
        Row::new("a client that does not read: gateway grows", "MB", deaf.grown_kib * 1024.0 / 1e6)
            .target(1.0)
            .first(149.0),
        Row::new("  lost when it reads at last", "", number(deaf.lost)),
    ]
}

/// What is read does not depend on how it was synced: `synchronous` is the writer's.
pub(super) fn backlog(rounds: &[Backlog]) -> Vec<Row> {
    let rate = median(rounds.iter().map(|round| ratio(round.events, round.took)));
    let cpu = median(rounds.iter().map(|round| micros(round.cpu, round.events)));
    vec![
        Row::new("from the log, to one client: events", "/s", rate).target(500_000.0).first(30_000.0),
        Row::new("  CPU of the gateway an event", "us", cpu).target(1.0),
    ]
}

/// What telling costs the peer.
pub(super) fn nats_cost((clients, rate): (usize, u64), points: impl Iterator<Item = (Duration, u64)>) -> Row {
    let cpu = median(points.map(|(cpu, frames)| micros(cpu, frames)));
    Row::new(format!("nats: {clients} clients, {rate}/s: CPU a message"), "us", cpu)
}

pub(super) fn nats_sustained(clients: usize, rate: f64) -> Row {
    Row::new(format!("nats: sustained to {clients} client(s)"), "/s", rate)
}

fn micros(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1_000_000.0 / number(count.max(1))
}
