//! The binary, as a person meets it: whole outputs and exit codes.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in what they share")]

mod env;

mod goal_file;
mod help;
mod wrong;
