//! F8: the disk is full, then there is space again. The writer says so and waits, also when it is killed and
//! started on a full disk; what was answered is there, and it goes on once there is space.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use rand::RngExt;

use crate::command::program;
use crate::lanes::{self, Case};
use crate::writer::check::{Answered, check};
use crate::writer::process::{Waited, Writer, writer};
use crate::writer::said::Refusal;
use crate::{Run, Tally};

/// Size of the disk, in KiB.
const DISK_KIB: u64 = 6 * 1024;
/// What is on it beside the files of the writer, and is deleted, in bytes: room for several compactions, each of
/// which writes some 300 KiB.
const BALLAST_BYTES: u64 = 4 * 1024 * 1024;
/// How often the writer says that the disk is full before there is space.
const FULL_AT_LEAST: usize = 3;
/// How many commands are answered after there is space.
const ANSWERS_AFTER: usize = 20;
/// How long each of these may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Does it.
///
/// # Errors
/// No disk can be mounted.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let cases = run.size.pick(3, 100, 10_000);
    lanes::run(run, "F8", cases, |case, tally| one(run, case, tally))
}

fn one(run: &Run, mut case: Case, tally: &mut Tally) -> anyhow::Result<()> {
    let Some(disk) = Disk::mount(&run.folder.join(format!("disk-{}", case.number)))? else {
        tally.count("cases without a mount, not done", 1);
        return Ok(());
    };
    let hint = format!("seed {}, case {}", run.seed, case.number);
    let ballast = disk.path.join("ballast");
    let size = case.chance.random_range(BALLAST_BYTES / 2..=BALLAST_BYTES);
    std::fs::write(&ballast, vec![1; usize::try_from(size)?])?;
    let mut answered = Answered::default();
    let seed = case.chance.random();
    let start = || Writer::start(writer(run, &disk.path, seed));
    tally.cases += 1;

    let mut writing = start()?;
    if writing.wait(PATIENCE, |said| times(said, "\"full\"") >= FULL_AT_LEAST) != Waited::Enough {
        tally.fail(format_args!("{hint}: the writer does not say that the disk is full"));
    }
    if case.chance.random() {
        tally.count("killed while full", 1);
        answered.hear(&writing.kill()?)?;
        writing = start()?;
        if writing.wait(PATIENCE, |said| said.contains(&b'\n')) != Waited::Enough {
            tally.fail(format_args!("{hint}: a writer that starts on a full disk ends"));
        }
    }
    std::fs::remove_file(&ballast)?;
    let so_far = std::cell::Cell::new(None);
    let goes_on = |said: &[u8]| {
        let kept = times(said, "\"kept\"");
        let before = so_far.get().unwrap_or(kept);
        so_far.set(Some(before));
        kept >= before + ANSWERS_AFTER
    };
    if writing.wait(PATIENCE, goes_on) != Waited::Enough {
        tally.fail(format_args!("{hint}: the writer does not go on when there is space"));
    }
    answered.hear(&writing.kill()?)?;
    tally.count("told full", answered.refusals(Refusal::Full));
    for (refusal, error) in answered.refused.iter().filter(|(refusal, _)| *refusal != Refusal::Full) {
        tally.fail(format_args!("{hint}: a full disk is told as {refusal:?}: {error}"));
    }
    check(&disk.path, &answered, tally, &hint)
}

/// How often `text` was said.
fn times(said: &[u8], text: &str) -> usize {
    said.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

/// A small disk in memory, there as long as this is.
#[derive(Debug)]
struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts it; `None` where that is not allowed.
    fn mount(path: &Path) -> anyhow::Result<Option<Self>> {
        std::fs::create_dir(path)?;
        let status = program("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={DISK_KIB}k"), "pb-faults"])
            .arg(path)
            .stderr(Stdio::null())
            .status()
            .context("cannot run `mount`")?;
        Ok(status.success().then(|| Self { path: path.to_owned() }))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a child that another lane is just starting may still hold a descriptor of it. What stays
        // mounted is seen when the folder around it cannot be deleted.
        let _ = program("umount").arg("-l").arg(&self.path).status();
    }
}
