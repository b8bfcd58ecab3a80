//! The tools of this crate: one file each, listed here in the order in which models see them.

mod edit_file;
mod finish;
mod list_dir;
mod read_file;
mod run_command;
mod search_files;
mod write_file;

use std::sync::Arc;

pub use finish::FINISH;
pub use run_command::{COMMAND_TIME_LIMIT_S_DEFAULT, COMMAND_TIME_LIMIT_S_MAX, RUN_COMMAND};

use crate::Tool;

pub(crate) fn all() -> Vec<Arc<dyn Tool>> {
    vec![
        Arc::new(list_dir::ListDir),
        Arc::new(search_files::SearchFiles),
        Arc::new(read_file::ReadFile),
        Arc::new(write_file::WriteFile),
        Arc::new(edit_file::EditFile),
        Arc::new(run_command::RunCommand),
        Arc::new(finish::Finish),
    ]
}
