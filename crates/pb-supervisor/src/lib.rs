//! The supervisor: one process a home that starts gateway and scheduler, sees when one of them ends or hangs,
//! starts it again, and stops both in order (`durability.md` §5).
//!
//! What becomes of a process that ended is decided by [`child`], without a clock and without a process.
//! [`Supervisor`] does what it says. [`control`] is how commands of a person reach it.
//!
//! It holds no goal, no key and no socket of a client: it may be killed at any moment. What it runs goes on, and
//! starts another one, which finds the running processes by their locks and goes on with them.

mod answer;
pub mod child;
pub mod control;
mod daemon;
mod heard;
mod kept;
pub mod launch;
mod run;
mod running;
mod service;

pub use daemon::Daemon;
pub use kept::Kept;
pub use run::SUPERVISED;
pub use service::{Config, Ended, StartError, Supervisor};
