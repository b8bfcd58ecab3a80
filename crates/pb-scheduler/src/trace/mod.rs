//! The trace: what the daemon tells about its work, for people who look into it. Nothing is decided by
//! it, and nothing waits for it.
//!
//! ```text
//!   the loop, effects --- Tracer::tell ---> queue (4096) ---> task ---> trace.db, a batch each 50 ms
//!                          never waits         |                \---> link: bells for the gateway
//!                                   full: dropped, and counted
//! ```
//!
//! What there is to be told stands in `what.rs`, and docs/TRACE.md is made of it. Facts of a goal's history are told
//! once they are committed (`facts.rs`, `spending.rs`; of conversations and schedules: `beside.rs`); calls of models
//! and tools, when they begin and end (`model.rs`, `tool.rs`). Whoever tells hands over plain values: they become
//! JSON, and words of others are made fit to be shown (`content.rs`), in the task.

mod about;
mod began;
mod beside;
mod commits;
mod content;
mod data;
mod facts;
mod kind;
mod messages;
mod model;
mod spending;
mod task;
mod tool;
mod tracer;
mod what;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use about::About;
pub(crate) use beside::{of_schedule, of_session};
pub(crate) use commits::Commits;
pub(crate) use content::Text;
pub(crate) use data::Plain;
pub(crate) use facts::{Before, Fact};
pub(crate) use model::{Asking, traced};
pub(crate) use task::{TraceTask, run};
pub(crate) use tracer::{Note, Tracer, trace};
pub(crate) use what::What;
