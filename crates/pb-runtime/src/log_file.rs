//! The log of a background process: a file that is put aside when it is full, and of which so many are kept.
//!
//! ```text
//!   gateway.log --full--> gateway.log.1 --> … --> gateway.log.4 --> gone
//! ```
//!
//! A line that cannot be written is lost and counted, and nothing waits for it: with a full disk work goes on, and the
//! count is written once there is room. Lines are appended whole, so two processes that write to one log for a moment,
//! as when one takes the place of another, do not mix theirs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use crate::Clock;

/// A file that holds more is put aside, in bytes.
pub const FILE_BYTES_MAX: u64 = 10 * 1024 * 1024;
/// How many are kept beside the one that is written to.
pub const KEPT_MAX: u32 = 4;
/// How long they are kept at most.
pub const KEPT_FOR: Duration = Duration::from_hours(30 * 24);
/// Most bytes of all files of one log. Only where a file cannot be put aside does the one that is written to grow beyond
/// its share, to twice of that; then lines are lost.
pub const LOG_BYTES_MAX: u64 = FILE_BYTES_MAX * (KEPT_MAX as u64 + 1);
/// How many times its share a file may have that cannot be put aside.
const STUCK_TIMES_MAX: u64 = 2;

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
    bytes_max: u64,
    /// Lines that could not be written since the last one that could.
    lost: u64,
    /// Whether the file ends in the middle of a line.
    is_torn: bool,
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
        let file = open(path)?;
        drop_old(path);
        let written = Written { path: path.to_owned(), file, bytes_max, lost: 0, is_torn: false };
        Ok(Self(Arc::new(Mutex::new(written))))
    }

    /// Appends a line, with its end. One that cannot be written is lost, and counted.
    pub fn line(&self, line: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).line(line);
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
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
        if self.would_exceed(line, 1) {
            self.put_aside();
        }
        if self.would_exceed(line, STUCK_TIMES_MAX) {
            self.lost += 1;
            return;
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

    /// Whether the file would have more than so many times its share with this line. What others wrote is in it.
    fn would_exceed(&self, line: &[u8], times: u64) -> bool {
        let bytes = self.bytes();
        bytes > 0 && bytes + line.len() as u64 > self.bytes_max * times
    }

    fn bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |meta| meta.len())
    }

    /// Writes it whole or not at all, as far as the disk lets us.
    fn write(&mut self, line: &[u8]) -> bool {
        if self.is_torn {
            if !matches!(self.file.write(b"\n"), Ok(1)) {
                return false;
            }
            self.is_torn = false;
        }
        let before = self.bytes();
        match self.file.write(line) {
            Ok(written) if written == line.len() => return true,
            Ok(written) => self.is_torn = !self.take_back(before, written as u64),
            Err(_) => {}
        }
        false
    }

    /// Takes the beginning of a line back, if nobody has written beside it; whether it did.
    fn take_back(&self, before: u64, written: u64) -> bool {
        before + written == self.bytes() && self.file.set_len(before).is_ok()
    }

    /// Begins another file. Where that does not work the log goes on growing, and what is kept stays: one that was put
    /// aside, and of which the next could not be made, is not put aside again; nor is one that another process has
    /// begun since, or is putting aside now.
    fn put_aside(&mut self) {
        if self.file.try_lock().is_err() {
            return;
        }
        let ours = self.file.metadata().ok().map(|meta| (meta.dev(), meta.ino()));
        let there = fs::metadata(&self.path).ok().map(|meta| (meta.dev(), meta.ino()));
        let is_away = there.is_none() || there != ours || self.rename_all();
        if is_away && let Ok(file) = open(&self.path) {
            (self.file, self.is_torn) = (file, false);
        }
        let _ = self.file.unlock(); // If it is still the same.
        drop_old(&self.path);
    }

    /// Makes room and puts the file aside; false where it stays.
    fn rename_all(&self) -> bool {
        for nth in (1..KEPT_MAX).rev() {
            let _ = fs::rename(kept(&self.path, nth), kept(&self.path, nth + 1));
        }
        fs::rename(&self.path, kept(&self.path, 1)).is_ok()
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
        let log = LogFile::with_limit(&path, 10).unwrap();
        for n in 0..20 {
            log.line(format!("line {n:2}\n").as_bytes());
        }
        let last: Vec<String> = (15..20).rev().map(|n| format!("line {n:2}\n")).collect();
        assert_eq!(texts(&path), last);
        // Whoever comes after it goes on with it.
        drop(log);
        LogFile::with_limit(&path, 20).unwrap().line(b"after\n");
        assert_eq!(texts(&path).first().unwrap(), "line 19\nafter\n");
    }

    #[test]
    fn what_is_kept_stays_while_no_other_file_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let log = LogFile::with_limit(&path, 10).unwrap();
        log.line(b"first....\n");
        // As after a rename on a full disk: it was put aside, and the next one is not there.
        fs::rename(&path, kept(&path, 1)).unwrap();
        log.line(b"second...\n");
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
        let log = LogFile::with_limit(&path, 1_000).unwrap();
        // Writing to it fails as on a full disk.
        log.0.lock().unwrap().file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        for _ in 0..3 {
            log.line(b"lost\n");
        }
        log.0.lock().unwrap().file = open(&path).unwrap();
        log.line(b"there\n");
        let text = fs::read_to_string(&path).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(first).unwrap()["lost"], 3);
        assert_eq!(rest, "there\n");
    }

    #[test]
    fn a_file_that_cannot_be_put_aside_grows_to_its_limit_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let log = LogFile::with_limit(&path, 10).unwrap();
        // A folder in its place: neither a rename nor a new file works.
        fs::create_dir_all(kept(&path, 1).join("full")).unwrap();
        for nth in 2..=KEPT_MAX {
            fs::create_dir_all(kept(&path, nth).join("full")).unwrap();
        }
        for _ in 0..9 {
            log.line(b"four\n");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "four\n".repeat(4));
        for nth in 1..=KEPT_MAX {
            fs::remove_dir_all(kept(&path, nth)).unwrap();
        }
        log.line(b"more\n");
        assert_eq!(texts(&path).last().unwrap(), &"four\n".repeat(4));
        assert!(
            texts(&path).first().unwrap().ends_with("more\n")
                && texts(&path).join("").contains("\"lost\":5}")
        );
    }

    #[test]
    fn two_that_write_to_one_log_lose_nothing_and_do_not_mix_their_lines() {
        const LINES: usize = 400;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        // As two processes have it: each its own file, and its own count.
        let text = "x".repeat(90);
        std::thread::scope(|scope| {
            for who in ["a", "b"] {
                let log = LogFile::with_limit(&path, 40_000).unwrap();
                let text = &text;
                scope.spawn(move || {
                    (0..LINES).for_each(|n| log.line(format!("{who}{n:03}{text}\n").as_bytes()));
                });
            }
        });
        let all = texts(&path);
        let mut lines: Vec<&str> = all.iter().flat_map(|text| text.lines()).collect();
        assert!(all.len() > 1 && lines.iter().all(|line| line.len() == text.len() + 4));
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 2 * LINES);
    }

    #[test]
    fn a_line_that_was_cut_short_is_ended_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let log = LogFile::with_limit(&path, 1_000).unwrap();
        log.line(b"one\n");
        {
            let mut written = log.0.lock().unwrap();
            let before = written.bytes();
            assert_eq!(written.file.write(b"tw").unwrap(), 2);
            // Somebody else has written behind it: it stays.
            OpenOptions::new().append(true).open(&path).unwrap().write_all(b"other").unwrap();
            assert!(!written.take_back(before, 2));
            written.is_torn = true;
        }
        log.line(b"three\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwother\nthree\n");
        {
            let mut written = log.0.lock().unwrap();
            let before = written.bytes();
            assert_eq!(written.file.write(b"fo").unwrap(), 2);
            assert!(written.take_back(before, 2));
        }
        log.line(b"four\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwother\nthree\nfour\n");
    }

    /// Says to the same test, in a process of its own, where its disk is.
    const SMALL_DISK: &str = "PB_TEST_SMALL_DISK";

    /// Runs this program in a mount namespace of its own, with a disk of 64 KiB in `folder`.
    #[expect(clippy::disallowed_methods, reason = "the test is the person who mounts a disk")]
    fn with_a_small_disk(folder: &Path, arguments: &[&str]) -> std::process::Output {
        let script = "mount -t tmpfs -o size=64k tmpfs \"$0\"; exec \"$@\"";
        std::process::Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-ec", script])
            .arg(folder)
            .args(arguments)
            .env(SMALL_DISK, folder)
            .output()
            .unwrap()
    }

    #[test]
    fn a_disk_that_fills_while_files_are_put_aside_costs_lines_that_are_counted_and_nothing_else() {
        const THIS: &str = concat!(
            "log_file::tests::",
            "a_disk_that_fills_while_files_are_put_aside_costs_lines_that_are_counted_and_nothing_else"
        );
        if let Some(disk) = crate::environment::path(SMALL_DISK) {
            return fill(&disk);
        }
        let folder = tempfile::tempdir().unwrap();
        if !with_a_small_disk(folder.path(), &["true"]).status.success() {
            return; // This machine lets nobody mount.
        }
        let this = std::env::current_exe().unwrap();
        let ran = with_a_small_disk(folder.path(), &[this.to_str().unwrap(), "--exact", THIS]);
        let told = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && told.contains("1 passed"), "{told}");
    }

    fn fill(disk: &Path) {
        const LINES: usize = 2_000;
        let path = disk.join("a.log");
        // Five of them are more than the disk holds.
        let log = LogFile::with_limit(&path, 16 * 1024).unwrap();
        let text = "x".repeat(100);
        let line = |n: usize| log.line(format!("{{\"n\":{n},\"text\":\"{text}\"}}\n").as_bytes());
        (0..LINES).for_each(line);
        let read = || -> Vec<serde_json::Value> {
            let texts = texts(&path).into_iter().rev().collect::<String>();
            texts.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let kept = read();
        let count = kept.len();
        assert!(count > 300 && count < LINES, "{count}");
        assert!(
            kept.iter().enumerate().all(|(n, line)| line["n"] == n),
            "what was written first is there, whole"
        );
        // A person makes room, and puts the oldest elsewhere: the log goes on, and says what it lost.
        let oldest = super::kept(&path, KEPT_MAX - 1);
        let gone = fs::read_to_string(&oldest).unwrap().lines().count();
        fs::remove_file(oldest).unwrap();
        line(LINES);
        let all = read();
        let [told, after] = &all[all.len() - 2..] else { panic!("{all:?}") };
        assert_eq!(
            (all.len(), &told["lost"], &after["n"]),
            (count - gone + 2, &(LINES - count).into(), &LINES.into())
        );
    }
}
