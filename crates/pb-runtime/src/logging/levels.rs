//! What this process tells, changed while it runs.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::{EnvFilter, Registry};

use super::filter::{FILTER_BYTES_MAX, Filter, in_short, is_silent};
use crate::Home;

/// What this process tells, once it has a log.
static TOLD: OnceLock<Told> = OnceLock::new();

#[derive(Debug)]
struct Told {
    handle: Handle<EnvFilter, Registry>,
    /// What it tells where nobody asked for anything else, in `tracing`'s syntax.
    usual: String,
    asked: Mutex<Option<Filter>>,
    /// Where what a person said to keep stands.
    kept: Option<PathBuf>,
}

/// What a process tells, in our short words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels {
    /// Now.
    pub now: String,
    /// Where nobody asks for anything else.
    pub usual: String,
    /// Asked for from the next start on, and kept until it is reset.
    pub kept: Option<String>,
}

/// Why what is told does not change.
#[derive(Debug, thiserror::Error)]
pub enum LevelsError {
    /// There is no log to change.
    #[error("this process has no log")]
    NoLog,
    /// What is to be kept cannot be written, so nothing is changed.
    #[error("cannot keep it in {path}: {source}")]
    Keep {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `tracing` does not take it.
    #[error("the filter does not work: {0}")]
    Refused(String),
}

/// Where what a person said to keep for this process stands.
pub fn kept_path(home: &Home, process: &str) -> PathBuf {
    home.run().join(format!("{process}.level"))
}

/// The filter that can be changed, and the one that is never.
pub(super) type Layers = (reload::Layer<EnvFilter, Registry>, FilterFn);

/// Decides what is told from the start on: `PB_LOG`, else what was kept, else what is usual.
pub(super) fn begin(default: &str, kept: Option<PathBuf>) -> Layers {
    let wanted = crate::environment::text("PB_LOG").filter(|text| EnvFilter::try_new(text).is_ok());
    let asked = match wanted {
        None => kept.as_deref().and_then(read),
        Some(_) => None,
    };
    let usual = wanted.unwrap_or_else(|| default.to_owned());
    let now = asked.as_ref().map_or_else(|| usual.clone(), |asked| asked.over(&usual));
    let (layer, handle) = reload::Layer::new(EnvFilter::new(now));
    // A second start, in a test, keeps the first.
    let _ = TOLD.set(Told { handle, usual, asked: Mutex::new(asked), kept });
    (layer, tracing_subscriber::filter::filter_fn(|about| !is_silent(about.target())))
}

/// What this process tells.
///
/// # Errors
/// It has no log.
pub fn levels() -> Result<Levels, LevelsError> {
    let told = TOLD.get().ok_or(LevelsError::NoLog)?;
    let asked = told.asked();
    Ok(told.levels(asked.as_ref()))
}

/// Changes what this process tells, from now on, or resets it to what is usual. With `keep` it is so after the next
/// start too; a reset forgets what was kept.
///
/// # Errors
/// It has no log, or what is to be kept cannot be written: then nothing is changed.
pub fn change(filter: Option<Filter>, keep: bool) -> Result<Levels, LevelsError> {
    let told = TOLD.get().ok_or(LevelsError::NoLog)?;
    let mut asked = told.asked();
    let now = filter.as_ref().map_or_else(|| told.usual.clone(), |filter| filter.over(&told.usual));
    let now = EnvFilter::try_new(now).map_err(|error| LevelsError::Refused(error.to_string()))?;
    if let Some(path) = told.kept.as_deref().filter(|_| keep || filter.is_none()) {
        write(path, filter.as_ref()).map_err(|source| LevelsError::Keep { path: path.to_owned(), source })?;
    }
    told.handle.reload(now).map_err(|error| LevelsError::Refused(error.to_string()))?;
    *asked = filter;
    Ok(told.levels(asked.as_ref()))
}

impl Told {
    fn asked(&self) -> MutexGuard<'_, Option<Filter>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn levels(&self, asked: Option<&Filter>) -> Levels {
        let now = asked.map_or_else(|| self.usual.clone(), |asked| asked.over(&self.usual));
        let kept = self.kept.as_deref().and_then(read);
        Levels {
            now: in_short(&now),
            usual: in_short(&self.usual),
            kept: kept.map(|kept| in_short(&kept.over(&self.usual))),
        }
    }
}

/// What was kept. A file that says nothing that is understood is as none: logs are no reason not to start.
fn read(path: &Path) -> Option<Filter> {
    let is_short = fs::metadata(path).is_ok_and(|meta| meta.len() <= FILTER_BYTES_MAX as u64);
    fs::read_to_string(path).ok().filter(|_| is_short)?.trim().parse().ok()
}

fn write(path: &Path, filter: Option<&Filter>) -> io::Result<()> {
    let Some(filter) = filter else {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        };
    };
    let fresh = path.with_extension("level.new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    io::Write::write_all(&mut file, filter.to_string().as_bytes())?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_until_it_is_reset() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.level");
        assert_eq!(read(&path), None);
        let filter: Filter = "gateway=trace,h2=off".parse().unwrap();
        write(&path, Some(&filter)).unwrap();
        assert_eq!(read(&path), Some(filter));
        write(&path, None).unwrap();
        write(&path, None).unwrap();
        assert_eq!(read(&path), None);
        for wrong in ["genai=trace", "", &"info,".repeat(FILTER_BYTES_MAX)] {
            fs::write(&path, wrong).unwrap();
            assert_eq!(read(&path), None, "{wrong}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
