//! The disk: how much room it has, and how long it takes until something is on it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use pb_runtime::config::{Config, Disk};
use pb_runtime::{Home, disk};

use super::check::Check;
use crate::format;

/// How many writes are measured.
const WRITES: usize = 50;
/// Size of each, in bytes: a page of a database.
const WRITE_BYTES: usize = 4096;
/// The measure ends after so long, whatever the disk.
const MEASURE_LIMIT: Duration = Duration::from_secs(5);
/// A disk that is slower makes every step of a goal wait noticeably.
const SLOW: Duration = Duration::from_millis(25);

pub(super) fn look(home: &Home, settings: Option<&Config>) -> Vec<Check> {
    let Some(there) = home.root().ancestors().find(|path| path.is_dir()) else { return Vec::new() };
    let mut checks = vec![room(there, settings)];
    // A home that is not there yet is not made for this, and others' folders are not written to.
    if there == home.root() {
        checks.push(speed(&home.run()));
    }
    checks
}

fn room(place: &Path, settings: Option<&Config>) -> Check {
    let needed =
        settings.map_or_else(|| Disk::default().free_bytes_min, |settings| settings.disk.free_bytes_min);
    match disk::free_bytes(place) {
        Ok(free) if free < needed => {
            let found =
                format!("{} free; new goals are refused below {}", format::size(free), format::size(needed));
            Check::problem("disk", found, disk::LowDisk::HINT)
        }
        Ok(free) => Check::ok("disk", format_args!("{} free", format::size(free))),
        Err(error) => {
            Check::warning("disk", format_args!("does not tell its room: {error}"), "look with: df -h")
        }
    }
}

fn speed(folder: &Path) -> Check {
    const NAME: &str = "disk speed";
    let path = folder.join(format!("doctor-{}.tmp", std::process::id()));
    let measured = measure(&path);
    let _ = fs::remove_file(&path); // It says nothing, and leftovers are looked for.
    let mut took = match measured {
        Ok(took) => took,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Check::ok(NAME, "not measured yet"),
        Err(error) => {
            let found = format!("nothing can be written to {}: {error}", folder.display());
            return Check::problem(NAME, found, "make it writable for you, or free some space");
        }
    };
    took.sort_unstable();
    let p50 = took.get(took.len() / 2).copied().unwrap_or_default();
    let shown = micros(p50);
    let found = format!("fsync p50 {shown} of {} writes", took.len());
    if p50 > SLOW {
        let advice = "goals work, and each step waits for it; a home on a faster disk: PB_HOME";
        Check::warning(NAME, found, advice)
    } else {
        Check::ok(NAME, found)
    }
}

fn measure(path: &Path) -> io::Result<Vec<Duration>> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let page = [0x5a; WRITE_BYTES];
    let (began, mut took) = (Instant::now(), Vec::with_capacity(WRITES));
    while took.len() < WRITES && began.elapsed() < MEASURE_LIMIT {
        let one = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        took.push(one.elapsed());
    }
    Ok(took)
}

fn micros(time: Duration) -> String {
    let micros = time.as_micros();
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}
