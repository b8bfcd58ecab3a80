//! What a process tells of its work: a line of JSON each in its file or in the journal, or a line for people on its
//! terminal. Whatever it is, it is without keys: they are taken out in `Out`, which all lines go through.

mod filter;
pub mod journal;
mod levels;
mod line;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use filter::{FILTER_BYTES_MAX, Filter, FilterError};
pub use levels::{Levels, LevelsError, change, kept_path, levels};

use crate::log_file::LogFile;
use crate::secrets;
use journal::Journal;
use line::JsonLine;

/// Where it is told.
#[derive(Debug, Clone)]
pub enum To {
    /// On standard error, for people.
    Terminal,
    /// In a file, for programs.
    File(LogFile),
    /// In the journal of the system, for its programs.
    Journal(Journal),
}

/// Starts logging: warnings and notices, with `debug` also what happens in between. `PB_LOG` takes
/// a filter in `tracing`'s syntax and wins; then what [`change`] was told to keep in the file `kept`.
pub fn start(debug: bool, to: To, kept: Option<PathBuf>) {
    let default =
        if debug { "info,pb_gateway=debug,pb_scheduler=debug,pb_store=debug,pb_exec=debug" } else { "info" };
    secrets::hold_environment();
    let (levels, never) = levels::begin(default, kept);
    let base = tracing_subscriber::registry().with(levels).with(never);
    let is_for_programs = !matches!(to, To::Terminal);
    std::panic::set_hook(Box::new(move |panic| tell(panic, is_for_programs)));
    // A second start, in a test, keeps the first.
    let _ = if is_for_programs {
        let lines = tracing_subscriber::fmt::layer().fmt_fields(JsonFields::new()).event_format(JsonLine);
        base.with(lines.with_writer(Out(to))).try_init()
    } else {
        let colour = io::stderr().is_terminal() && crate::environment::text("NO_COLOR").is_none();
        let lines =
            tracing_subscriber::fmt::layer().with_timer(SystemTime).with_ansi(colour).with_target(false);
        base.with(lines.with_writer(Out(to))).try_init()
    };
}

/// Where lines are written: the one place that all of them go through.
#[derive(Debug, Clone)]
struct Out(To);

impl Write for Out {
    /// Takes a whole line. One that cannot be written is lost: nothing waits for it, and nothing fails by it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let clean = secrets::redacted(&String::from_utf8_lossy(line));
        match &mut self.0 {
            To::Terminal => {
                let _ = io::stderr().write_all(clean.as_bytes()); // Where nobody listens, nobody is told.
            }
            To::File(file) => file.line(clean.as_bytes()),
            To::Journal(journal) => journal.line(&clean),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Out {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Most panics that a process prints beside its log: no file that they go to has another limit.
const PANICS_PRINTED_MAX: u32 = 100;
static PRINTED: AtomicU32 = AtomicU32::new(0);

/// A panic is told in the log, and printed where it would be printed.
fn tell(panic: &PanicHookInfo<'_>, in_log: bool) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let why = panic.payload_as_str().unwrap_or("it says not why");
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    if in_log {
        tracing::error!(place, why, trace, "a part of this process broke");
    }
    if PRINTED.fetch_add(1, Ordering::Relaxed) >= PANICS_PRINTED_MAX {
        return;
    }
    let current = std::thread::current();
    let thread = current.name().unwrap_or("<unnamed>");
    let trace = trace.map(|trace| format!("\n{trace}")).unwrap_or_default();
    let told = secrets::redacted(&format!("thread '{thread}' panicked at {place}:\n{why}{trace}\n"));
    let _ = io::stderr().write_all(told.as_bytes()); // Where nobody listens, nobody is told.
}

#[cfg(test)]
mod tests;
