//! Logs go to standard error, which a background process has as its file in `logs/`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

/// Starts logging: warnings and notices, with `debug` also what happens in between. `PB_LOG` takes
/// a filter in `tracing`'s syntax and wins.
pub fn start(debug: bool) {
    let default =
        if debug { "info,pb_gateway=debug,pb_scheduler=debug,pb_store=debug,pb_exec=debug" } else { "info" };
    let filter = crate::environment::text("PB_LOG").unwrap_or_else(|| default.to_owned());
    // It logs providers' answers as they are, and they may quote a key.
    let filter = format!("genai=off,{filter}");
    let filter =
        EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(format!("genai=off,{default}")));
    let colour = std::io::stderr().is_terminal() && crate::environment::text("NO_COLOR").is_none();
    // A second start, in a test, keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .with_timer(SystemTime)
        .with_target(false)
        .try_init();
}
