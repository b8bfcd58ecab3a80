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
        for file in self.files_since(None)?.into_iter().rev() {
            self.file = Some(file);
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
            let next = self.files_since(self.file.as_ref())?.pop();
            while let Some(line) = self.line()? {
                lines.push(line);
            }
            let Some(next) = next else { return Ok(lines) };
            self.begun.clear();
            self.file = Some(next);
        }
    }

    /// The files that are newer than this one, the newest first; all where it is not among them.
    ///
    /// They are opened in this order: one that is put aside meanwhile is met again, and passed over, and none is missed.
    fn files_since(&self, file: Option<&BufReader<File>>) -> anyhow::Result<Vec<BufReader<File>>> {
        let mut seen = Vec::new();
        let mut files = Vec::new();
        let known = file.map(id).transpose()?;
        for nth in 0..=KEPT_MAX {
            let path = if nth == 0 { self.path.clone() } else { kept(&self.path, nth) };
            let Some(there) = open(&path)? else { continue };
            let id = id(&there)?;
            if known == Some(id) {
                break;
            }
            if !seen.contains(&id) {
                seen.push(id);
                files.push(there);
            }
        }
        Ok(files)
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

/// Which file it is, under whatever name.
fn id(file: &BufReader<File>) -> anyhow::Result<(u64, u64)> {
    let meta = file.get_ref().metadata()?;
    Ok((meta.dev(), meta.ino()))
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

    /// Looking only at the newest file lost those that were begun and put aside between two looks; and looking from the
    /// oldest on lost the one that was put aside meanwhile.
    #[test]
    fn none_is_missed_though_files_are_put_aside_between_two_looks_and_while_they_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let put_aside = || {
            for nth in (1..KEPT_MAX).rev() {
                let _ = fs::rename(kept(&path, nth), kept(&path, nth + 1));
            }
            fs::rename(&path, kept(&path, 1)).unwrap();
        };
        let write = |text: &str| fs::write(&path, text).unwrap();
        write("one\n");
        let mut tail = Tail::new("gateway", path.clone());
        assert_eq!(texts(&tail.past(9, |_| true).unwrap()), ["one"]);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"two\n").unwrap();
        for text in ["three\n", "four\n", "five\n"] {
            put_aside();
            write(text);
        }
        assert_eq!(texts(&tail.more().unwrap()), ["two", "three", "four", "five"]);
        assert_eq!(texts(&tail.more().unwrap()), [""; 0]);
        // What was read is gone by now: everything that is there is newer.
        for text in ["6\n", "7\n", "8\n", "9\n", "10\n", "11\n"] {
            put_aside();
            write(text);
        }
        assert_eq!(texts(&tail.more().unwrap()), ["7", "8", "9", "10", "11"]);
        // The same file under two names, as when it is put aside after it was opened.
        fs::remove_file(kept(&path, 1)).unwrap();
        fs::hard_link(&path, kept(&path, 1)).unwrap();
        let past = Tail::new("gateway", path.clone()).past(9, |_| true).unwrap();
        assert_eq!(texts(&past), ["7", "8", "9", "11"]);
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
