//! The files that carry everything: the log (`state.db`: events and the rows folded from them) and
//! the inbox (`gateway.db`: commands that were answered but not yet executed). Beside them the trace
//! (`trace.db`: debug events), which promises less: see [`trace`].
//!
//! The promise: what [`Log::commit`] or [`Inbox::put`] returned is on the disk; a batch is there
//! whole or not at all; positions rise without gaps; a write of a superseded epoch changes nothing.
//! The suite in `tests/it/contract.rs` says it in code and runs on a file and in memory.
//!
//! This crate never decides anything and leaks no SQL type. All calls are async: SQLite works in
//! `spawn_blocking`, so that a paused test clock stays honest, and another backend can answer over a network.
//!
//! Start reading at [`contract`], then `sqlite/append.rs`.

mod access;
mod backup;
pub mod contract;
pub mod cursor;
mod feed;
mod goal_events;
pub mod health;
mod inbox;
mod log;
mod mark;
mod places;
mod planted;
mod restore;
mod runs;
mod schedules;
mod sessions;
mod sqlite;
pub mod trace;

pub use access::AccessToken;
pub use backup::{Databases, Held, back_up};
pub use contract::{
    Batch, Candidate, Committed, Compact, Compacted, Error, EventRecord, Head, InboxRow, LogIdentity,
    NewCommand, NewEvent, Retention, Row, Step, StepIntent, StepKind, StepOutcome, StepResult, StoredResult,
    Write,
};
pub use cursor::{Cursor, CursorWriter};
pub use feed::{EventRow, Feed, Follower, Page, Rebase, Span};
pub use goal_events::{GoalEventFilter, GoalHistory};
pub use inbox::{Inbox, InboxReader, Put};
pub use log::{EscalationFilter, GoalCost, GoalFilter, ItemFilter, LaneCount, Log, LogReader};
pub use mark::Mark;
pub use places::{BadPlace, GoalPlace, SessionPlace};
pub use restore::{check_backup, held_now, restore};
pub use runs::{RunFilter, RunPlace, WorkCounts};
pub use schedules::ScheduleFilter;
pub use sessions::{SessionCost, SessionFilter};
pub use sqlite::Location;
pub use sqlite::migrate::{DatabaseFile, history};
pub use trace::{
    Trace, TraceCount, TraceEvent, TraceFilter, TraceFound, TraceIdentity, TracePage, TraceQuery,
    TraceReader, TraceRow,
};
