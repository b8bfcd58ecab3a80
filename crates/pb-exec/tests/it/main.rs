//! Real processes under real keepers. Nothing here sleeps to wait for something: tests wait for
//! conditions, with one limit.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in what they share")]

mod confinement;
mod ending;
mod env;
mod outcome;
