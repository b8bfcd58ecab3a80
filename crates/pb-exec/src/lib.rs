//! Runs one child process safely: confined, limited, with bounded output, and gone when it should be.
//!
//! A [`Launcher`] starts a [`Job`] as two steps of one binary. The *keeper* (`pb __exec`) stays
//! unconfined, adopts every orphan below it, and ends them all when the tool ends, the time is
//! up, or the scheduler stops it or dies. The *step* (`pb __exec-step`) confines itself with
//! Landlock and becomes the tool.
//!
//! It never decides anything: which command, which paths, which ports and which limits are all
//! in the `Job`. It never uses a shell, never inherits an environment and never retries.
//! Landlock covers opening files, TCP connections and signals; it does not cover UDP, `stat`,
//! `chmod`, nor connecting to a Unix socket that has a path.
//!
//! Start reading at [`Job`], then `launcher.rs`, `keeper/mod.rs`, `step.rs`, `confine/mod.rs`.

pub mod environment;
mod job;
mod outcome;
mod output;

mod launcher;
mod message;

mod keeper;
mod process;
mod step;

mod confine;
mod credentials;
pub mod leftovers;

pub use confine::{Support, support};
pub use credentials::credential_paths;
pub use job::{Confinement, Job, Policy, STEP_VARIABLE};
pub use keeper::keeper_main;
pub use launcher::{Launcher, Running, SpawnError, Stopper};
pub use message::JOB_BYTES_MAX;
pub use outcome::{Enforced, Finished, Outcome};
pub use output::{OUTPUT_HEAD_BYTES_MAX, OUTPUT_TAIL_BYTES_MAX, Output};
pub use step::step_main;

/// First argument that makes the binary a keeper: call [`keeper_main`] before anything else.
pub const KEEPER_WORD: &str = "__exec";

/// First argument that makes the binary a step: call [`step_main`] before anything else.
pub const STEP_WORD: &str = "__exec-step";
