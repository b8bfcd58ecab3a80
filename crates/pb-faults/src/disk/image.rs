//! What is on a disk after its power went: everything that was synced, and of the rest whatever happened to be
//! written. Names are written in order, as a file system's journal does.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use rand::RngExt;
use rand::rngs::StdRng;

use super::recording::Op;

/// What a disk writes whole, in bytes.
const SECTOR_BYTES: usize = 512;
/// The name of the file in which the witness is.
pub const WITNESS_FILE: &str = "witness";

/// What becomes of writes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// None is there.
    Dropped,
    /// All are there.
    Kept,
    /// The first ones are there, the next is torn, the others are not.
    CutOff,
    /// Each is there or not: later ones without earlier ones.
    Reordered,
    /// Each of their sectors is there or not.
    Torn,
}

impl Fate {
    /// Every fate.
    pub const ALL: [Self; 5] = [Self::Dropped, Self::Kept, Self::CutOff, Self::Reordered, Self::Torn];
}

/// A disk while its power is on.
#[derive(Debug, Default)]
pub struct Disk<'a> {
    files: BTreeMap<u32, File<'a>>,
    /// The names that are on the disk.
    names: BTreeMap<&'a str, u32>,
    /// What was done to names since.
    pending: Vec<(&'a str, Option<u32>)>,
    witness: Option<u32>,
    /// What the witness heard.
    pub heard: Vec<u8>,
}

#[derive(Debug, Default)]
struct File<'a> {
    synced: Vec<u8>,
    pending: Vec<Change<'a>>,
}

#[derive(Debug, Clone, Copy)]
enum Change<'a> {
    Write(usize, &'a [u8]),
    Length(usize),
}

impl<'a> Disk<'a> {
    /// Does what was recorded.
    pub fn apply(&mut self, op: Op<'a>) {
        match op {
            Op::Create { file, name } if name == WITNESS_FILE => self.witness = Some(file),
            Op::Create { file, name } => {
                self.files.entry(file).or_default();
                self.pending.push((name, Some(file)));
            }
            Op::Write { file, data, .. } if self.witness == Some(file) => self.heard.extend(data),
            Op::Write { file, offset, data } => self.change(file, Change::Write(offset, data)),
            Op::Truncate { file, length } => self.change(file, Change::Length(length)),
            Op::Sync { file } => {
                let file = self.files.entry(file).or_default();
                for change in std::mem::take(&mut file.pending) {
                    apply(&mut file.synced, change);
                }
            }
            Op::SyncFailed { file } => self.files.entry(file).or_default().pending.clear(),
            Op::SyncFolder => {
                for (name, file) in std::mem::take(&mut self.pending) {
                    rename(&mut self.names, name, file);
                }
            }
            Op::Unlink { name } => self.pending.push((name, None)),
            Op::Call { .. } | Op::Failed { .. } => {}
        }
    }

    fn change(&mut self, file: u32, change: Change<'a>) {
        self.files.entry(file).or_default().pending.push(change);
    }

    /// Writes what is there after the power went into `folder`, which is empty.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write_image(&self, folder: &Path, fate: Fate, chance: &mut StdRng) -> anyhow::Result<()> {
        let mut names = self.names.clone();
        let done = match fate {
            Fate::Dropped => 0,
            Fate::Kept => self.pending.len(),
            Fate::CutOff | Fate::Reordered | Fate::Torn => chance.random_range(0..=self.pending.len()),
        };
        for (name, file) in self.pending.iter().take(done) {
            rename(&mut names, name, *file);
        }
        for (name, number) in names {
            // The index of a WAL is memory that has a name: it is made anew.
            if name.ends_with("-shm") {
                continue;
            }
            let content = self.files.get(&number).map(|file| file.after_power_loss(fate, chance));
            std::fs::write(folder.join(name), content.unwrap_or_default())
                .with_context(|| format!("cannot write the image of {name}"))?;
        }
        Ok(())
    }
}

