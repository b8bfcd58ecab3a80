//! What a process tells of its work: a line of JSON each in its file, or a line for people on its terminal.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

use crate::log_file::LogFile;

/// Where it is told.
#[derive(Debug)]
pub enum To {
    /// On standard error, for people.
    Terminal,
    /// In a file, for programs; panics too.
    File(LogFile),
}

/// Starts logging: warnings and notices, with `debug` also what happens in between. `PB_LOG` takes
/// a filter in `tracing`'s syntax and wins.
pub fn start(debug: bool, to: To) {
    let default =
        if debug { "info,pb_gateway=debug,pb_scheduler=debug,pb_store=debug,pb_exec=debug" } else { "info" };
    let filter = crate::environment::text("PB_LOG").unwrap_or_else(|| default.to_owned());
    // It logs providers' answers as they are, and they may quote a key.
    let filter = format!("genai=off,{filter}");
    let filter =
        EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(format!("genai=off,{default}")));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_timer(SystemTime);
    // A second start, in a test, keeps the first.
    let _ = match to {
        To::Terminal => {
            let colour = std::io::stderr().is_terminal() && crate::environment::text("NO_COLOR").is_none();
            log.with_writer(std::io::stderr).with_ansi(colour).with_target(false).try_init()
        }
        To::File(file) => {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                tell(panic);
                usual(panic);
            }));
            log.json().flatten_event(true).with_writer(file).try_init()
        }
    };
}

fn tell(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let why = panic.payload_as_str().unwrap_or("it says not why");
    tracing::error!(place, why, "a part of this process broke");
}
