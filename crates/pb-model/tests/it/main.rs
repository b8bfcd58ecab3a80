//! Tests of the domain as its users see it.

mod goal_file;
mod spec;
