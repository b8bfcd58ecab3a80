//! F7: one call of a writer to its disk fails, for every call of a script. It ends, or gives a clean error and
//! goes on; after a failed sync it ends at once (D11). What was answered is there when its files are opened
//! again, and also when the power went at the end: what a failed sync was to write never came to the disk.
//!
//! Syncs of the folder do not fail here: SQLite takes no notice when they do, and no file system is known
//! that loses a name after its file was synced.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::disk::image::{Disk, Fate, WITNESS_FILE};
use crate::disk::recording::{self, Op};
use crate::disk::shim::{Errno, Failure, Shim};
use crate::lanes::{self, Case};
use crate::writer::check::Answered;
use crate::writer::opens::open_and_check;
use crate::writer::process::{to_the_end, writer};
use crate::writer::said::{Refusal, Said};
use crate::{Run, Size, Tally, scratch, witness};

/// Commands of a script. It closes in the middle, so that checkpoints, too, fail.
const COMMANDS: &str = "16";
/// Commands between two closes.
const REOPEN_EVERY: &str = "8";
/// How long a writer may take.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// At the smoke size every so many calls fail only, and of syncs each.
const SMOKE_STRIDE: usize = 25;

/// Does it.
///
/// # Errors
/// There is no C compiler, or a writer cannot be recorded.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let shim = Shim::build(&run.folder)?;
    let scripts: u64 = run.size.pick(1, 3, 40);
    let mut sum = Tally::default();
    for script in 0..scripts {
        let seed = run.seed.wrapping_add(script);
        let calls = calls_of(run, &shim, seed)?;
        for error in [Errno::Io, Errno::NoSpace] {
            let failing = chosen(run.size, &calls, error);
            let tally = lanes::run(run, "F7", failing.len() as u64, |case, tally| {
                let call = usize::try_from(case.number).ok().and_then(|index| failing.get(index));
                let failure = Failure { call: *call.context("a case without a call")?, error };
                one(run, &shim, (seed, failure), case, tally)
            })?;
            sum.add(tally);
        }
    }
    Ok(sum)
}

/// The numbers of the calls that are to fail with `error`, each in a case of its own.
fn chosen(size: Size, calls: &[(u64, char)], error: Errno) -> Vec<u64> {
    let is_chosen = |index: usize, what: char| match size {
        Size::Smoke => index.is_multiple_of(SMOKE_STRIDE) || (what == 's' && error == Errno::Io),
        Size::Ci | Size::Soak => true,
    };
    let calls = calls.iter().enumerate();
    calls.filter(|(index, (_, what))| is_chosen(*index, *what)).map(|(_, (number, _))| *number).collect()
}

/// The calls that the script makes when none fails, and of which kind each is.
fn calls_of(run: &Run, shim: &Shim, seed: u64) -> anyhow::Result<Vec<(u64, char)>> {
    let folder = scratch::in_memory(run)?;
    let (recorded, status) = play(run, shim, folder.path(), seed, None)?;
    anyhow::ensure!(status.is_some_and(|status| status.success()), "a script fails without a failing call");
    let ops = recording::parse(&recorded)?;
    let calls: Vec<_> = ops
        .iter()
        .filter_map(|op| if let Op::Call { number, what } = op { Some((*number, *what)) } else { None })
        .collect();
    anyhow::ensure!(!calls.is_empty(), "the shim sees no call");
    Ok(calls)
}

fn one(
    run: &Run,
    shim: &Shim,
    (seed, failure): (u64, Failure),
    mut case: Case,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let folder = scratch::in_memory(run)?;
    let (recorded, status) = play(run, shim, folder.path(), seed, Some(failure))?;
    let hint = format!("script {seed}, call {} gives {:?}", failure.call, failure.error);
    tally.cases += 1;
    if status.is_none() {
        tally.fail(format_args!("{hint}: the writer hangs"));
        return Ok(());
    }
    let ops = recording::parse(&recorded)?;
    let mut disk = Disk::default();
    let mut failed = None;
    for op in &ops {
        disk.apply(*op);
        if let Op::Failed { what } = op {
            failed = Some((*what, disk.heard.len()));
        }
    }
    let mut answered = Answered::default();
    answered.hear(&disk.heard)?;
    count(&answered, tally);
    if let Some((what, heard)) = failed {
        tally.count("failed", 1);
        if what == 's' {
            ends_at_once(&disk.heard, heard, tally, &hint)?;
        }
    }
    let image = scratch::in_memory(run)?;
    disk.write_image(image.path(), Fate::Dropped, &mut case.chance)?;
    open_and_check(image.path(), &answered, tally, format_args!("{hint}, then the power goes"))?;
    open_and_check(&folder.path().join("files"), &answered, tally, &hint)
}

fn count(answered: &Answered, tally: &mut Tally) {
    tally.count("full", u64::from(answered.refusals(Refusal::Full) > 0));
    tally.count("ended at once", answered.refusals(Refusal::Broken));
    tally.count("clean errors", answered.refusals(Refusal::Failed));
    tally.count("came to the end", u64::from(answered.done));
}

/// D11: after a failed sync nothing is answered any more. A sync of a close tells nobody; the process ends
/// anyway, and the script's next opening stands for its next start.
fn ends_at_once(said: &[u8], before: usize, tally: &mut Tally, hint: &str) -> anyhow::Result<()> {
    let (before, after) = said.split_at_checked(before).unwrap_or((said, &[]));
    if witness::heard::<Said>(before)?.last() == Some(&Said::Closing) {
        tally.count("syncs failed in a close", 1);
        return Ok(());
    }
    tally.count("syncs failed", 1);
    for said in witness::heard(after)? {
        match said {
            Said::Refused { refusal: Refusal::Broken, .. } => {}
            Said::Kept { .. }
            | Said::Executed { .. }
            | Said::Compacted { .. }
            | Said::Up { .. }
            | Said::Closing
            | Said::Done => {
                tally.fail(format_args!("{hint}: after a failed sync the writer goes on: {said:?}"));
                return Ok(());
            }
            Said::Refused { .. } => {
                tally.fail(format_args!("{hint}: a failed sync is told as {said:?}"));
            }
        }
    }
    Ok(())
}

/// Plays the script: its recording, and how it ended, if it did.
fn play(
    run: &Run,
    shim: &Shim,
    folder: &Path,
    seed: u64,
    failure: Option<Failure>,
) -> anyhow::Result<(Vec<u8>, Option<std::process::ExitStatus>)> {
    let files = folder.join("files");
    let recording = folder.join("recording");
    std::fs::create_dir(&files)?;
    let mut command = writer(run, &files, seed);
    command.arg("--witness").arg(files.join(WITNESS_FILE));
    command.args(["--commands", COMMANDS, "--reopen-every", REOPEN_EVERY]);
    shim.preload(&mut command, &files, &recording, failure);
    let status = to_the_end(command, ENDS_WITHIN)?;
    Ok((std::fs::read(&recording)?, status))
}
