//! Debug events for whoever asks for them: read from the scheduler's trace, by position, as they were
//! written: ids, times and context are the scheduler's.
//!
//! ```text
//!   link: bell ----+
//!   each second ---+--> feed (one look at trace.db) ---> subscriptions (each with its own position
//!                                                        and page) ---> outlet ---> its session
//! ```
//!
//! While nobody is subscribed nothing is read. A client that does not read costs nothing: its page is
//! let go of. The trace may be missing, or be deleted at any time.

mod feed;
mod outlet;
mod subscription;

pub(crate) use feed::DebugFeed;
pub(crate) use outlet::Outlet;
pub(crate) use subscription::Subscription;
pub use subscription::debug_event;
