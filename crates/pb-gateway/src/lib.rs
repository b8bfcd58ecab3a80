//! The gateway: a pure hub between clients (WebSocket, Server-Sent Events) and the scheduler (a Unix
//! socket, and two files).
//!
//! ```text
//!   client --- admit --- session --- methods ---+--- inbox (gateway.db) ---- bell ---> scheduler
//!                           |                   |
//!                     subscription <--- feed <--+--- log (state.db, read only) <--- events, pushed
//! ```
//!
//! What is asked for is on the disk before the answer; what happened is read from the log, by
//! position, by each subscription for itself. What crosses the link is only speed, and deltas: those
//! are in no log, and go past all of this to whoever asked for them (`deltas.rs`). Debug events have a file
//! of their own, the trace, which is read in the same way (`debug/`). What is past is looked at by plain HTTP (`api/`).
//!
//! This crate never holds a key, runs a tool or takes a decision, and never writes the log.
//!
//! Start reading at `service.rs`, then `session.rs` and `inbox/commands.rs`.

mod access;
mod admit;
mod api;
mod bind;
mod console;
mod debug;
mod deltas;
mod health;
mod heart;
mod http;
mod hub;
mod inbox;
mod link;
mod machine;
mod methods;
mod metrics;
mod page;
mod paging;
mod peer_uid;
mod personas;
mod replay;
mod roster;
mod server;
mod service;
mod session;
mod socket;
mod sse;
mod subscription;
mod subscriptions;
mod tls;
mod upkeep;
mod websocket;

pub use access::PENDING_MAX_AGE;
pub use debug::debug_event;
pub use heart::Heart;
pub use service::{Config, Gateway, Remote, StartError};
pub use tls::{TlsError, TlsSettings};
