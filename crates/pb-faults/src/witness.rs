//! The witness: what a child says outside of the system under test, in whole records whenever it is killed.
//!
//! A record is a line of JSON, written by one call at the end of a file or into a pipe. `kill -9` takes
//! nothing from either: what was written is there, and a record is there whole.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where a child says what was answered to it.
#[derive(Debug)]
pub struct Witness {
    file: File,
}

impl Witness {
    /// A witness in a file, after what is in there.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn append(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("cannot open the witness {}", path.display()))?;
        Ok(Self { file })
    }

    /// A witness on this process's standard output, which its parent reads.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn on_stdout() -> anyhow::Result<Self> {
        use std::os::fd::AsFd;
        let stdout = std::io::stdout().as_fd().try_clone_to_owned().context("standard output is closed")?;
        Ok(Self { file: File::from(stdout) })
    }

    /// Says something. When this returns, no kill takes it back.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn say(&self, record: &impl Serialize) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        (&self.file).write_all(&line).context("cannot write to the witness")
    }
}

/// What was said, in order. A last record that is not whole was not said.
///
/// # Errors
/// A whole line that is no such record.
pub fn heard<T: DeserializeOwned>(said: &[u8]) -> anyhow::Result<Vec<T>> {
    said.split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.ends_with(b"\n"))
        .map(|line| {
            serde_json::from_slice(line)
                .with_context(|| format!("the witness says `{}`", String::from_utf8_lossy(line).trim_end()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_records_are_heard_in_order_and_a_cut_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness");
        for number in 1..=3 {
            Witness::append(&path).unwrap().say(&number).unwrap();
        }
        let mut said = std::fs::read(&path).unwrap();
        said.extend(b"4");
        assert_eq!(heard::<u32>(&said).unwrap(), [1, 2, 3]);
        said.extend(b"x\n");
        assert!(heard::<u32>(&said).is_err());
    }
}
