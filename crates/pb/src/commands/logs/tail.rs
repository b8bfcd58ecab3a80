//! The end of a log that is put aside when it is full.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_runtime::log_file::{KEPT_MAX, kept};

use super::Line;

/// Longest line, in bytes; the rest of a longer one is passed over.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// One process's log, and how far it was read.
#[derive(Debug)]
pub(super) struct Tail {
    process: &'static str,
    path: PathBuf,
    file: Option<BufReader<File>>,
    /// A line of which the end has not come yet.
    begun: Vec<u8>,
}

impl Tail {
    pub(super) fn new(process: &'static str, path: PathBuf) -> Self {
        Self { process, path, file: None, begun: Vec::new() }
    }

    /// The last so many lines that are wanted, the oldest first.
    pub(super) fn past(
        &mut self,
        count: usize,
        is_wanted: impl Fn(&Line) -> bool,
    ) -> anyhow::Result<Vec<Line>> {
        let mut last = VecDeque::new();
        for nth in (0..=KEPT_MAX).rev() {
            let path = if nth == 0 { self.path.clone() } else { kept(&self.path, nth) };
            self.file = open(&path)?;
            self.begun.clear();
            while let Some(line) = self.line()? {
                if !is_wanted(&line) {
                    continue;
                }
                if last.len() == count {
                    last.pop_front();
                }
                if count > 0 {
                    last.push_back(line);
                }
            }
        }
        Ok(last.into())
    }

    /// What was told since.
    pub(super) fn more(&mut self) -> anyhow::Result<Vec<Line>> {
        let mut lines = Vec::new();
        loop {
            // Before the end is read: what was told until the next one began is in this one.
            let next = self.next_file()?;
            while let Some(line) = self.line()? {
                lines.push(line);
            }
            let Some(next) = next else { return Ok(lines) };
            self.begun.clear();
            self.file = Some(next);
        }
    }

    /// The file that took the place of the one that was read, if one did.
    fn next_file(&self) -> anyhow::Result<Option<BufReader<File>>> {
        let Some(there) = open(&self.path)? else { return Ok(None) };
        let Some(file) = &self.file else { return Ok(Some(there)) };
        let is_same = file.get_ref().metadata()?.ino() == there.get_ref().metadata()?.ino();
        Ok((!is_same).then_some(there))
    }

    /// The next line that is there whole.
    fn line(&mut self) -> anyhow::Result<Option<Line>> {
        let Some(file) = &mut self.file else { return Ok(None) };
        let room = LINE_BYTES_MAX.saturating_sub(self.begun.len() as u64);
        file.by_ref().take(room).read_until(b'\n', &mut self.begun)?;
        let is_whole = self.begun.ends_with(b"\n");
        if !is_whole && (self.begun.len() as u64) < LINE_BYTES_MAX {
            return Ok(None);
        }
        if !is_whole {
            file.skip_until(b'\n')?;
        }
        let bytes = std::mem::take(&mut self.begun);
        let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        Ok(Some(Line::new(self.process, text)))
    }
}

fn open(path: &Path) -> anyhow::Result<Option<BufReader<File>>> {
    match File::open(path) {
        Ok(file) => Ok(Some(BufReader::new(file))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::*;

    fn texts(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(Line::text).collect()
    }

    #[test]
    fn what_is_past_and_what_follows_are_each_read_once_though_the_file_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let append = |text: &str| {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
        };
        fs::write(kept(&path, 2), "oldest\nold\n").unwrap();
        fs::write(kept(&path, 1), "one\n\n").unwrap();
        append("two\nthr");
        let mut tail = Tail::new("gateway", path.clone());
        let past = tail.past(4, |line| !line.text().is_empty()).unwrap();
        assert_eq!(texts(&past), ["oldest", "old", "one", "two"]);
        append("ee\nfour\n");
        fs::rename(&path, kept(&path, 1)).unwrap();
        append("five\n");
        assert_eq!(texts(&tail.more().unwrap()), ["three", "four", "five"]);
        assert_eq!(texts(&tail.more().unwrap()), [""; 0]);
        assert_eq!(texts(&Tail::new("gateway", path).past(2, |_| true).unwrap()), ["four", "five"]);
    }

    #[test]
    fn there_may_be_no_log_yet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut tail = Tail::new("gateway", path.clone());
        assert!(tail.past(9, |_| true).unwrap().is_empty() && tail.more().unwrap().is_empty());
        fs::write(&path, "first\n").unwrap();
        assert_eq!(texts(&tail.more().unwrap()), ["first"]);
    }
}
