//! What the shim recorded.

use anyhow::{Context, bail};

/// One thing that was done, with its bytes in the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op<'a> {
    /// A file got a name.
    Create {
        /// Its number; a file that is made anew under an old name has a new one.
        file: u32,
        /// Its name in the folder.
        name: &'a str,
    },
    /// Bytes were written.
    Write {
        /// The file.
        file: u32,
        /// Where.
        offset: usize,
        /// What.
        data: &'a [u8],
    },
    /// A file got another length.
    Truncate {
        /// The file.
        file: u32,
        /// Its length.
        length: usize,
    },
    /// What was done to a file is on the disk.
    Sync {
        /// The file.
        file: u32,
    },
    /// A sync failed: what it was to write will never be.
    SyncFailed {
        /// The file.
        file: u32,
    },
    /// The names in the folder are on the disk.
    SyncFolder,
    /// A name is gone.
    Unlink {
        /// The name.
        name: &'a str,
    },
    /// A call that may fail was made.
    Call {
        /// Its number, from 1.
        number: u64,
        /// Which kind of call: `o`pen, `w`rite, `t`runcate, `s`ync or `u`nlink.
        what: char,
    },
    /// The call that was to fail did.
    Failed {
        /// Which kind of call.
        what: char,
    },
}

/// Bytes before the data of each record: kind, file, offset, length.
const HEADER_BYTES: usize = 24;

/// Takes a recording apart.
///
/// # Errors
/// It is none.
pub fn parse(mut bytes: &[u8]) -> anyhow::Result<Vec<Op<'_>>> {
    let mut ops = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() {
        bytes = rest;
        let [kind, file] = [0, 4].map(|at| u32::from_ne_bytes(std::array::from_fn(|n| header[at + n])));
        let [offset, number] = [8, 16].map(|at| u64::from_ne_bytes(std::array::from_fn(|n| header[at + n])));
        let mut data = || -> anyhow::Result<&[u8]> {
            let (data, rest) =
                bytes.split_at_checked(usize::try_from(number)?).context("a recording ends in a record")?;
            bytes = rest;
            Ok(data)
        };
        let kind = char::from_u32(kind).context("a recording has an unknown record")?;
        ops.push(match kind {
            'C' => Op::Create { file, name: std::str::from_utf8(data()?)? },
            'W' => Op::Write { file, offset: usize::try_from(offset)?, data: data()? },
            'T' => Op::Truncate { file, length: usize::try_from(number)? },
            'S' => Op::Sync { file },
            'E' => Op::SyncFailed { file },
            'D' => Op::SyncFolder,
            'U' => Op::Unlink { name: std::str::from_utf8(data()?)? },
            'N' => Op::Call { number, what: kind_of_call(offset)? },
            'F' => Op::Failed { what: kind_of_call(offset)? },
            kind => bail!("a recording has a record of the unknown kind `{kind}`"),
        });
    }
    Ok(ops)
}

fn kind_of_call(number: u64) -> anyhow::Result<char> {
    u32::try_from(number).ok().and_then(char::from_u32).context("a recording has an unknown call")
}
