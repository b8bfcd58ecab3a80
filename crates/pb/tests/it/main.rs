//! The binary, as a person meets it: whole outputs and exit codes.

mod env;

mod goal_file;
mod help;
mod wrong;
