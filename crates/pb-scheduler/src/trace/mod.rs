//! The trace: what the daemon tells about its work, for people who look into it. Nothing is decided by
//! it, and nothing waits for it.
//!
//! ```text
//!   the loop, effects --- Tracer::tell ---> queue (4096) ---> task ---> trace.db, a batch each 100 ms
//!                          never waits         |                \---> link: bells for the gateway
//!                                   full: dropped, and counted
//! ```
//!
//! Names and keys are those of `wire.md` §3.3 (`what.rs`). Facts of a goal's history are told once they
//! are committed (`facts.rs`); calls of models and tools, when they begin and end (`model.rs`).

mod about;
mod bounds;
mod call;
mod facts;
mod model;
mod task;
mod tracer;
mod what;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use about::About;
pub(crate) use bounds::TEXT_BYTES_MAX;
pub(crate) use call::CallNote;
pub(crate) use facts::{Before, notes};
pub(crate) use model::{Asking, traced};
pub(crate) use task::{TraceTask, run};
pub(crate) use tracer::{Note, Tracer, trace};
pub(crate) use what::What;
