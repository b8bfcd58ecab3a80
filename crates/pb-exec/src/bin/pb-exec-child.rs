//! The two entry points of `pb-exec` and nothing else, for its integration tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some(pb_exec::KEEPER_WORD) => pb_exec::keeper_main(),
        Some(pb_exec::STEP_WORD) => pb_exec::step_main(),
        _ => ExitCode::FAILURE,
    }
}
