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
//! What several faults share: [`witness`] (what children say), [`audit`] (what stands in the files), [`lanes`]
//! (many cases side by side).
//!
//! Start reading at [`fault`].

pub mod fault;
pub mod tally;

pub mod bug;
pub mod child;
pub mod report;

pub mod audit;
pub mod command;
pub mod disk;
pub mod lanes;
pub mod scratch;
pub mod witness;
pub mod writer;

mod f01_killed_writer;
mod f03_power_loss;
mod f07_failing_calls;
mod f08_full_disk;
mod f18_held_reader;

pub use bug::{BUGS, PlantedBug};
pub use fault::{FAULTS, Fault, Run, Size};
pub use tally::Tally;
