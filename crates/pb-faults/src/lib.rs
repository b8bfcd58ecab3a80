//! The fault suite (`durability.md` §8): what happens to the machine and the processes, done on purpose and
//! many times, and an auditor that counts what was lost, delivered twice or out of order.
//!
//! ```text
//!   cargo xtask faults ci --> pb-faults --> each fault in FAULTS --> Tally (cases, lost, seed, ...)
//!                                                |
//!                                                +-- children: `pb-faults child ROLE`, or `pb` itself
//! ```
//!
//! A fault is a row of [`FAULTS`] and a file. Its seed is printed, and the same seed does the same again.
//! The smoke size runs in the normal tests; the feature `faultpoints` adds the planted bugs.
//!
//! What faults share: [`processes`] that are killed, [`follower`] and [`watcher`] (clients written against the
//! wire), [`observe`] and [`history`] (the auditors of I2 to I8);
//! [`witness`] (what children say), [`audit`] (what stands in the files), [`lanes`]
//! (many cases side by side).
//!
//! Start reading at [`fault`].

pub mod fault;
pub mod follower;
pub mod gateway_process;
pub mod healthy;
pub mod history;
pub mod observe;
pub mod processes;
pub mod progress;
pub mod tally;
pub mod watcher;

mod f02_kills;
mod f04_delivery;
mod f05_simulation;
mod f10_slow_clients;
mod f11_toxics;
mod f12_clock;
mod f13_bad_starts;
mod f14_drain;
mod f14_hung;
mod f15_migrations;
mod f17_models_and_tools;

mod f09_malformed;

pub mod bug;
pub mod child;
pub mod report;

pub mod asked;
pub mod audit;
pub mod command;
pub mod disk;
pub mod lanes;
pub mod scratch;
pub mod supervised;
pub mod witness;
pub mod writer;

mod f01_killed_writer;
mod f03_power_loss;
mod f07_failing_calls;
mod f08_full_disk;
mod f18_held_reader;
mod f20_leaks;
mod lifecycle;

pub use bug::{BUGS, PlantedBug};
pub use fault::{FAULTS, Fault, Run, Size};
pub use tally::Tally;
