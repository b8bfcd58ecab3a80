//! Calls over real sockets: a small server answers with what providers send, byte by byte.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy allows it in test functions, but not in what they share"
)]

mod answers;
mod failures;
mod finding;
mod real_model;
mod requests;
mod routing;
mod support;
