//! A goal's history, folded again: what is in the log is enough to say how everything stood at any moment.
//!
//! Folding is `pb_model::goal::evolve`, which made the rows too, so what is folded to the end are the rows. It
//! costs what it costs: the events of the goal up to that moment are read, page by page, and nothing is kept.

mod diff;
mod fold;
mod timeline;

pub(crate) use diff::{Change, changes};
pub(crate) use fold::{FoldError, Folded, ReplayEvent, Until, around, at_cursor, fold, unless_compacted};
pub(crate) use timeline::Timeline;
