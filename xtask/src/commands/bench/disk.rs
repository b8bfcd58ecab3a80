//! The disk under the home: a durable answer cannot be faster than its fsync.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use super::figures::Percentiles;

const WRITES: usize = 200;
/// A page of the database, in bytes.
const WRITE_BYTES: usize = 4096;

/// Times writes of one page, each made durable.
pub(super) fn fsync(folder: &Path) -> anyhow::Result<Percentiles> {
    let path = folder.join("fsync.probe");
    let mut file = File::create(&path).with_context(|| format!("cannot write in {}", folder.display()))?;
    let page = [b'x'; WRITE_BYTES];
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let started = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    std::fs::remove_file(&path)?;
    Ok(Percentiles::of(times))
}
