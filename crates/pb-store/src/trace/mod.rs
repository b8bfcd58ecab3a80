//! The trace (`trace.db`): the durable lane of debug events. It may be deleted at any time; nothing
//! decides by it.
//!
//! ```text
//!   scheduler: Trace::append (batches) ---> trace.db ---> TraceReader: the gateway, `pb debug events`
//!              Trace::index (words) -----------^
//!              Trace::tidy (oldest first) -----^
//! ```
//!
//! What [`Trace::append`] returned survives the end of the process, and not a loss of power: a debug
//! event is not worth a sync. Positions rise and are never given twice, also where a loss of power took
//! the last events along. They have gaps, and the oldest events are removed.

mod event;
mod place;
mod query;
mod reader;
pub(crate) mod words;
mod writer;

pub use event::{TraceEvent, TraceFilter, TraceIdentity, TracePage, TraceRow};
pub use query::{TraceCount, TraceFound, TraceQuery};
pub use reader::TraceReader;
pub use writer::{Retention, Trace};
