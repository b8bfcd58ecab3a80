//! `pb schedule add`.

use std::time::{Duration, Instant};

use clap::ArgGroup;
use jiff::{Span, SpanRelativeTo};
use pb_model::schedule::{FAILURES_DEFAULT, Missed, ScheduleSpec, Timing};
use pb_protocol::client::Client;
use pb_protocol::methods::schedule::{Add, AddParams};
use pb_protocol::schedule::{Schedule, ZONES};
use pb_runtime::{Clock, Home, Ids, zones};

use super::view;
use crate::asked::Asked;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, daemon, models_there, output, wait};

/// How long a scheduler that has just been started may take to accept a schedule.
const ACCEPT_LIMIT: Duration = Duration::from_secs(5);
/// How often it is looked whether it has.
const ACCEPT_INTERVAL: Duration = Duration::from_millis(50);

/// Have a goal run again and again; prints the schedule's id and its next three runs
///
/// A cron expression goes by the clock on the wall of its time zone: what a leap of that clock leaves out is run right
/// after it, what it shows twice is run once. An interval is as long whatever the clock does.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("when").required(true).args(["cron", "every"])), after_help = "\
Examples:
  pb schedule add nightly.toml --cron \"0 9 * * 1-5\" --tz Europe/Berlin
  pb schedule add backup.toml --set target=/mnt/backup --every 2h --missed once
  pb schedule add \"每天早上写一份日报\" --cron \"0 8 * * *\" --workspace ~/reports

A cron expression has five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday).")]
pub(super) struct Args {
    #[command(flatten)]
    asked: Asked,
    /// When: minute, hour, day of the month, month, day of the week
    #[arg(long, value_name = "EXPRESSION")]
    cron: Option<String>,
    /// The time zone of the cron expression, such as Europe/Berlin; this machine's if absent
    #[arg(long, value_name = "ZONE", conflicts_with = "every")]
    tz: Option<String>,
    /// At such intervals from now: `30m`, `2h`, `1d`
    #[arg(long, value_name = "INTERVAL", value_parser = interval)]
    every: Option<u64>,
    /// What becomes of runs that were missed while the machine was off, or the last run took too long
    #[arg(long, value_name = "POLICY", default_value = "skip", value_parser = Missed::ALL.map(Missed::as_str))]
    missed: String,
    /// Stand still after so many failures in a row, until you look
    #[arg(long, value_name = "N", default_value_t = FAILURES_DEFAULT)]
    failures: u32,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// The same key gives the same schedule, for 30 days, instead of a second one
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let spec = args.spec()?;
    let home = Home::from_environment()?;
    home.prepare()?;
    if models_there::is_needed(&spec.goal) {
        wait::client(models_there::check(&home))?;
    }
    if daemon::ensure_both(&home, false)? {
        output::note("they go on in the background; stop them with: pb stop");
    }
    let schedule = wait::client(Box::pin(async {
        hand_over(&connection::client(&home, connection::MINUTES), spec, args.key.as_deref()).await
    }))?;
    if args.json {
        output::json(&schedule)?;
        return Ok(Exit::Ok);
    }
    output::data(&schedule.id)?;
    output::note(view::about(&schedule));
    for at in &schedule.upcoming {
        output::note(format_args!("next run: {}", view::at(*at, &schedule.timing)));
    }
    if schedule.waiting {
        output::note("it begins when a scheduler runs: pb scheduler start");
    }
    Ok(Exit::Ok)
}

impl Args {
    /// The schedule; refused here, where the person sees what was typed.
    fn spec(&self) -> Result<ScheduleSpec, Failure> {
        let timing = match (&self.cron, self.every) {
            (Some(expression), _) => Timing::Cron {
                expression: expression.clone(),
                zone: self.tz.clone().unwrap_or_else(zones::own),
            },
            (None, every) => Timing::Every { interval_ms: every.unwrap_or_default(), anchor_ms: None },
        };
        let missed = Missed::ALL.into_iter().find(|missed| missed.as_str() == self.missed);
        let spec = ScheduleSpec {
            goal: self.asked.spec()?,
            timing,
            missed: missed.unwrap_or_default(),
            failures_max: self.failures,
        };
        spec.clone().validate(ZONES, Clock::System.now_ms()).map_err(|invalid| {
            let option = match invalid.place.as_str() {
                "timing.expression" | "timing" => "--cron",
                "timing.zone" => "--tz",
                "timing.interval_ms" => "--every",
                "failures_max" => "--failures",
                other => other,
            };
            let failure = Failure::new(Exit::Usage, format_args!("{option}: {}", invalid.problem));
            match &invalid.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        Ok(spec)
    }
}

/// `30m`, `2h`, `1d`, in milliseconds.
fn interval(text: &str) -> Result<u64, String> {
    let span: Option<Span> = text.trim().parse().ok();
    span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok())
        .and_then(|duration| u64::try_from(duration.as_millis()).ok())
        .ok_or_else(|| "write it like 30m, 2h or 1d".to_owned())
}

/// The key makes a second attempt, after an answer that was lost, the same schedule. While no scheduler has looked at
/// it nobody knows whether it will be refused, so the gateway is asked again.
async fn hand_over(client: &Client, spec: ScheduleSpec, key: Option<&str>) -> Result<Schedule, Failure> {
    let key = key.map_or_else(|| Ids::random(Clock::System).uuid().to_string(), str::to_owned);
    let params = AddParams { spec, idempotency_key: Some(key) };
    let began = Instant::now();
    loop {
        let schedule = connection::patiently(client.call::<Add>(&params)).await?;
        if !schedule.waiting || began.elapsed() > ACCEPT_LIMIT {
            return Ok(schedule);
        }
        tokio::time::sleep(ACCEPT_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_written_as_people_say_them() {
        assert_eq!(interval("30m"), Ok(30 * 60 * 1000));
        assert_eq!(interval("1h 30m"), Ok(90 * 60 * 1000));
        assert_eq!(interval("2d"), Ok(2 * 24 * 60 * 60 * 1000));
        assert_eq!(interval("1w"), Ok(7 * 24 * 60 * 60 * 1000));
        for wrong in ["", "2", "soon", "-2h", "1mo"] {
            assert_eq!(interval(wrong), Err("write it like 30m, 2h or 1d".to_owned()), "{wrong}");
        }
    }
}
