//! Tests of the domain as its users see it.

#[cfg(test)]
mod any_goal;
#[cfg(test)]
mod goal_file;
#[cfg(test)]
mod render;
#[cfg(test)]
mod spec;
#[cfg(test)]
mod wrong_files;
