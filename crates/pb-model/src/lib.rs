//! The domain of PonyBunny, as values: what a goal is, how it moves, and what each move means.
//!
//! Everything here is pure. The lifecycle of a goal is two functions: [`goal::decide`] turns a
//! command into events or a rejection, and [`goal::evolve`] folds an event into the state.
//!
//! This crate never does I/O, reads a clock, draws a random number, is async, or knows SQL,
//! HTTP or a model. Times and ids are arguments.
//!
//! Start reading at [`spec`] (what a person asks for), then [`goal`] (what becomes of it).

pub mod approval;
pub mod effect;
pub mod freshness;
pub mod goal;
pub mod goal_file;
pub mod ids;
pub mod machine;
pub mod plan;
pub mod retry;
pub mod schedule;
pub mod session;
pub mod spec;
pub mod text;
pub mod tier;
pub mod verdict;

pub use effect::effect_key;
pub use ids::{ArtifactId, EscalationId, GoalId, ItemId, RunId, ScheduleId, SessionId};
pub use spec::{Effect, GateSpec, GoalSpec, ItemSpec, Lane, Work};
pub use tier::Tier;
pub use verdict::Verdict;

/// Milliseconds since the Unix epoch, UTC.
pub type Millis = u64;
/// The incarnation of the scheduler that holds a claim; every later write of a run checks it.
pub type Epoch = u64;
