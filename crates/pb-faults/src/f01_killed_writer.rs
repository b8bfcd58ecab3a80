//! F1: kill -9 of a writer of the store at random microseconds. What was answered must be in the files.

use std::time::Duration;

use rand::RngExt;

use crate::lanes::{self, Case};
use crate::writer::check::{Answered, check};
use crate::writer::process::{Waited, Writer, writer};
use crate::{Run, Tally, scratch};

/// Kills of a writer before its files are replaced: they grow, and the check reads them whole.
const KILLS_PER_LOG: u64 = 40;
/// One kill in so many comes while the writer starts.
const EARLY_ONE_IN: u32 = 6;
/// An early kill comes at most so long after the start, in microseconds.
const EARLY_MAX_US: u64 = 6_000;
/// Others come at most 2^13 microseconds after the files are open: half of them within 90 microseconds.
const LATE_MAX_LOG2_US: f64 = 13.0;
/// Most bytes in an event: with it the WAL comes to its full size, and is emptied, in a few lives.
const FILL_MAX: &str = "6000";
/// How long a writer may take to open its files.
const OPENS_WITHIN: Duration = Duration::from_secs(20);

/// Most logs with a planted bug: only chance hits its moment, and the first sight of it is enough.
const LOGS_FOR_A_BUG: u64 = 1_000;

/// Does it.
///
/// # Errors
/// A writer cannot be started.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let logs = if run.bug.is_some() {
        LOGS_FOR_A_BUG
    } else {
        run.size.pick(2, 10_000 / KILLS_PER_LOG, 1_000_000 / KILLS_PER_LOG)
    };
    let kills = run.size.pick(10, KILLS_PER_LOG, KILLS_PER_LOG);
    lanes::run(run, "F1 (logs)", logs, |case, tally| lives_of_a_log(run, kills, case, tally))
}

fn lives_of_a_log(run: &Run, kills: u64, mut case: Case, tally: &mut Tally) -> anyhow::Result<()> {
    // On a disk most kills come while it syncs, in memory while it writes.
    let on_disk = case.number.is_multiple_of(2);
    let folder = if on_disk { scratch::on_disk(run)? } else { scratch::in_memory(run)? };
    let mut answered = Answered::default();
    for kill in 0..kills {
        let hint = format!("seed {}, log {}, kill {kill}", run.seed, case.number);
        let mut command = writer(run, folder.path(), case.chance.random());
        command.args(["--fill-max", FILL_MAX]);
        let early = case.chance.random_range(0..EARLY_ONE_IN) == 0;
        let delay = if early {
            Duration::from_micros(case.chance.random_range(0..EARLY_MAX_US))
        } else {
            Duration::from_secs_f64(case.chance.random_range(0.0..LATE_MAX_LOG2_US).exp2() / 1e6)
        };
        let writer = Writer::start(command)?;
        if !early && writer.wait(OPENS_WITHIN, |said| said.contains(&b'\n')) != Waited::Enough {
            tally.fail(format_args!("{hint}: the files do not open again"));
        }
        std::thread::sleep(delay); // wait: a kill at any moment
        answered.hear(&writer.kill()?)?;
        tally.cases += 1;
        tally.count("early kills", u64::from(early));
        if let Some((refusal, error)) = answered.refused.pop() {
            tally.fail(format_args!("{hint}: refused ({refusal:?}): {error}"));
        }
        // Before the first start came to its end there is nothing to read.
        if answered.incarnation > 0 {
            check(folder.path(), &answered, tally, &hint)?;
        }
        if !tally.clean() {
            break;
        }
    }
    tally.count("answered", (answered.kept.len() + answered.executed.len()) as u64);
    Ok(())
}
