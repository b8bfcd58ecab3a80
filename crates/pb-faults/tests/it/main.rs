//! The smoke size of the faults that need no `pb`; those of whole processes are in `crates/pb/tests/it`.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in what they share")]

mod f04;
mod f05;
mod f09_malformed;
mod f10;
mod f11;
mod f12;
mod scheduler;
mod store;
mod support;
