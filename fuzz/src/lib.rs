//! What is held of each parser, whatever it is given. One function a target; a panic is a find.
//!
//! The targets themselves (`fuzz_targets/`) only hand their bytes over. Seeds are made of the documents by
//! `cargo xtask fuzz`; a find becomes a test of the crate that it was found in.

mod files;
mod frames;
mod methods;

pub use files::{config, goal_file, schedules};
pub use frames::{cursors, frames, link};
pub use methods::params;