impl File<'_> {
    fn after_power_loss(&self, fate: Fate, chance: &mut StdRng) -> Vec<u8> {
        let mut content = self.synced.clone();
        let cut = chance.random_range(0..=self.pending.len());
        for (index, change) in self.pending.iter().enumerate() {
            match fate {
                Fate::Kept => apply(&mut content, *change),
                Fate::CutOff if index < cut => apply(&mut content, *change),
                Fate::CutOff if index == cut => tear(&mut content, *change, chance),
                Fate::Reordered if chance.random() => apply(&mut content, *change),
                Fate::Torn => tear(&mut content, *change, chance),
                Fate::Dropped | Fate::CutOff | Fate::Reordered => {}
            }
        }
        content
    }
}

fn rename<'a>(names: &mut BTreeMap<&'a str, u32>, name: &'a str, file: Option<u32>) {
    match file {
        Some(file) => names.insert(name, file),
        None => names.remove(name),
    };
}

fn apply(content: &mut Vec<u8>, change: Change<'_>) {
    match change {
        Change::Length(length) => content.resize(length, 0),
        Change::Write(offset, data) => {
            let end = offset + data.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            if let Some(place) = content.get_mut(offset..end) {
                place.copy_from_slice(data);
            }
        }
    }
}

/// Some of the sectors that a change touches.
fn tear(content: &mut Vec<u8>, change: Change<'_>, luck: &mut StdRng) {
    match change {
        Change::Length(_) if luck.random() => apply(content, change),
        Change::Length(_) => {}
        Change::Write(mut offset, mut data) => {
            while !data.is_empty() {
                let in_sector = SECTOR_BYTES - offset % SECTOR_BYTES;
                let (sector, rest) = data.split_at(in_sector.min(data.len()));
                if luck.random() {
                    apply(content, Change::Write(offset, sector));
                }
                (offset, data) = (offset + sector.len(), rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// The files of an image, with their sizes and first bytes.
    fn image(ops: &[Op<'_>], fate: Fate, seed: u64) -> BTreeMap<String, (usize, Option<u8>)> {
        let mut disk = Disk::default();
        for op in ops {
            disk.apply(*op);
        }
        let folder = tempfile::tempdir().unwrap();
        disk.write_image(folder.path(), fate, &mut StdRng::seed_from_u64(seed)).unwrap();
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap());
        let read = |file: std::fs::DirEntry| {
            let content = std::fs::read(file.path()).unwrap();
            (file.file_name().into_string().unwrap(), (content.len(), content.first().copied()))
        };
        files.map(read).collect()
    }

    #[test]
    fn what_was_synced_is_there_and_the_rest_may_be() {
        let synced = [1; 1024];
        let later = [2; 1024];
        let ops = [
            Op::Create { file: 1, name: "a" },
            Op::Write { file: 1, offset: 0, data: &synced },
            Op::Sync { file: 1 },
            Op::SyncFolder,
            Op::Write { file: 1, offset: 0, data: &later },
            Op::Unlink { name: "a" },
            Op::Create { file: 2, name: "b" },
        ];
        let files = |names: &[(&str, usize, Option<u8>)]| {
            names.iter().map(|(name, size, first)| ((*name).to_owned(), (*size, *first))).collect()
        };
        assert_eq!(image(&ops, Fate::Dropped, 1), files(&[("a", 1024, Some(1))]));
        assert_eq!(image(&ops, Fate::Kept, 1), files(&[("b", 0, None)]));
        assert_eq!(image(&ops[..5], Fate::Kept, 1), files(&[("a", 1024, Some(2))]));
        let torn: std::collections::BTreeSet<_> =
            (0..50).map(|seed| image(&ops[..5], Fate::Torn, seed)["a"]).collect();
        assert_eq!(torn, [(1024, Some(1)), (1024, Some(2))].into());
    }

    #[test]
    fn what_a_failed_sync_was_to_write_never_comes() {
        let data = [1; 512];
        let ops = [
            Op::Create { file: 1, name: "a" },
            Op::SyncFolder,
            Op::Write { file: 1, offset: 0, data: &data },
            Op::SyncFailed { file: 1 },
            Op::Sync { file: 1 },
        ];
        assert_eq!(image(&ops, Fate::Kept, 1), [("a".to_owned(), (0, None))].into());
    }
}
