//! Tests of the domain as its users see it.

mod any_goal;
mod goal_file;
mod render;
mod spec;
