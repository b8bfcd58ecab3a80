//! The scheduler daemon: it turns decisions into effects.
//!
//! One loop (`driver/`) owns all mutable state and is the group commit: it takes the inputs that
//! wait, decides them in memory, writes all their events and rows in one transaction, and only
//! then performs the effects. What should be in flight is a function of the state
//! (`pb_model::goal::wants`), so going on after a crash is the ordinary way of going on.
//!
//! This crate never renders for people.
//!
//! Start reading at `driver/`, then `turn.rs`, then `effects/`.

mod driver;
mod heart;
mod recovery;
mod service;
mod tell;

mod commands;
mod day;
mod goals;
mod turn;

mod agent;
mod effects;
mod sandbox;
mod schedules;
mod session;
mod verify;
mod workspace;

pub mod kept;
pub mod notify;

mod link;
mod retention;
mod trace;

#[cfg(feature = "bench")]
pub mod bench;
pub mod simulation;

pub use heart::Heart;
pub use retention::{compact_stopped, compactable};
pub use service::{Config, Scheduler, StartError};
