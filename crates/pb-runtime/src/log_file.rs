//! The log of a background process: a file that is put aside when it is full, and of which so many are kept.
//!
//! ```text
//!   gateway.log --full--> gateway.log.1 --> … --> gateway.log.4 --> gone
//! ```
//!
//! A line that cannot be written is lost and counted, and nothing waits for it: with a full disk work goes on, and the
//! count is written once there is room.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use tracing_subscriber::fmt::MakeWriter;

use crate::Clock;

/// A file that holds more is put aside, in bytes.
pub const FILE_BYTES_MAX: u64 = 10 * 1024 * 1024;
/// How many are kept beside the one that is written to.
pub const KEPT_MAX: u32 = 4;
/// How long they are kept at most.
pub const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// The place of the `nth` of those that were put aside, from 1 for the latest.
pub fn kept(path: &Path, nth: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{nth}"));
    name.into()
}

/// A log that is written to.
#[derive(Debug, Clone)]
pub struct LogFile(Arc<Mutex<Written>>);

#[derive(Debug)]
struct Written {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
    /// Lines that could not be written since the last one that could.
    lost: u64,
}

impl LogFile {
    /// Goes on with the log at this path, and drops what is kept for too long.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::with_limit(path, FILE_BYTES_MAX)
    }

    fn with_limit(path: &Path, bytes_max: u64) -> io::Result<Self> {
        let (file, bytes) = open(path)?;
        drop_old(path);
        Ok(Self(Arc::new(Mutex::new(Written { path: path.to_owned(), file, bytes, bytes_max, lost: 0 }))))
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

fn drop_old(path: &Path) {
    let now = Duration::from_millis(Clock::System.now_ms());
    for old in (1..=KEPT_MAX).map(|nth| kept(path, nth)) {
        let written = fs::metadata(&old).and_then(|meta| meta.modified());
        let written = written.ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        if written.is_some_and(|at| now.saturating_sub(at) > KEPT_FOR) {
            let _ = fs::remove_file(old); // It is tried again at the next start.
        }
    }
}

impl Written {
    fn line(&mut self, line: &[u8]) {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.bytes_max {
            self.put_aside();
        }
        if self.lost > 0 {
            let lost = self.lost;
            let told = format!(
                "{{\"level\":\"WARN\",\"message\":\"lines of the log were lost\",\"lost\":{lost}}}\n"
            );
            if !self.write(told.as_bytes()) {
                self.lost += 1;
                return;
            }
            self.lost = 0;
        }
        if !self.write(line) {
            self.lost += 1;
        }
    }

    /// Writes it whole or not at all, as far as the disk lets us: what was begun is ended by a line end.
    fn write(&mut self, line: &[u8]) -> bool {
        match self.file.write(line) {
            Ok(written) if written == line.len() => {
                self.bytes += written as u64;
                true
            }
            Ok(written) => {
                self.bytes += written as u64;
                let _ = self.file.set_len(self.bytes - written as u64); // Then the line is cut short.
                self.bytes -= written as u64;
                false
            }
            Err(_) => false,
        }
    }

    /// Begins another file. Where that does not work the log goes on growing, and what is kept stays: one that was put
    /// aside, and of which the next could not be made, is not put aside again.
    fn put_aside(&mut self) {
        if self.path.exists() {
            for nth in (1..KEPT_MAX).rev() {
                let _ = fs::rename(kept(&self.path, nth), kept(&self.path, nth + 1));
            }
            if fs::rename(&self.path, kept(&self.path, 1)).is_err() {
                return;
            }
        }
        if let Ok((file, bytes)) = open(&self.path) {
            (self.file, self.bytes) = (file, bytes);
        }
        drop_old(&self.path);
    }
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogFile {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(path: &Path) -> Vec<String> {
        let all = std::iter::once(path.to_owned()).chain((1..=KEPT_MAX + 1).map(|nth| kept(path, nth)));
        all.filter_map(|path| fs::read_to_string(path).ok()).collect()
    }

    #[test]
    fn a_full_log_is_put_aside_and_few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = LogFile::with_limit(&path, 10).unwrap();
        for n in 0..20 {
            log.write_all(format!("line {n:2}\n").as_bytes()).unwrap();
        }
        let last: Vec<String> = (15..20).rev().map(|n| format!("line {n:2}\n")).collect();
        assert_eq!(texts(&path), last);
        // Whoever comes after it goes on with it.
        drop(log);
        LogFile::with_limit(&path, 20).unwrap().write_all(b"after\n").unwrap();
        assert_eq!(texts(&path).first().unwrap(), "line 19\nafter\n");
    }

    #[test]
    fn what_is_kept_stays_while_no_other_file_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = LogFile::with_limit(&path, 10).unwrap();
        log.write_all(b"first....\n").unwrap();
        // As after a rename on a full disk: it was put aside, and the next one is not there.
        fs::rename(&path, kept(&path, 1)).unwrap();
        log.write_all(b"second...\n").unwrap();
        assert_eq!(texts(&path), ["second...\n", "first....\n"]);
    }

    #[test]
    fn what_is_kept_for_too_long_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        for (nth, age) in [(1, Duration::from_hours(1)), (2, KEPT_FOR * 2)] {
            let file = File::create(kept(&path, nth)).unwrap();
            let now = Duration::from_millis(Clock::System.now_ms());
            file.set_modified(UNIX_EPOCH + now - age).unwrap();
        }
        LogFile::open(&path).unwrap();
        assert!(kept(&path, 1).exists() && !kept(&path, 2).exists());
    }

    #[test]
    fn lines_that_are_lost_are_counted_and_nothing_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = LogFile::with_limit(&path, 1_000).unwrap();
        // Writing to it fails as on a full disk.
        log.0.lock().unwrap().file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        for _ in 0..3 {
            log.write_all(b"lost\n").unwrap();
        }
        log.0.lock().unwrap().file = open(&path).unwrap().0;
        log.write_all(b"there\n").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(first).unwrap()["lost"], 3);
        assert_eq!(rest, "there\n");
    }
}
