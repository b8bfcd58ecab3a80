//! F3: the power goes. A writer is recorded; at random places of the recording the disk is as it may be then:
//! what was synced is there, the rest is dropped, reordered or torn. What was answered before must be there.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rand::RngExt;

use crate::disk::image::{Disk, Fate, WITNESS_FILE};
use crate::disk::recording::{self, Op};
use crate::disk::shim::Shim;
use crate::lanes::{self, Case};
use crate::writer::LOG_FILE;
use crate::writer::check::Answered;
use crate::writer::opens::open_and_check;
use crate::writer::process::{to_the_end, writer};
use crate::{Run, Tally, scratch};

/// Images of one recording.
const IMAGES_PER_RECORDING: u64 = 200;
/// One recording in so many writes enough for checkpoints under way, beside those of each close.
const LARGE_ONE_IN: u64 = 20;
/// How long a writer may take.
const ENDS_WITHIN: Duration = Duration::from_mins(1);

/// Does it.
///
/// # Errors
/// There is no C compiler, or a writer cannot be recorded.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let shim = Shim::build(&run.folder)?;
    let recordings = run.size.pick(2, 20_000 / IMAGES_PER_RECORDING, 1_000_000 / IMAGES_PER_RECORDING);
    let images = run.size.pick(40, IMAGES_PER_RECORDING, IMAGES_PER_RECORDING);
    lanes::run(run, "F3 (recordings)", recordings, |case, tally| one(run, &shim, images, case, tally))
}

fn one(run: &Run, shim: &Shim, images: u64, mut case: Case, tally: &mut Tally) -> anyhow::Result<()> {
    let folder = scratch::in_memory(run)?;
    let large = case.number % LARGE_ONE_IN == LARGE_ONE_IN - 1;
    let recorded = record(run, shim, folder.path(), large, case.chance.random())?;
    let ops = recording::parse(&recorded)?;
    tally.count("checkpoints recorded", checkpoints(&ops));
    let mut cuts: Vec<_> = (0..images).map(|_| case.chance.random_range(0..=ops.len())).collect();
    cuts.sort_unstable();
    let (mut disk, mut done) = (Disk::default(), 0);
    for cut in cuts {
        ops.iter().take(cut).skip(done).for_each(|op| disk.apply(*op));
        done = cut;
        let fate = Fate::ALL[case.chance.random_range(0..Fate::ALL.len())];
        let image = scratch::in_memory(run)?;
        disk.write_image(image.path(), fate, &mut case.chance)?;
        let mut answered = Answered::default();
        answered.hear(&disk.heard)?;
        let hint = format!("seed {}, recording {}, at {cut}, {fate:?}", run.seed, case.number);
        open_and_check(image.path(), &answered, tally, &hint)?;
        tally.cases += 1;
        if !tally.clean() {
            break;
        }
    }
    Ok(())
}

/// The recording of a writer that came to its end.
fn record(run: &Run, shim: &Shim, folder: &Path, large: bool, seed: u64) -> anyhow::Result<Vec<u8>> {
    let files = folder.join("files");
    let recording = folder.join("recording");
    std::fs::create_dir(&files)?;
    let mut command = writer(run, &files, seed);
    command.arg("--witness").arg(files.join(WITNESS_FILE));
    if large {
        command.args(["--commands", "700", "--fill-max", "30000"]);
    } else {
        command.args(["--commands", "60", "--reopen-every", "20"]);
    }
    shim.preload(&mut command, &files, &recording, None);
    let ended = to_the_end(command, ENDS_WITHIN)?.context("a writer that is recorded does not end")?;
    anyhow::ensure!(ended.success(), "a writer that is recorded fails ({ended})");
    std::fs::read(&recording).context("the shim recorded nothing")
}

/// How often the log's file itself was synced: each is a checkpoint.
fn checkpoints(ops: &[Op<'_>]) -> u64 {
    let log = ops.iter().find_map(|op| match op {
        Op::Create { file, name } if *name == LOG_FILE => Some(*file),
        _ => None,
    });
    ops.iter().filter(|op| log.is_some_and(|file| **op == Op::Sync { file })).count() as u64
}
